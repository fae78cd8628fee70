//! Work that takes long, on a thread of its own.

use std::{future::Future, io, thread};

use futures_channel::oneshot;

/// Runs blocking work on a new thread, so that it does not hold up the threads of the caller's
/// runtime, whichever runtime that is.
///
/// The work goes on when the returned future is dropped.
///
/// # Errors
///
/// When no thread can be started, or the work panics.
pub(crate) fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    let (done, result) = oneshot::channel();
    let spawned = thread::Builder::new()
        .name("trusted-origins".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = done.send(work());
        });
    async move {
        spawned?;
        result
            .await
            .map_err(|_| io::Error::other("the work was given up"))
    }
}
