use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use crate::{lock::lock, time::Clock};

/// A rate limit (GCRA) on *failed* introspection requests: so many per second, and those of
/// [`BURST`] at once. Successful ones are free.
///
/// An attempt is charged when it has failed. Attempts under way when the budget runs out are charged
/// afterwards, and no others begin until they are paid for.
pub(crate) struct FailureBudget {
    clock: Arc<dyn Clock>,
    /// How long it takes to earn one failure.
    price: Duration,
    /// The most that can be owed: the burst, and every attempt that may be under way when it is
    /// spent.
    most: Duration,
    /// When everything owed will have been paid (the generic cell rate algorithm).
    full_at: Mutex<SystemTime>,
}

/// The time whose failures may all happen at once.
const BURST: Duration = Duration::from_secs(10);

impl FailureBudget {
    pub(crate) fn new(per_second: u32, max_outstanding: usize, clock: Arc<dyn Clock>) -> Arc<Self> {
        let second = Duration::from_secs(1);
        let price = second.checked_div(per_second).unwrap_or(second);
        let outstanding = u32::try_from(max_outstanding).unwrap_or(u32::MAX);
        Arc::new(Self {
            clock,
            price,
            most: BURST + price.saturating_mul(outstanding),
            full_at: Mutex::new(SystemTime::UNIX_EPOCH),
        })
    }

    pub(crate) fn is_spent(&self, now: SystemTime) -> bool {
        let full_at = *lock(&self.full_at);
        self.owed(full_at, now) + self.price > BURST
    }

    /// An attempt, which is charged unless it [succeeds](Attempt::succeeded).
    pub(crate) fn attempt(self: &Arc<Self>) -> Attempt {
        Attempt(Some(Arc::clone(self)))
    }

    fn spend(&self, now: SystemTime) {
        let mut full_at = lock(&self.full_at);
        let owed = self.owed(*full_at, now) + self.price;
        *full_at = now + self.most.min(owed);
    }

    /// A debt larger than the largest means that the clock was set back: it is forgotten.
    fn owed(&self, full_at: SystemTime, now: SystemTime) -> Duration {
        let owed = full_at.duration_since(now).unwrap_or_default();
        if owed > self.most {
            Duration::ZERO
        } else {
            owed
        }
    }
}

/// An attempt under way. One that is dropped, because nobody waits for the answer, has failed.
#[must_use = "an attempt that is dropped is charged"]
pub(crate) struct Attempt(Option<Arc<FailureBudget>>);

impl Attempt {
    /// An attempt that is not charged, whatever comes of it.
    pub(crate) fn free() -> Self {
        Self(None)
    }

    /// Ends the attempt without a charge.
    pub(crate) fn succeeded(mut self) {
        self.0 = None;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(budget) = &self.0 {
            budget.spend(budget.clock.now());
        }
    }
}

impl fmt::Debug for FailureBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailureBudget")
            .field("price", &self.price)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000) + Duration::from_millis(millis)
    }

    /// A clock that stands still.
    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> SystemTime {
            at(0)
        }
    }

    fn budget(per_second: u32, max_outstanding: usize) -> Arc<FailureBudget> {
        FailureBudget::new(per_second, max_outstanding, Arc::new(Stopped))
    }

    /// How many questions in a row may come to nothing.
    fn left(budget: &FailureBudget, now: SystemTime) -> usize {
        let may_ask = |_: &_| !budget.is_spent(now);
        let asked = (0..10_000).take_while(may_ask);
        asked.inspect(|_| budget.spend(now)).count()
    }

    #[test]
    fn a_burst_is_ten_seconds() {
        let budget = budget(20, 1);
        for (now, expected) in [
            (at(0), 200),
            (at(0), 0),
            (at(49), 0),
            (at(99), 1),
            (at(1_100), 21),
            (at(6_100), 100),
            (at(99_000), 200),
            // Debts from before the clock was set back are forgotten.
            (at(50_000), 200),
            (at(51_000), 20),
        ] {
            assert_eq!(left(&budget, now), expected, "{now:?}");
        }
    }

    #[test]
    fn what_was_under_way_is_charged_afterwards() {
        let budget = budget(100, 64);
        assert_eq!(left(&budget, at(0)), 1_000);
        let mut ended = 0;
        for millis in (10..=60_000).step_by(10) {
            // As many as may be under way are asked before the first one ends.
            if !budget.is_spent(at(millis)) {
                (0..64).for_each(|_| budget.spend(at(millis)));
                ended += 64;
            }
        }
        assert!((5_900..=6_064).contains(&ended), "{ended}");
        // It is all saved up again, after that many more.
        assert_eq!(left(&budget, at(60_000 + 10_640)), 1_000);
    }

    #[test]
    fn no_more_is_owed_than_can_be() {
        let budget = budget(1, 2);
        (0..100).for_each(|_| budget.spend(at(0)));
        for (now, expected) in [(at(2_999), true), (at(3_000), false)] {
            assert_eq!(budget.is_spent(now), expected, "{now:?}");
        }
        for outstanding in [0, usize::MAX] {
            assert_eq!(left(&self::budget(1, outstanding), at(0)), 10);
        }
    }

    #[test]
    fn the_highest_rate_is_none() {
        assert_eq!(left(&budget(u32::MAX, 64), at(0)), 10_000);
    }

    #[test]
    fn success_is_free() {
        let budget = budget(1, 64);
        for _ in 0..100 {
            budget.attempt().succeeded();
        }
        for _ in 0..100 {
            drop(Attempt::free());
        }
        assert!(!budget.is_spent(at(0)));
        for _ in 0..10 {
            drop(budget.attempt());
        }
        assert!(budget.is_spent(at(0)));
    }
}
