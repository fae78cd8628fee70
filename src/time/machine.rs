use std::time::SystemTime;
#[cfg(any(feature = "metrics", feature = "tracing", feature = "trusted"))]
use std::time::{Duration, Instant};

use super::Clock;

/// The clock of the machine.
///
/// On `wasm32-unknown-unknown` it is JavaScript's `Date`, and needs the feature `js`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Measures how long ago it was started, by the machine's monotonic clock, which nobody can set.
#[cfg(any(feature = "metrics", feature = "tracing", feature = "trusted"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

#[cfg(any(feature = "metrics", feature = "tracing", feature = "trusted"))]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
