//! The same as `threads`, where there is one thread: the work is done when it is first polled.

use std::{future::Future, io, time::Duration};

pub(crate) fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    async move { Ok(work()) }
}

/// Nothing can interrupt the only thread, so there is no limit. What would need one is a network
/// mount, and there are no files here either.
pub(crate) fn offload_within<T: Send + 'static>(
    _limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    offload(work)
}
