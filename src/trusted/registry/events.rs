use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use futures_util::Stream;

use crate::trusted::entry::{Actor, Status, TrustedOrigin, Version};

/// A change of a registry, and the version with which it came.
///
/// What is served has changed already when the event comes; it may have changed again since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginEvent {
    /// The store's version. It never is less than that of an earlier event.
    pub version: Version,
    /// What has changed.
    pub kind: OriginEventKind,
}

/// What has changed in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginEventKind {
    /// The registry was empty, and now holds what its source had.
    Loaded {
        /// How many entries there are.
        entries: usize,
    },
    /// There is a new entry.
    Created {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry has other content; its status may be another one, too.
    Replaced {
        /// The entry as it was.
        before: Arc<TrustedOrigin>,
        /// The entry as it is.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry counts again, and is the same otherwise.
    Activated {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry counts no more, and is the same otherwise.
    Deactivated {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry is gone, or its row has become no entry.
    Deleted {
        /// The entry as it was.
        entry: Arc<TrustedOrigin>,
        /// Who removed it, where the store tells.
        by: Option<Actor>,
    },
}

impl OriginEventKind {
    pub(crate) fn put(before: Option<Arc<TrustedOrigin>>, entry: Arc<TrustedOrigin>) -> Self {
        let Some(before) = before else {
            return Self::Created { entry };
        };
        let has_turned = before.status() != entry.status();
        let is_same_otherwise =
            before.draft().clone().with_status(entry.status()) == *entry.draft();
        match (has_turned && is_same_otherwise, entry.status()) {
            (true, Status::Active) => Self::Activated { entry },
            (true, Status::Inactive) => Self::Deactivated { entry },
            (false, _) => Self::Replaced { before, entry },
        }
    }
}

/// What a subscriber receives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a subscriber must treat the gap")]
pub enum Received {
    /// The next change.
    Event(OriginEvent),
    /// The subscriber was too slow: so many changes before the next one are lost to it. What the
    /// registry serves is not affected; read it anew where every change matters.
    Lagged(u64),
}

/// The changes of what a registry serves, each once and in order: see
/// [`OriginRegistry::subscribe`](crate::trusted::registry::OriginRegistry::subscribe).
///
/// A stream, which ends with the registry. At most `capacity` changes wait for their subscriber;
/// beyond that the oldest are dropped, and their number is received in their place.
pub struct Events {
    queue: Arc<Queue>,
}

impl Events {
    /// The next change, if there is one already.
    pub fn try_next(&mut self) -> Option<Received> {
        self.queue.lock().take()
    }
}

impl Stream for Events {
    type Item = Received;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        let mut state = self.queue.lock();
        match state.take() {
            Some(received) => Poll::Ready(Some(received)),
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<OriginEvent>,
    missed: u64,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Received> {
        match std::mem::take(&mut self.missed) {
            0 => self.waiting.pop_front().map(Received::Event),
            missed => Some(Received::Lagged(missed)),
        }
    }
}

/// Everybody who listens to a registry.
#[derive(Default)]
pub(crate) struct Subscribers {
    queues: Vec<Weak<Queue>>,
}

impl Subscribers {
    pub(crate) fn subscribe(&mut self, capacity: usize) -> Events {
        let queue = Arc::new(Queue {
            capacity: capacity.max(1),
            state: Mutex::default(),
        });
        self.queues.retain(|queue| queue.strong_count() > 0);
        self.queues.push(Arc::downgrade(&queue));
        Events { queue }
    }

    /// Queues the events, and returns who is to be woken: not under a lock that they may need.
    #[must_use]
    pub(crate) fn deliver(&mut self, events: Vec<OriginEvent>) -> Vec<Waker> {
        let mut wakers = Vec::new();
        if events.is_empty() {
            return wakers;
        }
        self.queues.retain(|queue| {
            let Some(queue) = queue.upgrade() else {
                return false;
            };
            let mut state = queue.lock();
            for event in &events {
                if state.waiting.len() == queue.capacity {
                    state.waiting.pop_front();
                    state.missed += 1;
                }
                state.waiting.push_back(event.clone());
            }
            wakers.extend(state.waker.take());
            true
        });
        wakers
    }

    pub(crate) fn has_any(&self) -> bool {
        !self.queues.is_empty()
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        for queue in self.queues.iter().filter_map(Weak::upgrade) {
            let mut state = queue.lock();
            state.is_closed = true;
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}
