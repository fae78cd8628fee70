use std::{
    collections::HashMap,
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{Shared, WeakShared},
};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future of which any number of callers wait for the one result.
pub(super) type Flight<T> = Shared<Boxed<T>>;

/// Work under way, at most once for each key and at most `limit` at a time.
///
/// Whoever waits drives the work. When all have gone away, so has the work: nothing here keeps it
/// alive, and no runtime is needed.
pub(super) struct Flights<K, T: Clone> {
    limit: usize,
    flights: Mutex<HashMap<K, WeakShared<Boxed<T>>>>,
}

impl<K, T> Flights<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            flights: Mutex::default(),
        })
    }

    /// Joins the work on `key`, or begins it; `None` when too much is under way.
    pub(super) fn join<F>(self: &Arc<Self>, key: K, begin: impl FnOnce() -> F) -> Option<Flight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = self.lock();
        // One that has ended can be here still, for the instant before its waiters remove it.
        let under_way = flights
            .get(&key)
            .and_then(WeakShared::upgrade)
            .filter(|flight| flight.peek().is_none());
        if under_way.is_some() {
            return under_way;
        }
        if flights.len() >= self.limit {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        if flights.len() >= self.limit {
            return None;
        }

        let work = begin();
        let all = Arc::clone(self);
        let flight = async move {
            let result = work.await;
            all.lock().remove(&key);
            result
        };
        let boxed: Boxed<T> = Box::pin(flight);
        let flight = boxed.shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        Some(flight)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, WeakShared<Boxed<T>>>> {
        // The map is whole between any two statements, so a panic elsewhere leaves it good.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T: Clone> fmt::Debug for Flights<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn callers_share_one_flight() {
        let flights = Flights::new(8);
        let begun = Arc::new(AtomicUsize::new(0));
        let begin = || {
            begun.fetch_add(1, Ordering::Relaxed);
            futures_util::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                std::task::Poll::Ready(7)
            })
        };
        let first = flights.join(1, begin).unwrap();
        let second = flights.join(1, begin).unwrap();
        let other = flights.join(2, begin).unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        assert_eq!(first.now_or_never(), Some(7));
        assert_eq!(second.now_or_never(), Some(7));
        assert_eq!(other.now_or_never(), Some(7));
        assert!(flights.lock().is_empty());

        assert_eq!(flights.join(1, begin).unwrap().now_or_never(), Some(7));
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn no_more_than_the_limit_is_under_way() {
        let flights = Flights::<_, ()>::new(2);
        let first = flights.join(1, pending).unwrap();
        let _second = flights.join(2, pending).unwrap();
        assert!(flights.join(3, pending).is_none());
        assert!(flights.join(1, pending).is_some(), "no new work");

        drop(first);
        assert!(
            flights.join(3, || ready(())).is_some(),
            "nobody waits for 1"
        );
    }
}
