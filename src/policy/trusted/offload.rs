use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
    thread,
};

use super::SourceError;

/// Does blocking work on a thread of its own, on whatever runtime the caller is.
pub(super) fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, SourceError>> + Send {
    let slot = Arc::new(Slot(Mutex::new(State {
        result: None,
        is_over: false,
        waker: None,
    })));
    let worker = Worker(Arc::clone(&slot));
    let spawned = thread::Builder::new()
        .name("trusted-origins".to_owned())
        .spawn(move || worker.finish(work()));
    let mut failed = spawned.err();
    poll_fn(move |cx| {
        if let Some(error) = failed.take() {
            return Poll::Ready(Err(SourceError::new(error)));
        }
        let mut state = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.result.take() {
            Some(result) => Poll::Ready(Ok(result)),
            None if state.is_over => Poll::Ready(Err(SourceError::new("the work was given up"))),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
}

struct Slot<T>(Mutex<State<T>>);

struct State<T> {
    result: Option<T>,
    is_over: bool,
    waker: Option<Waker>,
}

/// Wakes whoever waits, also when the work panics.
struct Worker<T>(Arc<Slot<T>>);

impl<T> Worker<T> {
    fn finish(self, result: T) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.result = Some(result);
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_over = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
