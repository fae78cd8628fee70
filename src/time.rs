//! How long a token matters after it has expired, to all who have to remember it.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// Tells what time it is, so that a test can decide.
///
/// ```
/// use std::time::SystemTime;
///
/// use tower_cors::time::Clock;
///
/// /// Noon for ever.
/// #[derive(Debug)]
/// struct Noon(SystemTime);
///
/// impl Clock for Noon {
///     fn now(&self) -> SystemTime {
///         self.0
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now. It may be set back; what was remembered from later is then forgotten.
    fn now(&self) -> SystemTime;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// How long after its expiry a token may still be accepted, because clocks differ.
pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How long after that a page may still read that its token has expired.
pub(crate) const MAX_EXPIRED_GRACE: Duration = Duration::from_secs(60 * 60);

/// Both: what must not be accepted, or read, is remembered for so long.
pub(crate) const REMEMBERED_AFTER_EXPIRY: Duration = MAX_LEEWAY.saturating_add(MAX_EXPIRED_GRACE);
