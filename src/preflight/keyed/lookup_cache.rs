//! Lookups that are under way, and the answers of those that have just come to an end.

use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::{Duration, SystemTime},
};

use super::{
    flight::Flight,
    lookup::{Lookup, LookupFuture},
};
#[cfg(feature = "metrics")]
use crate::observe::CacheCounters;
use crate::{
    lock::lock,
    time::{Clock, SystemClock},
};

/// Asks about a key once, however many requests wait for the answer, and remembers it for a moment.
///
/// Anybody can send preflights, so the store behind must not see each of them.
pub(crate) struct LookupCache {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ttl: Duration,
    /// How many lookups may be under way.
    pub(crate) max_outstanding: usize,
    pub(crate) entries: Mutex<Entries>,
    #[cfg(feature = "metrics")]
    pub(crate) counters: Option<CacheCounters>,
}

#[derive(Default)]
pub(crate) struct Entries {
    answers: HashMap<Arc<str>, Answer>,
    /// The keys of `answers`, the oldest answer first.
    order: VecDeque<Arc<str>>,
    /// Only those that somebody waits for: see the `Drop` of [`Flight`].
    flights: HashMap<Arc<str>, Weak<Flight>>,
}

struct Answer {
    lookup: Lookup,
    since: SystemTime,
    until: SystemTime,
}

/// How long an unavailable answer is cached, at most, so that a store which recovers is noticed.
const UNAVAILABLE_TTL: Duration = Duration::from_secs(1);

/// How many answers are remembered. A key has at most 256 bytes, and the lists are shared.
pub(crate) const MAX_ANSWERS: usize = 4096;

