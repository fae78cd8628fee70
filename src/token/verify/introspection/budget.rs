use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::time::Clock;

/// How many questions may come to nothing: so many per second, and those of [`SAVED`] at once.
///
/// A question is paid for when it has come to nothing. So what is asked about good tokens is never
/// short, except while garbage takes all. Those under way when the last of it is spent are paid for
/// afterwards, and no others are asked until then.
pub(crate) struct Budget {
    clock: Arc<dyn Clock>,
    /// How long it takes to save up for one question.
    price: Duration,
    /// The most that can be owed: what was saved, and all the questions that may be under way when
    /// it is spent.
    most: Duration,
    /// When all that was spent will have been saved up again (the generic cell rate algorithm).
    full_at: Mutex<SystemTime>,
}

/// How long is saved up for.
const SAVED: Duration = Duration::from_secs(10);

impl Budget {
    pub(crate) fn new(per_second: u32, max_outstanding: usize, clock: Arc<dyn Clock>) -> Arc<Self> {
        let second = Duration::from_secs(1);
        let price = second.checked_div(per_second).unwrap_or(second);
        let outstanding = u32::try_from(max_outstanding).unwrap_or(u32::MAX);
        Arc::new(Self {
            clock,
            price,
            most: SAVED + price.saturating_mul(outstanding),
            full_at: Mutex::new(SystemTime::UNIX_EPOCH),
        })
    }

    pub(crate) fn is_spent(&self, now: SystemTime) -> bool {
        let full_at = *self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.owed(full_at, now) + self.price > SAVED
    }

    /// A question, which costs its price unless it [pays](Question::pays).
    pub(crate) fn question(self: &Arc<Self>) -> Question {
        Question(Some(Arc::clone(self)))
    }

    fn spend(&self, now: SystemTime) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = self.owed(*full_at, now) + self.price;
        *full_at = now + self.most.min(owed);
    }

    /// More than can be owed was so before the clock was set back.
    fn owed(&self, full_at: SystemTime, now: SystemTime) -> Duration {
        let owed = full_at.duration_since(now).unwrap_or_default();
        if owed > self.most {
            Duration::ZERO
        } else {
            owed
        }
    }
}

/// A question under way. One whose answer nobody waits for counts as one that came to nothing.
#[must_use = "a question that is dropped costs its price"]
pub(crate) struct Question(Option<Arc<Budget>>);

impl Question {
    /// It was about a good token.
    pub(crate) fn pays(mut self) {
        self.0 = None;
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(budget) = &self.0 {
            budget.spend(budget.clock.now());
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
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

    /// It stands still.
    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> SystemTime {
            at(0)
        }
    }

    fn budget(per_second: u32, max_outstanding: usize) -> Arc<Budget> {
        Budget::new(per_second, max_outstanding, Arc::new(Stopped))
    }

    /// How many questions in a row may come to nothing.
    fn left(budget: &Budget, now: SystemTime) -> usize {
        let may_ask = |_: &_| !budget.is_spent(now);
        let asked = (0..10_000).take_while(may_ask);
        asked.inspect(|_| budget.spend(now)).count()
    }

    #[test]
    fn ten_seconds_are_saved_up() {
        let budget = budget(20, 1);
        for (now, expected) in [
            (at(0), 200),
            (at(0), 0),
            (at(49), 0),
            (at(99), 1),
            (at(1_100), 21),
            (at(6_100), 100),
            (at(99_000), 200),
            // What is owed from before the clock was set back is forgotten.
            (at(50_000), 200),
            (at(51_000), 20),
        ] {
            assert_eq!(left(&budget, now), expected, "{now:?}");
        }
    }

    #[test]
    fn what_was_under_way_when_all_was_spent_is_paid_for() {
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
    fn what_pays_costs_nothing() {
        let budget = budget(1, 64);
        for _ in 0..100 {
            budget.question().pays();
        }
        assert!(!budget.is_spent(at(0)));
        for _ in 0..10 {
            drop(budget.question());
        }
        assert!(budget.is_spent(at(0)));
    }
}
