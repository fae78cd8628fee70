use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Wake, Waker},
    thread::{self, ThreadId},
};

use super::{
    lookup::{Lookup, LookupFuture},
    lookup_cache::LookupCache,
    wakers::Wakers,
};
use crate::lock::lock;

/// One lookup that any number of requests wait for. The waiting requests drive it, so that no
/// runtime is needed; when all of them have gone, it ends with them.
pub(crate) struct Flight {
    cache: Arc<LookupCache>,
    key: Arc<str>,
    state: Mutex<State>,
    wakers: Arc<Wakers>,
}

enum State {
    Idle(LookupFuture),
    /// The lookup is being polled by this thread, without the lock: it is the application's code.
    Polled(ThreadId),
    Done(Lookup),
}

impl Flight {
    pub(crate) fn new(cache: Arc<LookupCache>, key: Arc<str>, lookup: LookupFuture) -> Arc<Self> {
        Arc::new(Self {
            cache,
            key,
            state: Mutex::new(State::Idle(lookup)),
            wakers: Arc::default(),
        })
    }

    /// Waits for the answer.
    pub(crate) fn join(self: Arc<Self>) -> LookupFuture {
        let place = self.wakers.take_place();
        LookupFuture::new(Waiting {
            flight: self,
            place,
        })
    }

    /// Polls the lookup, which is not in the state meanwhile.
    fn drive(&self, mut lookup: LookupFuture) -> Poll<Lookup> {
        self.wakers.watch();
        // The lookup wakes all who wait, since any of them may have to drive it on.
        let wake_all = Waker::from(Arc::clone(&self.wakers));
        let poll = AssertUnwindSafe(move || {
            let polled = Pin::new(&mut lookup).poll(&mut Context::from_waker(&wake_all));
            match polled {
                Poll::Ready(answer) => Ok(answer),
                Poll::Pending => Err(lookup),
            }
        });
        // A panic would reach all who wait, one after the other. The lookup is not polled again.
        match catch_unwind(poll).unwrap_or(Ok(Lookup::Unavailable)) {
            Ok(answer) => {
                *self.state() = State::Done(answer.clone());
                self.cache.finish(&self.key, &answer);
                self.wakers.wake_by_ref();
                Poll::Ready(answer)
            }
            Err(lookup) => {
                *self.state() = State::Idle(lookup);
                // Those who were woken during the poll have found the lookup being polled, and wait
                // again. This request may go away before it drives the lookup on, so they must.
                if self.wakers.has_woken() {
                    self.wakers.wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// When nobody waits any more, the place of the lookup is free at once.
impl Drop for Flight {
    fn drop(&mut self) {
        self.cache.forget_flight(&self.key, self);
    }
}

/// A request that waits for the lookup.
struct Waiting {
    flight: Arc<Flight>,
    place: u64,
}

impl Future for Waiting {
    type Output = Lookup;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Lookup> {
        let flight = &self.flight;
        // Registered before the state is looked at. Whoever polls the lookup now, or finishes it
        // afterwards, wakes this request.
        flight.wakers.register(self.place, cx.waker());
        let here = thread::current().id();
        let mut state = flight.state();
        match std::mem::replace(&mut *state, State::Polled(here)) {
            State::Idle(lookup) => {
                drop(state);
                flight.drive(lookup)
            }
            State::Done(answer) => {
                *state = State::Done(answer.clone());
                Poll::Ready(answer)
            }
            // The lookup waits for itself, which would be for ever. To itself, it is unavailable.
            State::Polled(thread) if thread == here => Poll::Ready(Lookup::Unavailable),
            State::Polled(thread) => {
                *state = State::Polled(thread);
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.flight.wakers.forget(self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        sync::atomic::Ordering,
    };

    use super::{super::wakers::Counting, *};

    /// Those who wait are woken once for each wake of the lookup, and not by every later poll.
    #[test]
    fn a_wake_before_a_poll_wakes_nobody_again() {
        let cache = Arc::new(LookupCache::new());
        let lookup: Arc<Mutex<Option<Waker>>> = Arc::default();
        let stored = Arc::clone(&lookup);
        let look_up = move |cx: &mut Context<'_>| {
            *stored.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        };
        let mut waiting = cache.get("a", || LookupFuture::new(poll_fn(look_up)));
        let counting = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&counting));
        let mut cx = Context::from_waker(&waker);
        for polls in 0..3 {
            assert!(Pin::new(&mut waiting).poll(&mut cx).is_pending());
            assert_eq!(counting.0.load(Ordering::Relaxed), polls);
            lookup.lock().unwrap().as_ref().unwrap().wake_by_ref();
            assert_eq!(counting.0.load(Ordering::Relaxed), polls + 1);
        }
    }

    /// A request that found the lookup being polled drives it on when the one that polled it goes.
    #[test]
    fn a_wake_during_a_poll_is_not_lost() {
        let cache = Arc::new(LookupCache::new());
        let second: Arc<Mutex<Option<LookupFuture>>> = Arc::default();
        let counting = Arc::new(Counting::default());
        let poll_second = {
            let (second, waker) = (Arc::clone(&second), Waker::from(Arc::clone(&counting)));
            move || {
                let mut second = second.lock().unwrap();
                Pin::new(second.as_mut().unwrap()).poll(&mut Context::from_waker(&waker))
            }
        };
        let look_up = {
            let (poll_second, mut polls) = (poll_second.clone(), 0);
            move |cx: &mut Context<'_>| {
                polls += 1;
                if polls > 1 {
                    return Poll::Ready(Lookup::Unknown);
                }
                cx.waker().wake_by_ref();
                let polled = thread::scope(|scope| scope.spawn(&poll_second).join().unwrap());
                assert!(polled.is_pending());
                Poll::Pending
            }
        };
        let mut first = cache.get("a", || LookupFuture::new(poll_fn(look_up)));
        *second.lock().unwrap() = Some(cache.get("a", || LookupFuture::new(pending())));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
        drop(first);
        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
        assert!(matches!(poll_second(), Poll::Ready(Lookup::Unknown)));
    }
}
