use http::HeaderMap;

use crate::{
    fetch::{is_forbidden_request_header, is_safelisted, is_safelisted_value},
    policy::DenialKind,
    request::{Classified, Head, classify, is_same_origin},
};

/// What a request is as far as CORS is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TakenFor {
    /// A request without an `Origin`.
    NotCors,
    /// A request of the service's own page, by `Sec-Fetch-Site`, else by `Host`.
    SameOrigin,
    /// A request of another origin that a page may send without asking.
    Simple,
    /// A request of another origin before which browsers send a preflight.
    Preflighted,
    /// A preflight: the question of a browser whether a page may send a request.
    Preflight,
    /// A request with several `Origin` lines.
    SeveralOrigins,
    /// A request whose `Origin` is not a serialised origin.
    MalformedOrigin,
    /// A preflight that asks for what no page can send, or beyond a bound.
    MalformedPreflight,
}

impl TakenFor {
    pub(super) fn of(head: &Head<'_>, denial: Option<DenialKind>) -> Self {
        match (denial, classify(head)) {
            (Some(DenialKind::SeveralOrigins), _) => Self::SeveralOrigins,
            (Some(DenialKind::MalformedOrigin), _) => Self::MalformedOrigin,
            (Some(DenialKind::MalformedPreflight), _) => Self::MalformedPreflight,
            (_, Classified::NotCors) => Self::NotCors,
            (_, Classified::Preflight { .. }) => Self::Preflight,
            (_, Classified::Actual(_)) if is_same_origin(head) => Self::SameOrigin,
            (_, Classified::Actual(_))
                if is_safelisted(head.method) && are_safelisted(head.headers) =>
            {
                Self::Simple
            }
            (_, Classified::Actual(_)) => Self::Preflighted,
        }
    }

    /// In a few words, as in `a preflight`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCors => "a request without an Origin, which CORS is not about",
            Self::SameOrigin => "a request of the service's own page",
            Self::Simple => "a request of another origin that needs no preflight",
            Self::Preflighted => "a request of another origin, after a preflight of its own",
            Self::Preflight => "a preflight",
            Self::SeveralOrigins => "a request with several Origin headers",
            Self::MalformedOrigin => "a request whose Origin is malformed",
            Self::MalformedPreflight => "a malformed preflight",
        }
    }

    /// The rule that makes it that: a clause of a standard.
    pub fn rule(self) -> &'static str {
        match self {
            Self::NotCors => "https://fetch.spec.whatwg.org/#cors-request",
            Self::SameOrigin => {
                "https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header"
            }
            Self::Simple => "https://fetch.spec.whatwg.org/#cors-safelisted-method",
            Self::Preflighted => "https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names",
            Self::Preflight | Self::MalformedPreflight => {
                "https://fetch.spec.whatwg.org/#cors-preflight-request"
            }
            Self::SeveralOrigins | Self::MalformedOrigin => {
                "https://www.rfc-editor.org/rfc/rfc6454#section-7.1"
            }
        }
    }

    /// Whether a browser holds the answer against the CORS protocol.
    pub(super) fn is_checked(self) -> bool {
        !matches!(self, Self::NotCors | Self::SameOrigin)
    }
}

/// Headers that browsers and proxies add by themselves, which are not in the Fetch standard's list
/// of forbidden ones. They say nothing about what the page has set.
const ADDED_ON_THE_WAY: [&str; 12] = [
    "cache-control",
    "forwarded",
    "if-modified-since",
    "if-none-match",
    "last-event-id",
    "pragma",
    "priority",
    "traceparent",
    "tracestate",
    "upgrade-insecure-requests",
    "user-agent",
    "x-real-ip",
];

fn are_safelisted(headers: &HeaderMap) -> bool {
    headers.iter().all(|(name, value)| {
        let name = name.as_str();
        is_safelisted_value(name, value.as_bytes())
            || is_forbidden_request_header(name)
            || ADDED_ON_THE_WAY.contains(&name)
            || name.starts_with("x-forwarded-")
    })
}
