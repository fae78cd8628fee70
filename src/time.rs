//! The clock, and how long an expired token has to be remembered.
//!
//! Everything that reads the time takes a [`Clock`], so that a test need not wait for the real one.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A source of the current time, which a test can replace.
///
/// ```
/// use std::time::SystemTime;
///
/// use tower_cors::time::Clock;
///
/// /// Always the same time.
/// #[derive(Debug)]
/// struct Fixed(SystemTime);
///
/// impl Clock for Fixed {
///     fn now(&self) -> SystemTime {
///         self.0
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current time. It may go back, as when a machine's clock is corrected; answers that were
    /// remembered at a later time are then dropped.
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

/// How long after that a page may still be told that its token has expired.
pub(crate) const MAX_EXPIRED_GRACE: Duration = Duration::from_secs(60 * 60);

/// Both together. A revoked token must be remembered as long as some verifier might accept it, or
/// answer it as expired.
pub(crate) const REMEMBERED_AFTER_EXPIRY: Duration = MAX_LEEWAY.saturating_add(MAX_EXPIRED_GRACE);
