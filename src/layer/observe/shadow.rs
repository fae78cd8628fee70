//! A configuration that is judged beside the one in force, and never answered with.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use http::Request;

#[cfg(feature = "metrics")]
use crate::observe::LayerMetrics;
use crate::{
    error::ConfigErrors,
    layer::{Core, CorsLayer, InForce},
    observe::{Decision, Difference, Judgement},
    policy::{Verdict, VerdictFuture},
    request::Head,
};

/// A shadow as it is configured.
pub(crate) struct ShadowSettings {
    pub(crate) built: Result<CorsLayer, ConfigErrors>,
    pub(crate) spawn: Option<Spawn>,
    pub(crate) hook: Option<JudgementHook>,
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) type Spawn = Box<dyn Fn(Task) + Send + Sync>;

pub(crate) type JudgementHook = Box<dyn Fn(&Judgement) + Send + Sync>;

pub(crate) struct Shadow {
    in_force: Arc<InForce>,
    spawn: Option<Spawn>,
    hook: Option<JudgementHook>,
    /// How many judgements are waited for.
    under_way: AtomicUsize,
    #[cfg(feature = "tracing")]
    limiter: crate::layer::limiter::Limiter,
    #[cfg(feature = "metrics")]
    metrics: Option<LayerMetrics>,
}

/// The most judgements that are waited for at a time. Each holds a copy of its request's head, and a
/// policy that never answers would otherwise take up all memory.
const MAX_UNDER_WAY: usize = 256;

impl Shadow {
    pub(super) fn new(layer: CorsLayer, spawn: Option<Spawn>, hook: Option<JudgementHook>) -> Self {
        Self {
            in_force: layer.in_force,
            spawn,
            hook,
            under_way: AtomicUsize::new(0),
            #[cfg(feature = "tracing")]
            limiter: crate::layer::limiter::Limiter::new(),
            #[cfg(feature = "metrics")]
            metrics: None,
        }
    }

    /// The same with counters.
    #[cfg(feature = "metrics")]
    pub(super) fn counted(mut self, metrics: Option<LayerMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Judges the request, and tells what came of it. The answer has been decided, and nothing here
    /// changes it: what has to be waited for is waited for elsewhere, and a panic ends here.
    pub(super) fn judge(self: &Arc<Self>, decision: &Decision, head: &Head<'_>, hides_path: bool) {
        let core = self.in_force.core(head);
        let case = Case {
            decision: decision.clone(),
            hides_path: hides_path || core.hides_path(),
            core,
        };
        // Nothing but the shadow sees a state that its panic may have left half done.
        let judged = catch_unwind(AssertUnwindSafe(|| match case.core.foresee(head) {
            Ok(in_shadow) => Ok(Difference::judge(case.decision.clone(), in_shadow)),
            Err(verdict) => Err(verdict),
        }));
        match judged {
            Ok(Ok(judgement)) => self.tell(&judgement, Some((head, &case))),
            Ok(Err(verdict)) => self.wait(verdict, head, case),
            Err(_) => self.tell(&Judgement::Panicked, None),
        }
    }

    /// Has the verdict waited for in a task of its own.
    fn wait(self: &Arc<Self>, verdict: VerdictFuture, head: &Head<'_>, case: Case) {
        let place = Place::take(self);
        let Some(spawn) = self.spawn.as_ref().filter(|_| place.is_free) else {
            return;
        };
        let task = wait_and_tell(verdict, copy_of(head), case, place);
        if catch_unwind(AssertUnwindSafe(|| spawn(Box::pin(task)))).is_err() {
            self.tell(&Judgement::Panicked, None);
        }
    }

    fn tell(&self, judgement: &Judgement, about: Option<(&Head<'_>, &Case)>) {
        #[cfg(feature = "tracing")]
        if let (Judgement::Different(difference), Some((head, case))) = (judgement, about) {
            super::shadow_event::emit(difference, head, case.hides_path, &self.limiter);
        }
        #[cfg(not(feature = "tracing"))]
        let _ = about;
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.count_judgement(judgement);
        }
        if let Some(hook) = &self.hook {
            // Its panic has nobody to tell.
            let _ = catch_unwind(AssertUnwindSafe(|| hook(judgement)));
        }
    }
}

/// A request that is judged in shadow.
struct Case {
    core: Arc<Core>,
    decision: Decision,
    /// Whether events leave out the path.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(dead_code, reason = "without events, nothing has a path")
    )]
    hides_path: bool,
}

async fn wait_and_tell(verdict: VerdictFuture, request: Request<()>, case: Case, place: Place) {
    let verdict = caught(verdict).await;
    let head = Head::from(&request);
    let judgement = verdict.and_then(|verdict| {
        let judge = || case.core.foresee_with(head, verdict);
        let in_shadow = catch_unwind(AssertUnwindSafe(judge)).ok()?;
        Some(Difference::judge(case.decision.clone(), in_shadow))
    });
    place.tell(&judgement.unwrap_or(Judgement::Panicked), &head, &case);
}

/// The verdict, or `None` if the policy panics.
async fn caught(mut verdict: VerdictFuture) -> Option<Verdict> {
    poll_fn(|cx| {
        let poll = || Pin::new(&mut verdict).poll(cx);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// The head of a request, for a judgement that outlives it.
fn copy_of(head: &Head<'_>) -> Request<()> {
    let mut copy = Request::new(());
    *copy.method_mut() = head.method.clone();
    *copy.uri_mut() = head.uri.clone();
    *copy.version_mut() = head.version;
    *copy.headers_mut() = head.headers.clone();
    *copy.extensions_mut() = head.extensions.clone();
    copy
}

/// A place among the judgements that are waited for. It is given back when the task ends, also if
/// the runtime drops it.
struct Place {
    shadow: Arc<Shadow>,
    is_free: bool,
    is_told: bool,
}

impl Place {
    fn take(shadow: &Arc<Shadow>) -> Self {
        // Relaxed, because no other memory depends on this number.
        let taken = shadow.under_way.fetch_add(1, Ordering::Relaxed);
        Self {
            shadow: Arc::clone(shadow),
            is_free: taken < MAX_UNDER_WAY,
            is_told: false,
        }
    }

    fn tell(mut self, judgement: &Judgement, head: &Head<'_>, case: &Case) {
        self.is_told = true;
        self.shadow.tell(judgement, Some((head, case)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shadow.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.is_told {
            self.shadow.tell(&Judgement::Skipped, None);
        }
    }
}
