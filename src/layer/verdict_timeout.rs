use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use crate::policy::{DenialKind, VerdictFuture};

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The longest time that a verdict may take, and the runtime's timer. The crate does not depend on
/// a runtime, so the application passes the timer in.
#[derive(Clone)]
pub(crate) struct VerdictTimeout {
    limit: Duration,
    sleep: Arc<dyn Fn(Duration) -> Sleep + Send + Sync>,
}

impl VerdictTimeout {
    pub(crate) fn new<F, T>(limit: Duration, sleep: F) -> Self
    where
        F: Fn(Duration) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        Self {
            limit,
            sleep: Arc::new(move |limit| Box::pin(sleep(limit))),
        }
    }

    /// The same verdict, or a denial if it does not arrive in time.
    pub(crate) fn limit(&self, mut verdict: VerdictFuture) -> VerdictFuture {
        let mut sleep = (self.sleep)(self.limit);
        let limit = self.limit;
        VerdictFuture::new(poll_fn(move |cx| {
            if let Poll::Ready(verdict) = Pin::new(&mut verdict).poll(cx) {
                return Poll::Ready(verdict);
            }
            sleep.as_mut().poll(cx).map(|()| {
                let reason = format!("no verdict within {limit:?}");
                DenialKind::VerdictTimeout.because(reason).into()
            })
        }))
    }
}

impl fmt::Debug for VerdictTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerdictTimeout").field(&self.limit).finish()
    }
}
