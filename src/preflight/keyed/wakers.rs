use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

use crate::lock::lock;

/// The wakers of those who wait for one lookup. Each of them has a place of its own, so that coming,
/// going and being woken cost the same however many others there are.
#[derive(Default)]
pub(crate) struct Wakers {
    registered: Mutex<Registered>,
    places: AtomicU64,
}

#[derive(Default)]
struct Registered {
    wakers: HashMap<u64, Waker>,
    has_woken: bool,
}

impl Wakers {
    /// A place for one who waits.
    pub(crate) fn take_place(&self) -> u64 {
        self.places.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts the waker at the place, until it is woken once.
    pub(crate) fn register(&self, place: u64, waker: &Waker) {
        // Wakers are the runtime's code: they are cloned and dropped without the lock.
        let waker = waker.clone();
        let replaced = lock(&self.registered).wakers.insert(place, waker);
        drop(replaced);
    }

    /// Removes the waker of one who has gone.
    pub(crate) fn forget(&self, place: u64) {
        let forgotten = lock(&self.registered).wakers.remove(&place);
        drop(forgotten);
    }

    /// Forgets that anybody was woken.
    pub(crate) fn watch(&self) {
        lock(&self.registered).has_woken = false;
    }

    /// Whether all were woken since [`watch`](Self::watch) was called.
    pub(crate) fn has_woken(&self) -> bool {
        lock(&self.registered).has_woken
    }
}

/// Wakes all who are registered.
impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let woken = {
            let mut registered = lock(&self.registered);
            registered.has_woken = true;
            std::mem::take(&mut registered.wakers)
        };
        woken.into_values().for_each(Waker::wake);
    }
}

/// A waker for tests, which counts how often it is called.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Counting(pub(crate) std::sync::atomic::AtomicUsize);

#[cfg(test)]
impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
