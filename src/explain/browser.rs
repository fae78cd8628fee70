//! What a browser does with the answer: the CORS check and the steps after a preflight, on the
//! headers that the layer writes.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    },
};

use crate::{fetch::is_safelisted, request::Preflight};

/// A request's credentials mode
/// ([Fetch](https://fetch.spec.whatwg.org/#concept-request-credentials-mode)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the Fetch standard has these three"
)]
pub enum CredentialsMode {
    /// `omit`: never.
    Omit,
    /// `same-origin`: to the page's own origin only, the default of `fetch()`.
    SameOrigin,
    /// `include`: always.
    Include,
}

impl CredentialsMode {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Omit, Self::SameOrigin, Self::Include];

    /// The name in `fetch(url, {credentials: ...})`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Omit => "omit",
            Self::SameOrigin => "same-origin",
            Self::Include => "include",
        }
    }
}

/// What a browser lets the page do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// The page reads the answer; after a preflight, it may send its request.
    Allowed,
    /// The browser asks nobody: the request is not one across origins.
    NotChecked,
    /// The page gets a network error.
    Blocked(Block),
}

/// The step at which a browser stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Block {
    /// There is no `Access-Control-Allow-Origin`.
    NoAllowOrigin,
    /// `Access-Control-Allow-Origin` is `*`, and the request includes credentials.
    AnyOriginWithCredentials,
    /// `Access-Control-Allow-Origin` names another origin.
    OtherOrigin,
    /// The request includes credentials, and `Access-Control-Allow-Credentials` is not `true`.
    NoAllowCredentials,
    /// The status of the answer to a preflight is not 200 to 299.
    PreflightStatus,
    /// `Access-Control-Allow-Methods` does not have the method.
    Method,
    /// `Access-Control-Allow-Headers` does not name `Authorization`, which `*` does not cover.
    Authorization,
    /// `Access-Control-Allow-Headers` does not have a header.
    Header,
}

impl Block {
    /// The algorithm of the Fetch standard and its step, as in `CORS check, step 2`.
    pub fn step(self) -> &'static str {
        match self {
            Self::NoAllowOrigin => "CORS check, step 2",
            Self::AnyOriginWithCredentials | Self::OtherOrigin => "CORS check, step 4",
            Self::NoAllowCredentials => "CORS check, step 8",
            Self::PreflightStatus => "CORS-preflight fetch, step 7",
            Self::Method => "CORS-preflight fetch, step 7.5",
            Self::Authorization => "CORS-preflight fetch, step 7.6",
            Self::Header => "CORS-preflight fetch, step 7.7",
        }
    }

    /// The clause of the Fetch standard.
    pub fn rule(self) -> &'static str {
        match self {
            Self::NoAllowOrigin
            | Self::AnyOriginWithCredentials
            | Self::OtherOrigin
            | Self::NoAllowCredentials => "https://fetch.spec.whatwg.org/#concept-cors-check",
            Self::PreflightStatus | Self::Method | Self::Authorization | Self::Header => {
                "https://fetch.spec.whatwg.org/#cors-preflight-fetch"
            }
        }
    }
}

/// An answer, as a browser looks at it.
#[derive(Clone, Copy)]
pub(super) struct Answered<'a> {
    /// The `Origin` that was sent.
    pub(super) sent: &'a [u8],
    /// `None` if the service answers.
    pub(super) status: Option<StatusCode>,
    pub(super) headers: &'a HeaderMap,
    pub(super) preflight: Option<&'a Preflight<'a>>,
}

impl Answered<'_> {
    pub(super) fn block(self, mode: CredentialsMode) -> Option<Block> {
        let includes = mode == CredentialsMode::Include;
        self.cors_check(includes)
            .or_else(|| self.after_preflight(includes))
    }

    /// <https://fetch.spec.whatwg.org/#concept-cors-check>. The layer writes each header once.
    fn cors_check(self, includes: bool) -> Option<Block> {
        let Some(allowed) = self.headers.get(ACCESS_CONTROL_ALLOW_ORIGIN) else {
            return Some(Block::NoAllowOrigin);
        };
        if allowed == "*" {
            return includes.then_some(Block::AnyOriginWithCredentials);
        }
        if allowed.as_bytes() != self.sent {
            return Some(Block::OtherOrigin);
        }
        let allows = self.headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        let allows = allows.is_some_and(|value| value == "true");
        (includes && !allows).then_some(Block::NoAllowCredentials)
    }

    /// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>, step 7.
    fn after_preflight(self, includes: bool) -> Option<Block> {
        let preflight = self.preflight?;
        if !self.status.is_some_and(|status| status.is_success()) {
            return Some(Block::PreflightStatus);
        }
        let method = preflight.method();
        let methods = self.list(ACCESS_CONTROL_ALLOW_METHODS);
        let has_star = |list: &[&str]| !includes && list.contains(&"*");
        if !methods.contains(&method.as_str()) && !is_safelisted(method) && !has_star(&methods) {
            return Some(Block::Method);
        }
        let names = self.list(ACCESS_CONTROL_ALLOW_HEADERS);
        let is_named = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        let requested = || preflight.headers().iter();
        if requested().any(|name| is_authorization(name) && !is_named(name)) {
            return Some(Block::Authorization);
        }
        let is_refused = |name: &str| !is_named(name) && !has_star(&names);
        requested().any(is_refused).then_some(Block::Header)
    }

    fn list(&self, name: HeaderName) -> Vec<&str> {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        let elements = value.into_iter().flat_map(|value| value.split(','));
        elements.map(str::trim).collect()
    }
}

fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}
