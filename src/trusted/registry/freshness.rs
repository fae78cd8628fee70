#[cfg(feature = "metrics")]
use std::sync::OnceLock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

#[cfg(feature = "metrics")]
use crate::observe::ConfirmedGauge;
use crate::time::{Clock, Stopwatch, SystemClock};

/// How long ago a registry was known to be what its source holds, and how long that may be.
///
/// Requests compare two numbers with a clock. So a registry turns stale by itself, also when the
/// task that should keep it fresh is gone.
///
/// Moments are durations since the registry was made.
#[derive(Debug)]
pub(crate) struct Freshness {
    timer: Timer,
    /// Milliseconds, one at least, or one of the marks.
    confirmed: AtomicU64,
    /// Milliseconds, or `UNLIMITED`.
    limit: AtomicU64,
    #[cfg(feature = "metrics")]
    gauge: OnceLock<ConfirmedGauge>,
}

const NEVER: u64 = 0;

/// The registry is its own source.
const ALWAYS: u64 = u64::MAX;

const UNLIMITED: u64 = u64::MAX;

impl Freshness {
    pub(crate) fn new(timer: Timer) -> Self {
        Self {
            timer,
            confirmed: AtomicU64::new(NEVER),
            limit: AtomicU64::new(UNLIMITED),
            #[cfg(feature = "metrics")]
            gauge: OnceLock::new(),
        }
    }

    /// Shows from now on when the registry was confirmed. The first gauge stays.
    #[cfg(feature = "metrics")]
    pub(crate) fn show_in(&self, gauge: impl FnOnce() -> ConfirmedGauge) {
        self.gauge.get_or_init(gauge);
        self.show();
    }

    fn show(&self) {
        #[cfg(feature = "metrics")]
        if let Some(gauge) = self.gauge.get() {
            match self.confirmed.load(Ordering::Relaxed) {
                NEVER => gauge.set(None),
                ALWAYS => gauge.set_for_ever(),
                confirmed => {
                    let age = Duration::from_millis(self.millis_since(confirmed));
                    gauge.set(self.time().checked_sub(age));
                }
            }
        }
    }

    /// Says that the registry was at this moment what its source held. An earlier confirmation
    /// does not undo a later one, and none undoes `ALWAYS`, which is greater than any time.
    pub(crate) fn confirm(&self, at: Duration) {
        self.confirmed.fetch_max(stamp(at), Ordering::Relaxed);
        self.show();
    }

    /// Says so for all time to come, until [`doubt`](Self::doubt).
    pub(crate) fn confirm_for_ever(&self) {
        self.confirmed.store(ALWAYS, Ordering::Relaxed);
        self.show();
    }

    /// Ends `confirm_for_ever`: the staleness counts from this moment. Where it counts already it
    /// goes on from where it was.
    pub(crate) fn doubt(&self, since: Duration) {
        let since = stamp(since);
        let _ =
            self.confirmed
                .compare_exchange(ALWAYS, since, Ordering::Relaxed, Ordering::Relaxed);
        self.show();
    }

    pub(crate) fn set_limit(&self, limit: Option<Duration>) {
        let limit = limit.map_or(UNLIMITED, millis);
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// How long ago the confirmation may be; `None` if that does not matter.
    pub(crate) fn limit(&self) -> Option<Duration> {
        match self.limit.load(Ordering::Relaxed) {
            UNLIMITED => None,
            limit => Some(Duration::from_millis(limit)),
        }
    }

    pub(crate) fn staleness(&self) -> Option<Duration> {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => None,
            ALWAYS => Some(Duration::ZERO),
            confirmed => Some(Duration::from_millis(self.millis_since(confirmed))),
        }
    }

    pub(crate) fn is_usable(&self) -> bool {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => false,
            ALWAYS => true,
            confirmed => self
                .limit()
                .is_none_or(|limit| Duration::from_millis(self.millis_since(confirmed)) <= limit),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.timer.elapsed()
    }

    /// The time of day.
    pub(crate) fn time(&self) -> SystemTime {
        self.timer.time()
    }

    fn millis_since(&self, confirmed: u64) -> u64 {
        stamp(self.now()).saturating_sub(confirmed)
    }
}

/// What time is measured with.
#[derive(Debug)]
pub(crate) enum Timer {
    /// The machine's own clocks: the monotonic one, which nobody can set, where it has one.
    Monotonic(Stopwatch),
    /// A clock that the application has given, and what it said at the beginning.
    Given(Arc<dyn Clock>, SystemTime),
}

impl Timer {
    pub(crate) fn monotonic() -> Self {
        Self::Monotonic(Stopwatch::start())
    }

    pub(crate) fn given(clock: Arc<dyn Clock>) -> Self {
        let base = clock.now();
        Self::Given(clock, base)
    }

    fn elapsed(&self) -> Duration {
        match self {
            Self::Monotonic(started) => started.elapsed(),
            Self::Given(clock, base) => clock.now().duration_since(*base).unwrap_or_default(),
        }
    }

    fn time(&self) -> SystemTime {
        match self {
            Self::Monotonic(_) => SystemClock.now(),
            Self::Given(clock, _) => clock.now(),
        }
    }
}

/// Zero and the greatest number are marks.
fn stamp(at: Duration) -> u64 {
    millis(at).max(1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1)
}
