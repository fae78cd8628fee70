use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::policy::token::Clock;

/// How many questions may come to nothing: so many per second, and those of [`SAVED`] at once.
///
/// A question is paid for when it has come to nothing. So what is asked about good tokens is never
/// short, except while garbage takes all.
pub(super) struct Budget {
    clock: Arc<dyn Clock>,
    /// How long it takes to save up for one question.
    price: Duration,
    /// When all that was spent will have been saved up again (the generic cell rate algorithm).
    full_at: Mutex<SystemTime>,
}

/// How long is saved up for.
const SAVED: Duration = Duration::from_secs(10);

impl Budget {
    pub(super) fn new(per_second: u32, clock: Arc<dyn Clock>) -> Arc<Self> {
        let second = Duration::from_secs(1);
        Arc::new(Self {
            clock,
            price: second.checked_div(per_second).unwrap_or(second),
            full_at: Mutex::new(SystemTime::UNIX_EPOCH),
        })
    }

    pub(super) fn is_spent(&self, now: SystemTime) -> bool {
        let full_at = *self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = owed(full_at, now);
        owed + self.price > SAVED
    }

    /// A question, which costs its price unless it [pays](Question::pays).
    pub(super) fn question(self: &Arc<Self>) -> Question {
        Question(Some(Arc::clone(self)))
    }

    fn spend(&self, now: SystemTime) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever is under way when all is spent does not make it longer.
        let owed = SAVED.min(owed(*full_at, now) + self.price);
        *full_at = now + owed;
    }
}

/// More than can be owed was so before the clock was set back.
fn owed(full_at: SystemTime, now: SystemTime) -> Duration {
    let owed = full_at.duration_since(now).unwrap_or_default();
    match owed > SAVED {
        true => Duration::ZERO,
        false => owed,
    }
}

/// A question under way. One whose answer nobody waits for counts as one that came to nothing.
#[must_use = "a question that is dropped costs its price"]
pub(super) struct Question(Option<Arc<Budget>>);

impl Question {
    /// It was about a good token.
    pub(super) fn pays(mut self) {
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
    use crate::policy::token::SystemClock;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000) + Duration::from_millis(millis)
    }

    /// How many questions in a row may come to nothing.
    fn left(budget: &Budget, now: SystemTime) -> usize {
        let asked = (0..10_000).take_while(|_| {
            let may_ask = !budget.is_spent(now);
            budget.spend(now);
            may_ask
        });
        asked.count()
    }

    #[test]
    fn ten_seconds_are_saved_up() {
        let budget = Budget::new(20, Arc::new(SystemClock));
        for (now, expected) in [
            (at(0), 200),
            (at(0), 0),
            (at(49), 0),
            (at(99), 1),
            (at(1_100), 20),
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
    fn the_highest_rate_is_none() {
        let budget = Budget::new(u32::MAX, Arc::new(SystemClock));
        assert_eq!(left(&budget, at(0)), 10_000);
    }

    #[test]
    fn what_pays_costs_nothing() {
        let budget = Budget::new(1, Arc::new(SystemClock));
        for _ in 0..100 {
            budget.question().pays();
        }
        assert!(!budget.is_spent(SystemTime::now()));
        for _ in 0..10 {
            drop(budget.question());
        }
        assert!(budget.is_spent(SystemTime::now()));
    }
}
