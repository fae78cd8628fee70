use std::{
    collections::HashMap,
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::Shared};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future of which any number of callers wait for the one result.
pub(crate) type Flight<T> = Shared<Boxed<T>>;

/// How long work is kept for which nobody waits: the time that an issuer has to answer by default.
const KEPT: Duration = Duration::from_secs(5);

/// Work under way, at most once for each key and at most `limit` at a time.
///
/// Whoever waits drives the work, and no runtime is needed. When all have gone away, it is kept for
/// a while: who asks next takes it up where it stopped, so that clients who hang up cannot make it
/// begin anew. They take no place from those who wait, either: what is left gives way, the oldest
/// first.
pub(crate) struct Flights<K, T: Clone> {
    limit: usize,
    under_way: Mutex<UnderWay<K, T>>,
}

struct UnderWay<K, T: Clone> {
    flights: HashMap<K, Begun<T>>,
    /// How many have been begun.
    count: u64,
}

struct Begun<T: Clone> {
    flight: Flight<T>,
    at: SystemTime,
    number: u64,
}

impl<K, T> Flights<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            under_way: Mutex::new(UnderWay {
                flights: HashMap::new(),
                count: 0,
            }),
        })
    }

    /// The work on `key`, if it is under way.
    pub(crate) fn find(&self, key: K, now: SystemTime) -> Option<Flight<T>> {
        let under_way = self.lock();
        let begun = under_way.flights.get(&key)?;
        (!begun.is_over(now)).then(|| begun.flight.clone())
    }

    /// Joins the work on `key`, or begins it; `None` when too much is under way.
    pub(crate) fn join<F>(
        self: &Arc<Self>,
        key: K,
        now: SystemTime,
        begin: impl FnOnce() -> F,
    ) -> Option<Flight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(begun) = under_way.flights.get(&key)
            && !begun.is_over(now)
        {
            return Some(begun.flight.clone());
        }
        let is_over = |_: &K, begun: &mut Begun<T>| begun.is_over(now);
        let over: Vec<_> = under_way.flights.extract_if(is_over).collect();
        let displaced = if under_way.flights.len() >= self.limit {
            Some(under_way.take_oldest_left()?)
        } else {
            None
        };
        let flight = self.begin(&mut under_way, key, now, begin());
        // What is dropped or polled is not ours, and may call us.
        drop(under_way);
        drop(over);
        // Its result may have come since somebody looked last.
        let _result = displaced.and_then(|begun| begun.flight.now_or_never());
        Some(flight)
    }

    /// Lets nobody else join the work on `key`, or on any without one.
    pub(crate) fn leave(&self, key: Option<K>) {
        let mut under_way = self.lock();
        let left: Vec<_> = match key {
            Some(key) => under_way.flights.remove(&key).into_iter().collect(),
            None => under_way.flights.drain().map(|(_, begun)| begun).collect(),
        };
        drop(under_way);
        drop(left);
    }

    fn begin<F>(
        self: &Arc<Self>,
        under_way: &mut UnderWay<K, T>,
        key: K,
        now: SystemTime,
        work: F,
    ) -> Flight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        under_way.count += 1;
        let number = under_way.count;
        // The flights hold this future.
        let all = Arc::downgrade(self);
        let work: Boxed<T> = Box::pin(async move {
            let result = work.await;
            if let Some(all) = all.upgrade() {
                all.finish(key, number);
            }
            result
        });
        let flight = work.shared();
        let begun = Begun {
            flight: flight.clone(),
            at: now,
            number,
        };
        under_way.flights.insert(key, begun);
        flight
    }

    /// The work may have been displaced, and begun anew.
    fn finish(&self, key: K, number: u64) {
        let mut under_way = self.lock();
        let is_ours = |begun: &Begun<T>| begun.number == number;
        if under_way.flights.get(&key).is_some_and(is_ours) {
            let finished = under_way.flights.remove(&key);
            drop(under_way);
            drop(finished);
        }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay<K, T>> {
        // The map is whole between any two statements, so a panic elsewhere leaves it good.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash, T: Clone> UnderWay<K, T> {
    fn take_oldest_left(&mut self) -> Option<Begun<T>> {
        let left = self.flights.iter().filter(|(_, begun)| begun.is_left());
        let (&key, _) = left.min_by_key(|(_, begun)| begun.number)?;
        self.flights.remove(&key)
    }
}

impl<T: Clone> Begun<T> {
    /// Whether nobody waits.
    fn is_left(&self) -> bool {
        self.flight.strong_count().is_none_or(|count| count <= 1)
    }

    /// Whether nobody waits, and nobody is to take it up any more.
    fn is_over(&self, now: SystemTime) -> bool {
        let age = now.duration_since(self.at);
        // One from the future is from before the clock was set back.
        self.is_left() && !age.is_ok_and(|age| age < KEPT)
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
        task::Poll,
    };

    use futures_util::future::poll_fn;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn len<K, T: Clone>(flights: &Flights<K, T>) -> usize {
        flights.under_way.lock().unwrap().flights.len()
    }

    #[test]
    fn callers_share_one_flight() {
        let flights = Flights::new(8);
        let begun = Arc::new(AtomicUsize::new(0));
        let begin = || {
            begun.fetch_add(1, Ordering::Relaxed);
            ready(7)
        };
        let first = flights.join(1, at(9), begin).unwrap();
        let second = flights.join(1, at(9), begin).unwrap();
        let other = flights.join(2, at(9), begin).unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        assert!(flights.find(1, at(9)).is_some());
        assert!(flights.find(3, at(9)).is_none());
        assert_eq!(first.now_or_never(), Some(7));
        assert_eq!(second.now_or_never(), Some(7));
        assert_eq!(other.now_or_never(), Some(7));
        assert_eq!(len(&flights), 0);

        let again = flights.join(1, at(9), begin).unwrap();
        assert_eq!(again.now_or_never(), Some(7));
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn who_waits_keeps_the_place() {
        let flights = Flights::<_, ()>::new(2);
        let first = flights.join(1, at(0), pending).unwrap();
        let _second = flights.join(2, at(0), pending).unwrap();
        assert!(flights.join(3, at(99), pending).is_none());
        assert!(flights.join(1, at(99), pending).is_some(), "no new work");

        drop(first);
        assert!(flights.join(3, at(1), || ready(())).is_some());
        assert!(flights.find(1, at(1)).is_none(), "it gave way");
    }

    #[test]
    fn what_is_left_is_taken_up_for_a_while() {
        let flights = Flights::<_, ()>::new(8);
        for (left_at, now, is_there) in [
            (at(10), at(10), true),
            (at(10), at(14), true),
            (at(10), at(15), false),
            (at(10), at(9), false),
        ] {
            drop(flights.join(1, left_at, pending).unwrap());
            assert_eq!(flights.find(1, now).is_some(), is_there, "{now:?}");
            flights.leave(Some(1));
        }
        // What is over goes when something begins.
        drop(flights.join(1, at(10), pending));
        drop(flights.join(2, at(14), pending));
        drop(flights.join(3, at(15), pending));
        assert_eq!(len(&flights), 2);
        flights.leave(None);
        assert_eq!(len(&flights), 0);
    }

    #[test]
    fn the_oldest_that_is_left_gives_way_and_its_result_is_not_lost() {
        let flights = Flights::new(2);
        let ended = Arc::new(AtomicUsize::new(0));
        let work = || {
            let ended = Arc::clone(&ended);
            let mut polls = 0;
            poll_fn(move |_| {
                polls += 1;
                if polls < 2 {
                    return Poll::Pending;
                }
                ended.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(())
            })
        };
        for key in 0..4 {
            let flight = flights.join(key, at(0), work).unwrap();
            assert!(flight.now_or_never().is_none());
            assert_eq!(len(&flights), 2.min(key + 1));
        }
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        assert!(flights.find(1, at(0)).is_none());
        assert!(flights.find(2, at(0)).is_some());
    }

    #[test]
    fn what_was_displaced_does_not_end_what_came_after_it() {
        let flights = Flights::new(8);
        let first = flights.join(1, at(0), || ready(1)).unwrap();
        flights.leave(Some(1));
        let second = flights.join(1, at(0), || ready(2)).unwrap();
        assert_eq!(first.now_or_never(), Some(1));
        assert_eq!(len(&flights), 1);
        assert_eq!(second.now_or_never(), Some(2));
        assert_eq!(len(&flights), 0);
    }

    #[test]
    fn what_is_left_goes_with_the_flights() {
        let flights = Flights::new(8);
        let held = Arc::new(());
        let work = Arc::clone(&held);
        drop(flights.join(1, at(0), || async move {
            let _held = work;
            pending::<()>().await;
        }));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(flights);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
