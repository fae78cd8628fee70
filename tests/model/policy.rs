//! Who may use the service: what each kind of policy says of a request.

use super::{
    config::Request,
    entry,
    lists::Names,
    origin::{Origin, Sent},
    registry::{self, RegistryEntry},
    token::{self, Token},
};

#[derive(Clone, Debug)]
pub enum Policy {
    Any,
    /// The layer's own list, in which `null` may stand.
    List(Names),
    /// One origin that every response names.
    Constant(String),
    /// An `OriginSet` in place of the list.
    Set(Vec<String>),
    Script(Script),
    Token(Token),
    Registry(Vec<RegistryEntry>),
    BearerOr(Box<Policy>),
    Fallback(Box<Policy>, Box<Policy>),
    WithPreflight(Box<Policy>, Box<Policy>),
    Optimistic,
    DenyPreflights,
    /// Of a method without a rule.
    Nobody,
}

/// A policy that says what it is told to, by the text of the origin.
#[derive(Clone, Debug)]
pub struct Script {
    pub verdicts: Vec<(String, Verdict)>,
    pub otherwise: Verdict,
    pub reads: Vec<String>,
    pub grants_any_origin: bool,
    pub no_store: bool,
    pub private: bool,
    pub refuse: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Abstain,
    Allow(Grant),
    Deny(Denial),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// `*` in place of the origin.
    pub any_origin: bool,
    pub credentials: Option<bool>,
    pub max_age_cap: Option<u64>,
    pub methods: Option<Names>,
    pub headers: Option<Names>,
    pub expose: Option<Names>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The name of the `DenialKind`.
    pub kind: &'static str,
    /// Whether the page may read the refusal.
    pub readable: bool,
    pub credentials: Option<bool>,
}

pub fn deny(kind: &'static str) -> Verdict {
    Verdict::Deny(Denial {
        kind,
        readable: false,
        credentials: None,
    })
}

pub fn allow() -> Verdict {
    Verdict::Allow(Grant::default())
}

/// What a policy is asked.
pub struct Asked<'a> {
    pub sent: &'a Sent,
    pub request: &'a Request,
    /// The header names that a preflight asks for.
    pub preflight: Option<&'a [String]>,
}

impl Policy {
    pub fn judge(&self, asked: &Asked<'_>) -> Verdict {
        match self {
            Self::Any => Verdict::Allow(Grant {
                any_origin: true,
                ..Grant::default()
            }),
            Self::List(list) if list.any => Self::Any.judge(asked),
            Self::List(list) => judge_by_entries(&list.listed, asked),
            Self::Constant(entry) => judge_by_entries(std::slice::from_ref(entry), asked),
            Self::Set(entries) => judge_by_entries(entries, asked),
            Self::Script(script) => {
                let text = asked.text();
                let own = script.verdicts.iter().find(|(origin, _)| *origin == text);
                own.map_or(&script.otherwise, |(_, verdict)| verdict)
                    .clone()
            }
            Self::Token(token) => token::judge(token, asked),
            Self::Registry(entries) => registry::judge(entries, asked),
            // A caller with a bearer token and without cookies has no rights but the token's.
            Self::BearerOr(cookies) => {
                let is_bearer = match asked.preflight {
                    Some(names) => names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case("authorization")),
                    None => is_bearer_caller(asked.request),
                };
                if is_bearer {
                    anybody_without_credentials(asked)
                } else {
                    cookies.judge(asked)
                }
            }
            Self::Fallback(first, second) => match first.judge(asked) {
                Verdict::Abstain => second.judge(asked),
                verdict => verdict,
            },
            Self::WithPreflight(actual, preflight) => match asked.preflight {
                Some(_) => preflight.judge(asked),
                None => actual.judge(asked),
            },
            Self::Optimistic => match (asked.preflight, anybody_without_credentials(asked)) {
                (None, _) => Verdict::Abstain,
                (Some(_), Verdict::Allow(grant)) => Verdict::Allow(Grant {
                    max_age_cap: Some(5),
                    ..grant
                }),
                (Some(_), denial) => denial,
            },
            Self::Nobody => deny("OriginNotAllowed"),
            Self::DenyPreflights => match asked.preflight {
                None => Verdict::Abstain,
                Some(_) => deny("PreflightNotAllowed"),
            },
        }
    }
}

impl Asked<'_> {
    /// The tuple origin.
    pub fn origin(&self) -> Option<&Origin> {
        match self.sent {
            Sent::Null => None,
            Sent::Origin(origin) => Some(origin),
        }
    }

    /// The origin as it was sent.
    fn text(&self) -> String {
        let line = self.request.lines("origin")[0];
        String::from_utf8(line.to_vec()).unwrap()
    }
}

fn judge_by_entries(entries: &[String], asked: &Asked<'_>) -> Verdict {
    let is_listed = match asked.origin() {
        Some(origin) => entries.iter().any(|entry| entry::matches(entry, origin)),
        None => entries.iter().any(|entry| entry == "null"),
    };
    if is_listed {
        allow()
    } else {
        not_allowed(asked)
    }
}

pub fn not_allowed(asked: &Asked<'_>) -> Verdict {
    match asked.sent {
        Sent::Null => deny("OpaqueOrigin"),
        Sent::Origin(_) => deny("OriginNotAllowed"),
    }
}

fn anybody_without_credentials(asked: &Asked<'_>) -> Verdict {
    match asked.sent {
        Sent::Null => deny("OpaqueOrigin"),
        Sent::Origin(_) => Verdict::Allow(Grant {
            credentials: Some(false),
            ..Grant::default()
        }),
    }
}

/// One `Authorization` line with a token in it, and no cookie.
fn is_bearer_caller(request: &Request) -> bool {
    let [line] = request.lines("authorization")[..] else {
        return false;
    };
    let text = String::from_utf8_lossy(line);
    let scheme = text
        .split_once(' ')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_scheme = scheme.is_some_and(|scheme| scheme == "bearer" || scheme == "dpop");
    is_scheme && !request.has("cookie")
}
