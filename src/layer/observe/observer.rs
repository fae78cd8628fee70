use std::{
    fmt,
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
};

use super::{detour::Recorded, observation::Hook, shadow::Shadow};
use crate::{
    protocol::{Plan, Rules, see},
    request::Head,
};

/// Who looks on at the decisions of a layer.
pub(crate) struct Observer {
    pub(super) hook: Option<Hook>,
    pub(super) records: bool,
    pub(super) shadow: Option<Arc<Shadow>>,
}

impl Observer {
    /// Tells everybody of a plan. Breaks off with it, if its decision is to be recorded.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_at<'a>(
        &self,
        plan: Plan<'a>,
        head: &Head<'_>,
        rules: &Rules,
    ) -> ControlFlow<Recorded, Plan<'a>> {
        let decision = see(&plan, head, rules).decision(head);
        if let Some(hook) = &self.hook {
            hook(&decision);
        }
        if let Some(shadow) = &self.shadow {
            shadow.judge(&decision, head, rules.properties.caching().secret_path);
        }
        if self.records {
            Break(Recorded::new(plan, decision))
        } else {
            Continue(plan)
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("on_decision", &self.hook.is_some())
            .field("record_decisions", &self.records)
            .field("report_only", &self.shadow.is_some())
            .finish_non_exhaustive()
    }
}
