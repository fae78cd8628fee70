//! Lookups that are under way, and the answers of those that have just come to an end.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, SystemTime},
};

use super::lookup::{Lookup, LookupFuture};
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
    /// Those that nobody waits for any more are removed when there is no room for another.
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
        {
            let entries = self.lock();
            if let Some(answer) = entries.answers.get(key)
                && (answer.since..answer.until).contains(&now)
            {
                self.count(true);
                return answer.lookup.clone().into();
            }
            if let Some(flight) = entries.flights.get(key).and_then(Weak::upgrade) {
                self.count(false);
                return LookupFuture::new(Waiting(flight));
            }
        }
        // Without the lock: this is the application's code. An answer that is there already costs
        // its store nothing, so it is neither remembered nor counted among those under way.
        let lookup = match look_up().into_ready() {
            Ok(lookup) => return lookup.into(),
            Err(lookup) => lookup,
        };
        self.count(false);
        match self.begin(key, lookup) {
            Some(flight) => LookupFuture::new(Waiting(flight)),
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
        // Somebody else may have begun since the lock was given up. This lookup has done nothing
        // yet, and is dropped.
        if let Some(flight) = entries.flights.get(key).and_then(Weak::upgrade) {
            return Some(flight);
        }
        if entries.flights.len() >= self.max_outstanding {
            entries
                .flights
                .retain(|_, flight| flight.strong_count() > 0);
            if entries.flights.len() >= self.max_outstanding {
                return None;
            }
        }
        let key: Arc<str> = key.into();
        let flight = Arc::new(Flight {
            cache: Arc::clone(self),
            key: Arc::clone(&key),
            state: Mutex::new(State::Running(lookup)),
            waiting: Arc::default(),
        });
        entries.flights.insert(key, Arc::downgrade(&flight));
        Some(flight)
    }

    fn finish(&self, key: &Arc<str>, lookup: &Lookup) {
        let now = self.clock.now();
        let ttl = match lookup {
            Lookup::Unavailable => self.ttl.min(UNAVAILABLE_TTL),
            _ => self.ttl,
        };
        let mut entries = self.lock();
        entries.flights.remove(key);
        if ttl.is_zero() {
            return;
        }
        let answer = Answer {
            lookup: lookup.clone(),
            since: now,
            until: now.checked_add(ttl).unwrap_or(now),
        };
        if entries.answers.insert(Arc::clone(key), answer).is_none() {
            entries.order.push_back(Arc::clone(key));
        }
        while entries.order.len() > MAX_ANSWERS
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.answers.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        lock(&self.entries)
    }
}

/// One lookup that any number of requests wait for. The waiting requests drive it, so that no
/// runtime is needed; when all of them have gone, it ends with them.
struct Flight {
    cache: Arc<LookupCache>,
    key: Arc<str>,
    state: Mutex<State>,
    waiting: Arc<Wakers>,
}

enum State {
    Running(LookupFuture),
    Done(Lookup),
}

struct Waiting(Arc<Flight>);

impl Future for Waiting {
    type Output = Lookup;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Lookup> {
        let flight = &self.0;
        // Registered before the state is looked at. A task that finishes the lookup afterwards
        // wakes this one.
        flight.waiting.add(cx.waker());
        let mut state = lock(&flight.state);
        let lookup = match &mut *state {
            State::Done(lookup) => return Poll::Ready(lookup.clone()),
            State::Running(lookup) => lookup,
        };
        // The lookup wakes all who wait, since any of them may have to drive it on.
        let wake_all = Waker::from(Arc::clone(&flight.waiting));
        let mut wake_all = Context::from_waker(&wake_all);
        // A panic would reach all who wait, one after the other. The lookup is not polled again.
        let poll = AssertUnwindSafe(|| Pin::new(lookup).poll(&mut wake_all));
        let polled = catch_unwind(poll).unwrap_or(Poll::Ready(Lookup::Unavailable));
        if let Poll::Ready(lookup) = &polled {
            *state = State::Done(lookup.clone());
            drop(state);
            flight.cache.finish(&flight.key, lookup);
            flight.waiting.wake_by_ref();
        }
        polled
    }
}

#[derive(Default)]
struct Wakers(Mutex<Vec<Waker>>);

impl Wakers {
    fn add(&self, waker: &Waker) {
        let mut wakers = lock(&self.0);
        if !wakers.iter().any(|other| other.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut wakers = lock(&self.0);
        let woken = std::mem::take(&mut *wakers);
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }
}
