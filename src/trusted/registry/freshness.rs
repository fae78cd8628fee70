use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long ago a registry was known to be what its source holds, and how long that may be.
///
/// Requests compare two numbers with a clock. So a registry turns stale by itself, also when the
/// task that should keep it fresh is gone.
pub(crate) struct Freshness {
    base: Instant,
    /// Milliseconds after `base`, one at least, or one of the marks.
    confirmed: AtomicU64,
    /// Milliseconds, or `UNLIMITED`.
    limit: AtomicU64,
}

const NEVER: u64 = 0;

/// The registry is its own source.
const ALWAYS: u64 = u64::MAX;

const UNLIMITED: u64 = u64::MAX;

impl Freshness {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            confirmed: AtomicU64::new(NEVER),
            limit: AtomicU64::new(UNLIMITED),
        }
    }

    /// Says that the registry is what its source held then. `ALWAYS` is greater than any time.
    pub(crate) fn confirm(&self, then: Instant) {
        let then = millis(then.saturating_duration_since(self.base)).max(1);
        self.confirmed.fetch_max(then, Ordering::Relaxed);
    }

    pub(crate) fn confirm_for_ever(&self) {
        self.confirmed.store(ALWAYS, Ordering::Relaxed);
    }

    pub(crate) fn set_limit(&self, limit: Option<Duration>) {
        let limit = limit.map_or(UNLIMITED, millis);
        self.limit.store(limit, Ordering::Relaxed);
    }

    pub(crate) fn staleness(&self) -> Option<Duration> {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => None,
            ALWAYS => Some(Duration::ZERO),
            confirmed => Some(Duration::from_millis(self.now().saturating_sub(confirmed))),
        }
    }

    pub(crate) fn is_usable(&self) -> bool {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => false,
            ALWAYS => true,
            confirmed => match self.limit.load(Ordering::Relaxed) {
                UNLIMITED => true,
                limit => self.now().saturating_sub(confirmed) <= limit,
            },
        }
    }

    fn now(&self) -> u64 {
        millis(self.base.elapsed()).max(1)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(UNLIMITED - 1)
}
