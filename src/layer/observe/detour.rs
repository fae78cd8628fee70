use std::sync::Arc;

use crate::{
    observe::Decision,
    policy::{Attachment, VerdictFuture},
    protocol::{Answer, Edit, Plan},
};

/// A request that does not go the usual way.
#[derive(Debug)]
pub(crate) enum Detour {
    /// Its verdict has to be waited for.
    Wait(VerdictFuture),
    /// Its decision is to be recorded.
    Record(Recorded),
}

/// A plan, and the decision to leave in the extensions. It owns its header values, so that it need
/// not be carried out at once.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// The inner service answers.
    Forward(Edit, Option<Arc<dyn Attachment>>, Decision),
    /// The layer answers.
    Answer(Answer, Decision),
}

impl Recorded {
    pub(super) fn new(plan: Plan, decision: Decision) -> Self {
        match plan {
            Plan::Forward(edit, attachment) => Self::Forward(edit, attachment, decision),
            Plan::Answer(answer) => Self::Answer(answer, decision),
        }
    }
}
