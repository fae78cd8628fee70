use std::fmt;

use super::{decision::Decision, outcome::Outcome};

/// A request about which a configuration in [shadow](crate::CorsLayerBuilder::report_only) decides
/// otherwise than the one in force.
///
/// Compared are what the page gets, and whether it may send cookies: [`Change`]. Not compared are
/// the reason of a denial, exposed headers and `max_age`.
#[derive(Clone, Debug)]
pub struct Difference {
    change: Change,
    decision: Decision,
    in_shadow: Decision,
}

/// What came of judging a request in [shadow](crate::CorsLayerBuilder::report_only).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Judgement {
    /// The page would get the same.
    Same,
    /// It would not.
    Different(Box<Difference>),
    /// The request was not judged: the policy has to be waited for, and nothing was given that
    /// [runs tasks](crate::config::ReportOnly::spawn), has dropped this one, or has too many.
    Skipped,
    /// The policy in shadow, or what runs tasks, has panicked. The request was not judged.
    Panicked,
}

impl Judgement {
    /// A name for labels and logs: `same`, `skipped`, `panicked`, or that of the [`Change`].
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different(difference) => difference.change.as_str(),
            Self::Skipped => "skipped",
            Self::Panicked => "panicked",
        }
    }
}

/// What a configuration in shadow would change for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The page gets what it asks for, and would not; or it may send cookies, and might not.
    AllowsLess,
    /// The reverse.
    AllowsMore,
    /// The page gets nothing either way, but otherwise, as when a request is forwarded and would be
    /// refused.
    DeniesOtherwise,
}

impl Change {
    /// A name for labels and logs, such as `allows_less`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowsLess => "allows_less",
            Self::AllowsMore => "allows_more",
            Self::DeniesOtherwise => "denies_otherwise",
        }
    }

    fn between(decision: &Decision, in_shadow: &Decision) -> Option<Self> {
        let (now, then) = (decision.outcome(), in_shadow.outcome());
        match (now.is_allowed(), then.is_allowed()) {
            (true, false) => Some(Self::AllowsLess),
            (false, true) => Some(Self::AllowsMore),
            (false, false) => (now != then).then_some(Self::DeniesOtherwise),
            // The service's own page needs no header to send cookies.
            (true, true) if now != Outcome::Allowed || then != Outcome::Allowed => None,
            (true, true) => match (
                decision.allows_credentials(),
                in_shadow.allows_credentials(),
            ) {
                (true, false) => Some(Self::AllowsLess),
                (false, true) => Some(Self::AllowsMore),
                (true, true) | (false, false) => None,
            },
        }
    }
}

impl Difference {
    pub(crate) fn judge(decision: Decision, in_shadow: Decision) -> Judgement {
        match Change::between(&decision, &in_shadow) {
            None => Judgement::Same,
            Some(change) => Judgement::Different(Box::new(Self {
                change,
                decision,
                in_shadow,
            })),
        }
    }

    /// What would change for the page.
    pub fn change(&self) -> Change {
        self.change
    }

    /// What was decided.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What the configuration in shadow would have decided.
    pub fn in_shadow(&self) -> &Decision {
        &self.in_shadow
    }
}

/// One line, escaped.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookies = |decision: &Decision| {
            if decision.allows_credentials() {
                ", with cookies"
            } else {
                ""
            }
        };
        let (now, then) = (&self.decision, &self.in_shadow);
        write!(
            f,
            "{now}{}; in shadow: {then}{}",
            cookies(now),
            cookies(then)
        )
    }
}
