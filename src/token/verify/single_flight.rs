use std::{
    collections::HashMap,
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::Shared};

use crate::lock::lock;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future of which any number of callers wait for the one result.
pub(crate) type Flight<T> = Shared<Boxed<T>>;

/// Work under way, at most once for each key and at most `limit` at a time.
///
/// The callers that wait poll the work, so no runtime is needed. When the last of them goes away,
/// the work is kept for a while and the next caller continues it: clients that hang up cannot make
/// it start over. Abandoned work does not count against the limit: the oldest is dropped when its
/// place is needed.
pub(crate) struct SingleFlight<K, T: Clone> {
    limit: usize,
    kept: Duration,
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

impl<K, T> SingleFlight<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// At most `limit` flights, each kept for `kept` after it began once it is abandoned.
    pub(crate) fn new(limit: usize, kept: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            kept,
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
        (!begun.is_over(now, self.kept)).then(|| begun.flight.clone())
    }

    /// Whether callers wait for the work on `key`.
    #[cfg(feature = "jwt")]
    pub(crate) fn is_awaited(&self, key: K) -> bool {
        let under_way = self.lock();
        let begun = under_way.flights.get(&key);
        begun.is_some_and(|begun| !begun.is_abandoned())
    }

    /// Joins the work on `key`, or begins it. `None` when too much is under way, or when `begin`
    /// decides not to.
    pub(crate) fn join<F>(
        self: &Arc<Self>,
        key: K,
        now: SystemTime,
        begin: impl FnOnce() -> Option<F>,
    ) -> Option<Flight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(begun) = under_way.flights.get(&key)
            && !begun.is_over(now, self.kept)
        {
            return Some(begun.flight.clone());
        }
        let is_over = |_: &K, begun: &mut Begun<T>| begun.is_over(now, self.kept);
        let over: Vec<_> = under_way.flights.extract_if(is_over).collect();
        let is_full = under_way.flights.len() >= self.limit;
        let displaced = if is_full {
            under_way.take_oldest_abandoned()
        } else {
            None
        };
        let flight = if is_full && displaced.is_none() {
            None
        } else {
            begin().map(|work| self.begin(&mut under_way, key, now, work))
        };
        // Unlock first: these futures come from the application, and may call back when dropped or
        // polled.
        drop(under_way);
        drop(over);
        // The result may have arrived since the last poll: do not lose it.
        let _result = displaced.and_then(|begun| begun.flight.now_or_never());
        flight
    }

    /// Lets nobody else join the work on `key`, or on any key if there is none. Callers that wait
    /// already still get its result.
    pub(crate) fn abandon(&self, key: Option<K>) {
        let mut under_way = self.lock();
        let abandoned: Vec<_> = match key {
            Some(key) => under_way.flights.remove(&key).into_iter().collect(),
            None => under_way.flights.drain().map(|(_, begun)| begun).collect(),
        };
        drop(under_way);
        drop(abandoned);
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
        // A weak reference, because the map holds this future: a strong one would be a cycle.
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

    /// Removes finished work, unless the key belongs to newer work by now.
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
        lock(&self.under_way)
    }
}

impl<K: Copy + Eq + Hash, T: Clone> UnderWay<K, T> {
    fn take_oldest_abandoned(&mut self) -> Option<Begun<T>> {
        let abandoned = self
            .flights
            .iter()
            .filter(|(_, begun)| begun.is_abandoned());
        let (&key, _) = abandoned.min_by_key(|(_, begun)| begun.number)?;
        self.flights.remove(&key)
    }
}

impl<T: Clone> Begun<T> {
    /// Whether nobody waits.
    fn is_abandoned(&self) -> bool {
        self.flight.strong_count().is_none_or(|count| count <= 1)
    }

    /// Whether it is abandoned for so long that nobody may continue it.
    fn is_over(&self, now: SystemTime, kept: Duration) -> bool {
        // A start in the future means that the clock was set back: the age is unknown.
        let age = now.duration_since(self.at);
        self.is_abandoned() && !age.is_ok_and(|age| age < kept)
    }
}

