//! The same as `machine`, where the standard library has no clock and panics when it is asked.

use std::time::{Duration, SystemTime};

use super::Clock;

/// The clock of JavaScript, `Date`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        // Whole milliseconds since 1970, as a float. One that is negative becomes 0.
        SystemTime::UNIX_EPOCH + Duration::from_millis(js_sys::Date::now() as u64)
    }
}

/// Measures how long ago it was started. Where the clock is set back, that looks shorter than it is.
#[cfg(any(feature = "metrics", feature = "tracing", feature = "trusted"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(SystemTime);

#[cfg(any(feature = "metrics", feature = "tracing", feature = "trusted"))]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(SystemClock.now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        SystemClock.now().duration_since(self.0).unwrap_or_default()
    }
}
