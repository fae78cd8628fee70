//! Why something is refused, and what would allow it: the one place where these texts are written,
//! for the log, for a denial's text and for explanations.

use std::{borrow::Cow, fmt};

use super::{
    denial::DenialKind,
    hint::{Hint, ListedHeaders, ListedMethods, Said},
    listings::Listings,
};
use crate::{
    escaped::{OneLine, Quoted},
    origin::{Difference, Nearest, Origin, crosses_public_suffix, suggested_origin},
};

/// A cause and its fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) cause: Cow<'static, str>,
    pub(crate) fix: Cow<'static, str>,
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.fix)
    }
}

fn fixed(cause: &'static str, fix: &'static str) -> Sentence {
    Sentence {
        cause: cause.into(),
        fix: fix.into(),
    }
}

const ADD_IT: &str = "add it to allow_origins, or to what the policy reads";

/// The sentence of a denial: by its kind, or by what is known beyond it. `sent` is the `Origin`.
pub(super) fn sentence(kind: DenialKind, hint: Option<&Hint>, sent: Option<&[u8]>) -> Sentence {
    let known = match hint {
        None => None,
        Some(Hint::Closed) => Some(fixed(
            "the route has no rule that admits anybody to this method",
            "give the method a rule that admits the origin",
        )),
        Some(Hint::Navigation) => Some(fixed(
            "this is a navigation or a form of another site, whose answer no page reads",
            "leave the route out of the layer, or give its method MethodRule::none()",
        )),
        Some(Hint::LookedUpIn(listings)) => sent.and_then(|sent| looked_up(kind, listings, sent)),
        Some(Hint::UnansweredPreflight) => Some(fixed(
            "no policy had anything to say, and a preflight carries no token",
            "say by with_preflight how preflights are answered, or add a fallback",
        )),
        Some(Hint::Methods(methods)) => missing_method(kind, methods),
        Some(Hint::Headers(headers)) => missing_headers(headers),
        #[cfg(feature = "token")]
        Some(Hint::NotInToken(list)) => Some(not_in_token(list)),
        Some(Hint::Said(said)) => Some(Sentence::from(&**said)),
    };
    known.unwrap_or_else(|| of_kind(kind))
}

impl From<&Said> for Sentence {
    fn from(said: &Said) -> Self {
        // A policy may quote what a client has sent.
        let one_line = |text: &str| OneLine(text).to_string().into();
        Self {
            cause: one_line(&said.cause),
            fix: one_line(&said.fix),
        }
    }
}

fn looked_up(kind: DenialKind, listings: &Listings, sent: &[u8]) -> Option<Sentence> {
    let sent = std::str::from_utf8(sent).ok()?;
    match kind {
        DenialKind::OriginNotAllowed => {
            let origin: Origin = sent.parse().ok()?;
            if let Some(said) = listings.why_not(&origin) {
                return Some(Sentence::from(&said));
            }
            let nearest = listings.nearest(&origin)?;
            Some(near(&nearest, &origin))
        }
        DenialKind::MalformedOrigin => {
            let meant = suggested_origin(sent)?;
            listings.entry_for(&meant.parse().ok()?)?;
            Some(Sentence {
                cause: "the Origin header is not an origin as browsers send it".into(),
                fix: format!(
                    "send {}, which is allowed: look for a proxy or a client that writes it",
                    Quoted(meant.as_bytes())
                )
                .into(),
            })
        }
        _ => None,
    }
}

fn near(nearest: &Nearest, origin: &Origin) -> Sentence {
    let entry = Quoted(nearest.entry.as_bytes());
    let has_it_too_much = |part: bool| if part { "without" } else { "with" };
    let how = match nearest.difference {
        Difference::Scheme => ", with another scheme".to_owned(),
        Difference::Port => ", with another port".to_owned(),
        Difference::Above => ", which is a name above it".to_owned(),
        Difference::Below => ", but that is the names below it only".to_owned(),
        Difference::Letters => ", which differs in a letter or two".to_owned(),
        Difference::Www => {
            let word = has_it_too_much(origin.host().starts_with("www."));
            format!(", {word} the www.")
        }
        Difference::TrailingDot => {
            let word = has_it_too_much(origin.host().ends_with('.'));
            format!(", {word} a dot at the end of the host")
        }
    };
    Sentence {
        cause: format!("the origin is not allowed; {entry} is{how}").into(),
        fix: near_fix(nearest, origin),
    }
}

fn near_fix(nearest: &Nearest, origin: &Origin) -> Cow<'static, str> {
    let or = |pattern: &str, what: &str| {
        format!(
            "add it, or {} for {what}, to allow_origins, or to what the policy reads",
            Quoted(pattern.as_bytes())
        )
    };
    match nearest.difference {
        Difference::Scheme if origin.scheme() == "http" && !origin.is_loopback() => {
            format!("open the page over https, or {ADD_IT}").into()
        }
        Difference::Port if origin.is_loopback() => {
            let any_port = format!("{}://{}:*", origin.scheme(), origin.host());
            or(&any_port, "any port").into()
        }
        Difference::Above => match wildcard_of(&nearest.entry) {
            Some(pattern) => or(&pattern, "all names below").into(),
            None => ADD_IT.into(),
        },
        Difference::Letters => {
            format!("compare the two letter by letter, and if the page is yours, {ADD_IT}").into()
        }
        Difference::Scheme
        | Difference::Port
        | Difference::Www
        | Difference::TrailingDot
        | Difference::Below => ADD_IT.into(),
    }
}