impl<K, T: Clone> fmt::Debug for SingleFlight<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
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

    const KEPT: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn len<K, T: Clone>(flights: &SingleFlight<K, T>) -> usize {
        flights.under_way.lock().unwrap().flights.len()
    }

    #[test]
    fn callers_share_one_flight() {
        let flights = SingleFlight::new(8, KEPT);
        let begun = Arc::new(AtomicUsize::new(0));
        let begin = || {
            begun.fetch_add(1, Ordering::Relaxed);
            Some(ready(7))
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
    fn a_caller_that_waits_keeps_the_place() {
        let flights = SingleFlight::<_, ()>::new(2, KEPT);
        let first = flights.join(1, at(0), || Some(pending())).unwrap();
        let _second = flights.join(2, at(0), || Some(pending())).unwrap();
        assert!(flights.join(3, at(99), || Some(pending())).is_none());
        assert!(
            flights.join(1, at(99), || Some(pending())).is_some(),
            "no new work"
        );

        drop(first);
        assert!(flights.join(3, at(1), || Some(ready(()))).is_some());
        assert!(flights.find(1, at(1)).is_none(), "it gave way");
    }

    #[test]
    fn nothing_begins_that_must_not() {
        let flights = SingleFlight::<_, ()>::new(1, KEPT);
        let nothing = || None::<std::future::Ready<()>>;
        assert!(flights.join(1, at(0), nothing).is_none());
        let flight = flights.join(1, at(0), || Some(pending())).unwrap();
        assert!(flights.join(1, at(0), nothing).is_some(), "it is joined");
        drop(flight);
    }

    #[test]
    fn abandoned_work_is_continued_for_a_while() {
        let flights = SingleFlight::<_, ()>::new(8, KEPT);
        for (abandoned_at, now, is_there) in [
            (at(10), at(10), true),
            (at(10), at(14), true),
            (at(10), at(15), false),
            (at(10), at(9), false),
        ] {
            drop(flights.join(1, abandoned_at, || Some(pending())).unwrap());
            assert_eq!(flights.find(1, now).is_some(), is_there, "{now:?}");
            flights.abandon(Some(1));
        }
        // Beginning a flight removes expired ones.
        drop(flights.join(1, at(10), || Some(pending())));
        drop(flights.join(2, at(14), || Some(pending())));
        drop(flights.join(3, at(15), || Some(pending())));
        assert_eq!(len(&flights), 2);
        flights.abandon(None);
        assert_eq!(len(&flights), 0);
    }

    #[test]
    fn the_oldest_that_is_abandoned_gives_way_and_its_result_is_not_lost() {
        let flights = SingleFlight::new(2, KEPT);
        let ended = Arc::new(AtomicUsize::new(0));
        let work = || {
            let ended = Arc::clone(&ended);
            let mut polls = 0;
            Some(poll_fn(move |_| {
                polls += 1;
                if polls < 2 {
                    return Poll::Pending;
                }
                ended.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(())
            }))
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
        let flights = SingleFlight::new(8, KEPT);
        let first = flights.join(1, at(0), || Some(ready(1))).unwrap();
        flights.abandon(Some(1));
        let second = flights.join(1, at(0), || Some(ready(2))).unwrap();
        assert_eq!(first.now_or_never(), Some(1));
        assert_eq!(len(&flights), 1);
        assert_eq!(second.now_or_never(), Some(2));
        assert_eq!(len(&flights), 0);
    }

    #[test]
    fn abandoned_work_goes_with_the_flights() {
        let flights = SingleFlight::new(8, KEPT);
        let held = Arc::new(());
        let work = Arc::clone(&held);
        drop(flights.join(1, at(0), || {
            Some(async move {
                let _held = work;
                pending::<()>().await;
            })
        }));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(flights);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
