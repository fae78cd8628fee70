//! What a plan does, for observers. Nothing here changes it.

use http::header::ORIGIN;

use super::{
    plan::{Answer, Edit, FullAnswer, Plan},
    rules::{Rules, ToAll},
};
use crate::{
    observe::{Decision, Outcome, RequestKind},
    policy::Denial,
    request::{Classified, Head, classify},
};

/// What a plan does about a request.
pub(crate) struct Seen<'a> {
    pub(crate) kind: RequestKind,
    pub(crate) outcome: Outcome,
    pub(crate) allows_credentials: bool,
    pub(crate) denial: Option<&'a Denial>,
}

impl Seen<'_> {
    /// The same to keep.
    pub(crate) fn decision(&self, head: &Head<'_>) -> Decision {
        let origin = head.headers.get(ORIGIN);
        Decision::new(
            self.kind,
            self.outcome,
            self.allows_credentials,
            origin,
            self.denial,
        )
    }
}

/// Looks at a plan of rules that are [observed](Rules::is_observed): only these make plans that
/// always have their denial.
pub(crate) fn see<'a>(plan: &'a Plan, head: &Head<'_>, rules: &Rules) -> Seen<'a> {
    let kind = match classify(head) {
        Classified::NotCors => RequestKind::NotCors,
        Classified::Actual(_) => RequestKind::Actual,
        Classified::Preflight { .. } => RequestKind::Preflight,
    };
    let (outcome, allows_credentials, denial) = match plan {
        Plan::Forward(edit, _) => of_edit(edit),
        Plan::Answer(answer) => of_answer(answer, rules),
    };
    let outcome = match &rules.to_all {
        _ if kind == RequestKind::NotCors => Outcome::NotCors,
        Some(ToAll::Origin(one))
            if outcome == Outcome::Allowed && head.headers.get(ORIGIN) != Some(one) =>
        {
            Outcome::AnotherOrigin
        }
        _ => outcome,
    };
    Seen {
        kind,
        outcome,
        allows_credentials,
        denial,
    }
}

fn of_edit(edit: &Edit) -> (Outcome, bool, Option<&Denial>) {
    match edit {
        Edit::VaryOnly => (Outcome::NotCors, false, None),
        // Any other request that is denied has a denial.
        Edit::RemoveCorsHeaders => (Outcome::OwnOrigin, false, None),
        Edit::Grant(allowed) => (Outcome::Allowed, allowed.credentials, None),
        Edit::Full(edit) => match (&edit.allowed, &edit.denial) {
            (Some(allowed), _) => (Outcome::Allowed, allowed.credentials, None),
            (None, denial) => (Outcome::Forwarded, false, denial.as_ref()),
        },
    }
}

fn of_answer<'a>(answer: &'a Answer, rules: &Rules) -> (Outcome, bool, Option<&'a Denial>) {
    let answer = match answer {
        Answer::Prepared { .. } | Answer::Echo(_) => {
            return (Outcome::Allowed, rules.credentials, None);
        }
        Answer::RefusedPreflight => return (Outcome::Refused, false, None),
        Answer::Full(answer) => answer,
    };
    match &**answer {
        FullAnswer::Preflight {
            allowed, denial, ..
        } => {
            let outcome = if denial.is_some() {
                Outcome::AnsweredWithLess
            } else {
                Outcome::Allowed
            };
            (outcome, allowed.credentials, denial.as_ref())
        }
        FullAnswer::RefusedPreflight { denial } | FullAnswer::Refusal { denial, .. } => {
            (Outcome::Refused, false, Some(denial))
        }
    }
}