/// The pattern for the names below an entry, unless strangers can have such names.
fn wildcard_of(entry: &str) -> Option<String> {
    let origin: Origin = entry.parse().ok()?;
    let (scheme, rest) = entry.split_once("://")?;
    let pattern = format!("{scheme}://*.{rest}");
    let is_ours = !crosses_public_suffix(origin.host());
    (is_ours && pattern.parse::<crate::origin::OriginPattern>().is_ok()).then_some(pattern)
}

#[cfg(feature = "token")]
fn not_in_token(list: &super::hint::TokenList) -> Sentence {
    let claim = OneLine(&list.claim);
    if list.is_readable {
        Sentence {
            cause: "the token does not allow the origin".into(),
            fix: format!("issue a token whose claim {claim} lists it").into(),
        }
    } else {
        Sentence {
            cause: "the list of origins in the token cannot be read".into(),
            fix: format!("write the claim {claim} as OriginsClaim expects it").into(),
        }
    }
}

fn missing_method(kind: DenialKind, methods: &ListedMethods) -> Option<Sentence> {
    if kind == DenialKind::MethodCase {
        return None;
    }
    if methods.by_method {
        let cause = "the origin is allowed, the method has no rule on this route";
        return Some(match methods.spelling {
            None => fixed(cause, "give it one"),
            Some(spelling) => Sentence {
                cause: cause.into(),
                fix: format!(
                    "write {spelling} in the page, and give {spelling} a rule if it has none"
                )
                .into(),
            },
        });
    }
    let spelling = methods.spelling?;
    Some(Sentence {
        cause: "the origin is allowed; the method is not, and methods are case-sensitive".into(),
        fix: format!("write {spelling} in the page, and add {spelling} to allow_methods").into(),
    })
}

fn missing_headers(headers: &ListedHeaders) -> Option<Sentence> {
    if !headers.unlistable.is_empty() {
        return Some(unlistable_headers(headers));
    }
    let count = headers.missing.len();
    if headers.list.is_any() && count == 1 {
        // https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
        return Some(fixed(
            "the origin is allowed, and every request header but Authorization, which * does not \
             cover",
            "add authorization to allow_headers, beside the *",
        ));
    }
    (count > 1).then(|| Sentence {
        cause: format!("the origin is allowed, {count} request headers are not").into(),
        fix: "add them to allow_headers".into(),
    })
}

/// The page cannot send them, or they belong to the protocol's answers: no configuration helps.
fn unlistable_headers(headers: &ListedHeaders) -> Sentence {
    const NAMED: usize = 4;
    let count = headers.unlistable.len();
    let mut names = headers.unlistable[..count.min(NAMED)].join(", ");
    if count > NAMED {
        names.push_str(&format!(" and {} more", count - NAMED));
    }
    let listable = headers.missing.len() - count;
    let rest = match listable {
        0 => "",
        1 => ", and add the other one to allow_headers",
        _ => ", and add the others to allow_headers",
    };
    let cause = match headers.missing.len() {
        1 => "the origin is allowed, a request header is not, and cannot be".to_owned(),
        missing => format!("the origin is allowed, {missing} request headers are not"),
    };
    Sentence {
        cause: cause.into(),
        fix: format!("leave {names} out of the page's request{rest}").into(),
    }
}

/// What can be said by the kind alone.
pub(super) fn of_kind(kind: DenialKind) -> Sentence {
    match kind {
        DenialKind::OriginNotAllowed => fixed("the origin is not allowed", ADD_IT),
        DenialKind::OpaqueOrigin => fixed(
            "the origin is null, as in sandboxed frames, file: pages and after redirects",
            "serve the page from an origin of its own",
        ),
        DenialKind::MalformedOrigin => fixed(
            "the Origin header is not an origin as browsers send it",
            "look for a proxy or a client that writes it",
        ),
        DenialKind::SeveralOrigins => fixed(
            "there are several Origin headers",
            "look for a proxy that adds one",
        ),
        DenialKind::NoPolicy => fixed(
            "no policy had anything to say, as when a token is missing",
            "send the token, or add a fallback",
        ),
        DenialKind::MalformedPreflight => fixed(
            "the preflight asks for what no page can send, or for too much",
            "look for a proxy or a client that writes Access-Control-Request headers",
        ),
        DenialKind::PreflightNotAllowed => fixed(
            "preflights are not answered here",
            "send a request that needs none, or replace DenyPreflights by another strategy",
        ),
        DenialKind::MethodNotAllowed => fixed(
            "the origin is allowed, the method is not",
            "add it to allow_methods",
        ),
        DenialKind::HeaderNotAllowed => fixed(
            "the origin is allowed, a request header is not",
            "add it to allow_headers",
        ),
        DenialKind::InvalidToken => fixed("the token does not verify", "issue a new one"),
        DenialKind::ExpiredToken => fixed("the token has expired", "issue a new one"),
        DenialKind::VerdictTimeout => fixed(
            "the policy has not answered in time",
            "look at what it waits for, or raise verdict_timeout",
        ),
        DenialKind::MethodCase => fixed(
            "the origin is allowed, and so is the method in upper case",
            "write it so in the page, since browsers do that for DELETE, GET, HEAD, OPTIONS, POST \
             and PUT only",
        ),
        DenialKind::Unavailable => fixed(
            "what the policy needs to know is out of reach",
            "look at its source",
        ),
    }
}
