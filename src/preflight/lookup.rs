use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::origin::OriginSet;

/// What is known of the key in a URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// The origins that belong to the key.
    Known(OriginSet),
    /// Nobody has this key. The answer is the same as for an origin that does not belong to it.
    Unknown,
    /// Nobody can tell for now: the request is refused with 503, and a preflight with 403, as ever.
    Unavailable,
}

impl From<Option<OriginSet>> for Lookup {
    fn from(origins: Option<OriginSet>) -> Self {
        origins.map_or(Self::Unknown, Self::Known)
    }
}

/// What is known of the key in a URL, there already or on its way.
///
/// ```
/// use tower_cors::{OriginSet, preflight::{Lookup, LookupFuture}};
///
/// async fn query(project: String) -> Result<Option<OriginSet>, std::io::Error> {
///     Ok(OriginSet::parse(["https://example.com"]).ok().filter(|_| project == "7"))
/// }
///
/// let known = LookupFuture::from(Some(OriginSet::default()));
/// let queried = LookupFuture::new(async {
///     match query("7".to_owned()).await {
///         Ok(origins) => origins.into(),
///         Err(_) => Lookup::Unavailable,
///     }
/// });
/// ```
#[must_use = "a lookup does nothing unless it is waited for"]
pub struct LookupFuture {
    state: State,
}

enum State {
    Ready(Lookup),
    Waiting(Pin<Box<dyn Future<Output = Lookup> + Send>>),
}

impl LookupFuture {
    /// An answer that has to be waited for. The future must own what it needs.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = Lookup> + Send + 'static,
    {
        Self {
            state: State::Waiting(Box::pin(future)),
        }
    }

    pub(crate) fn into_ready(self) -> Result<Lookup, Self> {
        match self.state {
            State::Ready(lookup) => Ok(lookup),
            State::Waiting(_) => Err(self),
        }
    }
}

impl<L: Into<Lookup>> From<L> for LookupFuture {
    fn from(lookup: L) -> Self {
        Self {
            state: State::Ready(lookup.into()),
        }
    }
}

impl Future for LookupFuture {
    type Output = Lookup;

    /// A ready answer polled again is [`Lookup::Unavailable`].
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Lookup> {
        match &mut self.state {
            State::Ready(lookup) => Poll::Ready(std::mem::replace(lookup, Lookup::Unavailable)),
            State::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for LookupFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Ready(lookup) => f.debug_tuple("Ready").field(lookup).finish(),
            State::Waiting(_) => f.write_str("Waiting"),
        }
    }
}
