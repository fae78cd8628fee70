use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    denial::{Denial, DenialKind},
    grant::Grant,
    verdict::Verdict,
};

/// A verdict that is ready, or a boxed future of one.
///
/// Grants, denials, kinds of denial and `bool` convert into one. A future must own everything that
/// it uses; with [`try_new`](MaybeReady::try_new) it can use `?`.
///
/// ```
/// use tower_cors::{Denial, DenialKind, Grant, Verdict, VerdictFuture};
///
/// async fn look_up() -> Result<bool, std::io::Error> {
///     Ok(true)
/// }
///
/// let allowed = VerdictFuture::from(Grant::new());
/// let denied = VerdictFuture::from(DenialKind::OriginNotAllowed);
/// let looked_up = VerdictFuture::try_new(async {
///     // If the source cannot tell, deny.
///     let is_customer = look_up()
///         .await
///         .map_err(|error| DenialKind::Unavailable.because(error.to_string()))?;
///     if is_customer {
///         Ok(Grant::new().into())
///     } else {
///         Err(DenialKind::OriginNotAllowed.into())
///     }
/// });
/// assert!(matches!(denied.into_ready(), Ok(Verdict::Deny(_))));
/// ```
pub type VerdictFuture = MaybeReady<Verdict>;

/// A value that is ready, or a boxed future of one. A ready value costs no allocation.
#[must_use = "a future does nothing unless it is waited for"]
pub struct MaybeReady<T> {
    state: State<T>,
}

enum State<T> {
    Ready(T),
    Waiting(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> MaybeReady<T> {
    /// A value that is ready.
    pub fn ready(value: impl Into<T>) -> Self {
        Self {
            state: State::Ready(value.into()),
        }
    }

    /// A value that has to be waited for. The future must own what it needs.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        Self {
            state: State::Waiting(Box::pin(future)),
        }
    }

    /// The value, if it is ready; else the future again.
    ///
    /// # Errors
    ///
    /// The future, when the value has to be waited for.
    pub fn into_ready(self) -> Result<T, Self> {
        match self.state {
            State::Ready(value) => Ok(value),
            State::Waiting(_) => Err(self),
        }
    }
}

impl VerdictFuture {
    /// A verdict that has to be waited for, from a future that can leave early with a denial. The
    /// future must own what it needs.
    pub fn try_new<F>(future: F) -> Self
    where
        F: Future<Output = Result<Verdict, Denial>> + Send + 'static,
    {
        Self::new(async move { future.await.unwrap_or_else(Verdict::Deny) })
    }
}

impl From<Verdict> for VerdictFuture {
    fn from(verdict: Verdict) -> Self {
        Self::ready(verdict)
    }
}

impl From<Grant> for VerdictFuture {
    fn from(grant: Grant) -> Self {
        Self::ready(grant)
    }
}

impl From<Denial> for VerdictFuture {
    fn from(denial: Denial) -> Self {
        Self::ready(denial)
    }
}

impl From<DenialKind> for VerdictFuture {
    fn from(kind: DenialKind) -> Self {
        Self::ready(kind)
    }
}

/// Allows on the layer's own terms, or denies the origin.
impl From<bool> for VerdictFuture {
    fn from(is_allowed: bool) -> Self {
        Self::ready(is_allowed)
    }
}

/// The value of a future that is polled again after it was ready, which the contract of futures
/// forbids. It must grant nothing. Most futures panic here; that would close the connection and its
/// other requests.
pub(crate) trait PolledAgain {
    fn polled_again() -> Self;
}

impl PolledAgain for Verdict {
    fn polled_again() -> Self {
        Self::Abstain
    }
}

impl<T: PolledAgain + Unpin> Future for MaybeReady<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.state {
            // Leaves a value behind that grants nothing: see `PolledAgain`.
            State::Ready(value) => Poll::Ready(std::mem::replace(value, T::polled_again())),
            State::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for MaybeReady<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Ready(value) => f.debug_tuple("Ready").field(value).finish(),
            State::Waiting(_) => f.write_str("Waiting"),
        }
    }
}
