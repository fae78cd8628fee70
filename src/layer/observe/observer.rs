use std::{
    fmt,
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
};

use super::{detour::Recorded, observation::Hook, shadow::Shadow};
#[cfg(feature = "metrics")]
use crate::{observe::LayerMetrics, policy::Denial, time::Stopwatch};
use crate::{
    policy::VerdictFuture,
    protocol::{Plan, Rules, see},
    request::Head,
};

/// Who looks on at the decisions of a layer.
pub(crate) struct Observer {
    pub(super) hook: Option<Hook>,
    pub(super) records: bool,
    pub(super) shadow: Option<Arc<Shadow>>,
    #[cfg(feature = "metrics")]
    pub(super) metrics: Option<LayerMetrics>,
}

impl Observer {
    /// Tells everybody of a plan. Breaks off with it, if its decision is to be recorded.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_at(
        &self,
        plan: Plan,
        head: &Head<'_>,
        rules: &Rules,
    ) -> ControlFlow<Recorded, Plan> {
        let seen = see(&plan, head, rules);
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.count_request(seen.kind, seen.outcome, seen.denial.map(Denial::kind));
        }
        if self.hook.is_none() && self.shadow.is_none() && !self.records {
            return Continue(plan);
        }
        let decision = seen.decision(head);
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

    /// The same verdict. How long it takes is measured, if somebody wants to know.
    pub(crate) fn timed(&self, verdict: VerdictFuture) -> VerdictFuture {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            let (wait, since) = (metrics.verdict_wait.clone(), Stopwatch::start());
            return VerdictFuture::new(async move {
                let verdict = verdict.await;
                wait.record(since.elapsed());
                verdict
            });
        }
        verdict
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