impl LookupCache {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ttl: Duration::from_secs(5),
            max_outstanding: 256,
            entries: Mutex::default(),
            #[cfg(feature = "metrics")]
            counters: None,
        }
    }

    /// The same settings without any answers.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            ttl: self.ttl,
            max_outstanding: self.max_outstanding,
            entries: Mutex::default(),
            #[cfg(feature = "metrics")]
            counters: self.counters.clone(),
        }
    }

    /// The cached answer for the key, or else the answer of `look_up`.
    pub(crate) fn get(
        self: &Arc<Self>,
        key: &str,
        look_up: impl FnOnce() -> LookupFuture,
    ) -> LookupFuture {
        let now = self.clock.now();
        let under_way = {
            let entries = self.lock();
            if let Some(answer) = entries.answers.get(key)
                && (answer.since..answer.until).contains(&now)
            {
                self.count(true);
                return answer.lookup.clone().into();
            }
            match entries.flights.get(key).and_then(Weak::upgrade) {
                // Before the application is asked: its function may begin the work at once.
                None if entries.is_full(self.max_outstanding) => {
                    self.count(false);
                    return Lookup::Unavailable.into();
                }
                under_way => under_way,
            }
        };
        if let Some(flight) = under_way {
            self.count(false);
            return flight.join();
        }
        // Without the lock: this is the application's code. An answer that is there already costs
        // its store nothing, so it is neither remembered nor counted among those under way.
        let lookup = match catch_unwind(AssertUnwindSafe(|| look_up().into_ready())) {
            Ok(Ok(lookup)) => return lookup.into(),
            Ok(Err(lookup)) => lookup,
            Err(_) => {
                if let Some(answer) = self.answer(&Lookup::Unavailable) {
                    self.lock().remember(key.into(), answer);
                }
                return Lookup::Unavailable.into();
            }
        };
        self.count(false);
        match self.begin(key, lookup) {
            Some(flight) => flight.join(),
            None => Lookup::Unavailable.into(),
        }
    }

    /// Counts what has to be waited for, or was remembered so that it has not.
    fn count(&self, is_hit: bool) {
        #[cfg(feature = "metrics")]
        if let Some(counters) = &self.counters {
            counters.count(is_hit);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = is_hit;
    }

    /// Begins the lookup, or joins the one of this key; `None` if too many are under way. Anybody can
    /// make up keys, and each costs the store a question.
    fn begin(self: &Arc<Self>, key: &str, lookup: LookupFuture) -> Option<Arc<Flight>> {
        let mut entries = self.lock();
        // Others may have begun since the lock was given up. Then this lookup is dropped.
        if let Some(flight) = entries.flights.get(key).and_then(Weak::upgrade) {
            return Some(flight);
        }
        if entries.is_full(self.max_outstanding) {
            return None;
        }
        let key: Arc<str> = key.into();
        let flight = Flight::new(Arc::clone(self), Arc::clone(&key), lookup);
        entries.flights.insert(key, Arc::downgrade(&flight));
        Some(flight)
    }

    /// Remembers the answer of a lookup that was under way.
    pub(crate) fn finish(&self, key: &Arc<str>, lookup: &Lookup) {
        let answer = self.answer(lookup);
        let mut entries = self.lock();
        entries.flights.remove(key);
        if let Some(answer) = answer {
            entries.remember(Arc::clone(key), answer);
        }
    }

    /// What is remembered of the lookup, if anything is. The clock is the application's code, so
    /// this is called without the lock.
    fn answer(&self, lookup: &Lookup) -> Option<Answer> {
        let ttl = match lookup {
            Lookup::Unavailable => self.ttl.min(UNAVAILABLE_TTL),
            _ => self.ttl,
        };
        let since = self.clock.now();
        (!ttl.is_zero()).then(|| Answer {
            lookup: lookup.clone(),
            since,
            until: since.checked_add(ttl).unwrap_or(since),
        })
    }

    /// Frees the place of a lookup that nobody waits for any more.
    pub(crate) fn forget_flight(&self, key: &str, flight: &Flight) {
        let mut entries = self.lock();
        // The key may be looked up anew by now.
        let is_this = |other: &Weak<Flight>| std::ptr::eq(other.as_ptr(), flight);
        if entries.flights.get(key).is_some_and(is_this) {
            entries.flights.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        lock(&self.entries)
    }
}

impl Entries {
    fn is_full(&self, max_outstanding: usize) -> bool {
        self.flights.len() >= max_outstanding
    }

    fn remember(&mut self, key: Arc<str>, answer: Answer) {
        if self.answers.insert(Arc::clone(&key), answer).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_ANSWERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, pending, poll_fn},
        pin::Pin,
        task::{Context, Poll, Waker},
    };

    use super::{super::wakers::Counting, *};

    fn pending_lookup() -> LookupFuture {
        LookupFuture::new(pending())
    }

    /// Otherwise each new key would have to search all others for a place, where all are taken.
    #[test]
    fn a_lookup_that_nobody_waits_for_leaves_its_place_at_once() {
        let cache = Arc::new(LookupCache::new());
        let flights = || cache.lock().flights.len();
        let first = cache.get("a", pending_lookup);
        let second = cache.get("a", pending_lookup);
        let other = cache.get("b", pending_lookup);
        assert_eq!(flights(), 2);
        drop((first, other));
        assert_eq!(flights(), 1);
        drop(second);
        assert_eq!(flights(), 0);
    }

    /// One that was begun anew keeps its place when an earlier one goes.
    #[test]
    fn an_old_lookup_does_not_take_the_place_of_a_new_one() {
        let cache = Arc::new(LookupCache {
            ttl: Duration::ZERO,
            ..LookupCache::new()
        });
        let mut cx = Context::from_waker(Waker::noop());
        let soon = || {
            let mut polls = 0;
            LookupFuture::new(poll_fn(move |_| {
                polls += 1;
                if polls < 2 {
                    Poll::Pending
                } else {
                    Poll::Ready(Lookup::Unknown)
                }
            }))
        };
        let mut first = cache.get("a", soon);
        let second = cache.get("a", soon);
        assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut first).poll(&mut cx).is_ready());
        let anew = cache.get("a", pending_lookup);
        drop((first, second));
        assert_eq!(cache.lock().flights.len(), 1);
        drop(anew);
        assert_eq!(cache.lock().flights.len(), 0);
    }

    /// Requests that are given up must not pile up behind a slow lookup.
    #[test]
    fn a_request_that_goes_takes_its_waker_along() {
        let cache = Arc::new(LookupCache::new());
        let mut first = cache.get("a", pending_lookup);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
        let counting = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&counting));
        for _ in 0..100 {
            let mut waiting = cache.get("a", pending_lookup);
            let mut cx = Context::from_waker(&waker);
            assert!(Pin::new(&mut waiting).poll(&mut cx).is_pending());
        }
        drop(waker);
        assert_eq!(Arc::strong_count(&counting), 1);
    }
}
