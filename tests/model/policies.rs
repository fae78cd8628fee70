//! What is true of a policy for every request: what its answers vary on, and what caches may keep.

use super::{config::Settings, lists::Names, policy::Policy};

/// How far a policy can reach, in the order in which a table of methods prefers rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Nobody,
    Listed,
    /// Any origin, by its name.
    Echoed,
    /// `*` for some requests.
    Star,
    /// `*`, or one fixed origin, for every request.
    Always,
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub reach: Reach,
    /// The headers that the verdict depends on, beside `Origin`.
    pub reads: Vec<String>,
    pub no_store: bool,
    pub private: bool,
    pub refuse: bool,
    /// Whether preflights are answered more broadly than requests are judged.
    pub is_broad: bool,
    pub grants_credentials: bool,
    /// A policy that reads `Authorization` would be bypassed.
    pub is_bypassed: bool,
    /// Whether bearer callers are allowed without a look at their token.
    pub waves_bearers_through: bool,
}

impl Facts {
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            reads: Vec::new(),
            no_store: false,
            private: false,
            refuse: false,
            is_broad: false,
            grants_credentials: false,
            is_bypassed: false,
            waves_bearers_through: false,
        }
    }

    /// What is true of two policies of which either may decide.
    pub fn or(self, other: Self) -> Self {
        Self {
            reach: self.reach.max(other.reach).min(Reach::Star),
            reads: union(&self.reads, &other.reads),
            no_store: self.no_store || other.no_store,
            private: self.private || other.private,
            refuse: self.refuse || other.refuse,
            is_broad: self.is_broad || other.is_broad,
            grants_credentials: self.grants_credentials || other.grants_credentials,
            is_bypassed: self.is_bypassed || other.is_bypassed,
            waves_bearers_through: self.waves_bearers_through || other.waves_bearers_through,
        }
    }

    /// The request headers that an answer depends on.
    pub fn vary(&self) -> Vec<String> {
        match self.reach {
            Reach::Nobody | Reach::Always => self.reads.clone(),
            _ => union(&["origin".to_owned()], &self.reads),
        }
    }

    /// Those of a preflight's answer, by the settings of the layer, or of one of several rules.
    pub fn preflight_vary(&self, settings: &Settings, is_by_method: bool) -> Vec<String> {
        // Where a policy judges, its verdict may depend on all of it. With credentials, what is
        // asked for stands in place of `*`.
        let is_judged = self.reach != Reach::Always;
        let repeats = |names: &Names| names.any && settings.credentials;
        let mut own = Vec::new();
        if is_judged || is_by_method || repeats(&settings.methods) {
            own.push("access-control-request-method".to_owned());
        }
        if is_judged || repeats(&settings.headers) {
            own.push("access-control-request-headers".to_owned());
        }
        union(&self.vary(), &own)
    }
}

fn union(first: &[String], second: &[String]) -> Vec<String> {
    let mut all = first.to_vec();
    for name in second {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

impl Policy {
    pub fn facts(&self) -> Facts {
        let listed = Facts::new(Reach::Listed);
        match self {
            Self::Any | Self::Constant(_) => Facts::new(Reach::Always),
            Self::List(list) if list.any => Facts::new(Reach::Always),
            Self::Nobody => Facts::new(Reach::Nobody),
            Self::List(_) | Self::Set(_) | Self::DenyPreflights => listed,
            Self::Script(script) => Facts {
                reach: if script.grants_any_origin {
                    Reach::Star
                } else {
                    Reach::Listed
                },
                reads: union(&[], &script.reads),
                no_store: script.no_store,
                private: script.private,
                refuse: script.refuse,
                ..listed
            },
            Self::Token(token) => Facts {
                reads: vec!["authorization".to_owned()],
                no_store: true,
                private: token.private,
                refuse: true,
                ..listed
            },
            Self::Registry(_) => Facts {
                no_store: true,
                refuse: true,
                grants_credentials: true,
                ..listed
            },
            // Bearer callers of any origin, by its name.
            Self::BearerOr(cookies) => {
                let cookies = cookies.facts();
                let bearers = Facts {
                    reads: vec!["authorization".to_owned(), "cookie".to_owned()],
                    no_store: true,
                    refuse: true,
                    is_bypassed: cookies.reads.contains(&"authorization".to_owned()),
                    waves_bearers_through: true,
                    ..Facts::new(Reach::Echoed)
                };
                bearers.or(cookies)
            }
            // A preflight has no headers: where the first policy needs one, the second answers the
            // preflights of requests that the first will judge.
            Self::Fallback(first, second) => {
                let (first, mut second) = (first.facts(), second.facts());
                second.is_broad |= !first.reads.is_empty() && second.reach > Reach::Listed;
                second.is_bypassed |= first.waves_bearers_through
                    && second.reads.contains(&"authorization".to_owned());
                first.or(second)
            }
            Self::WithPreflight(actual, preflight) => {
                let (actual, mut preflight) = (actual.facts(), preflight.facts());
                preflight.is_broad |= preflight.reach > Reach::Listed;
                preflight.refuse = actual.refuse;
                // It allows preflights alone.
                preflight.waves_bearers_through = false;
                actual.or(preflight)
            }
            Self::Optimistic => Facts {
                no_store: true,
                refuse: true,
                is_broad: true,
                ..listed
            },
        }
    }
}
