use std::{future::Future, io, sync::mpsc, thread, time::Duration};

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
            // The receiver is gone if the caller has dropped its future.
            let _ = done.send(work());
        });
    async move {
        spawned?;
        result
            .await
            .map_err(|_| io::Error::other("the work was given up"))
    }
}

/// The same with a limit, for work on something that may never answer, such as a network mount.
///
/// # Errors
///
/// As above, and when the work takes longer. It goes on then.
pub(crate) fn offload_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send {
    let (done, result) = mpsc::channel();
    let worked = thread::Builder::new()
        .name("trusted-origins".to_owned())
        .spawn(move || {
            // The receiver is gone if the caller has dropped its future.
            let _ = done.send(work());
        });
    // A second thread is the one timer that every runtime has.
    let waiting = offload(move || result.recv_timeout(limit));
    async move {
        worked?;
        waiting.await?.map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => io::Error::other(format!(
                "no answer within {limit:?}: read again whether the edit was made"
            )),
            mpsc::RecvTimeoutError::Disconnected => io::Error::other("the work was given up"),
        })
    }
}
