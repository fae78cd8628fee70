use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::time::Clock;

/// A clock that a test moves. All clones are one clock.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::{test_util::ManualClock, time::Clock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// assert_eq!(clock.now(), before);
/// clock.advance(Duration::from_secs(600));
/// assert_eq!(clock.now(), before + Duration::from_secs(600));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at the same time in every run: noon of the 1st of January 2026, UTC.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_767_268_800_000)))
    }

    /// Moves the clock on, by whole milliseconds.
    pub fn advance(&self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
