use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::verdict::Verdict;

/// A verdict, there already or on its way.
///
/// A ready verdict costs no allocation. One that has to be waited for is a boxed future.
///
/// ```
/// use tower_cors::{Denial, DenialKind, Grant, Verdict, VerdictFuture};
///
/// async fn look_up() -> Result<bool, std::io::Error> {
///     Ok(true)
/// }
///
/// let known = VerdictFuture::ready(Verdict::Allow(Grant::new()));
/// let looked_up = VerdictFuture::new(async {
///     match look_up().await {
///         Ok(true) => Verdict::Allow(Grant::new()),
///         Ok(false) => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
///         Err(_) => Verdict::Deny(Denial::new(DenialKind::Unavailable)),
///     }
/// });
/// ```
#[must_use = "a verdict does nothing unless it is waited for"]
pub struct VerdictFuture {
    state: State,
}

enum State {
    Ready(Verdict),
    Waiting(Pin<Box<dyn Future<Output = Verdict> + Send>>),
}

impl VerdictFuture {
    /// A verdict that is there.
    pub fn ready(verdict: impl Into<Verdict>) -> Self {
        Self {
            state: State::Ready(verdict.into()),
        }
    }

    /// A verdict that has to be waited for. The future must own what it needs.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = Verdict> + Send + 'static,
    {
        Self {
            state: State::Waiting(Box::pin(future)),
        }
    }

    /// The verdict, if it is there; else the future again.
    ///
    /// # Errors
    ///
    /// The future, when the verdict has to be waited for.
    pub fn into_ready(self) -> Result<Verdict, Self> {
        match self.state {
            State::Ready(verdict) => Ok(verdict),
            State::Waiting(_) => Err(self),
        }
    }
}

impl From<Verdict> for VerdictFuture {
    fn from(verdict: Verdict) -> Self {
        Self::ready(verdict)
    }
}

impl Future for VerdictFuture {
    type Output = Verdict;

    /// # Panics
    ///
    /// Never: a ready verdict polled again is [`Verdict::Abstain`], which denies.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        match &mut self.state {
            State::Ready(verdict) => Poll::Ready(std::mem::replace(verdict, Verdict::Abstain)),
            State::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for VerdictFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Ready(verdict) => f.debug_tuple("Ready").field(verdict).finish(),
            State::Waiting(_) => f.write_str("Waiting"),
        }
    }
}
