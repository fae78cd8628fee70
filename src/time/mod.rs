//! The clock, and how long an expired token has to be remembered.
//!
//! Everything that reads the time takes a [`Clock`], so that a test need not wait for the real one.

use std::{fmt, time::SystemTime};

#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
mod javascript;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
mod leeway;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod machine;

#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
use self::javascript as machine;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
pub(crate) use self::leeway::REMEMBERED_AFTER_EXPIRY;
#[cfg(feature = "token")]
pub(crate) use self::leeway::{MAX_EXPIRED_GRACE, MAX_LEEWAY};
#[cfg(all(
    any(feature = "metrics", feature = "tracing", feature = "trusted"),
    any(
        not(all(target_family = "wasm", target_os = "unknown")),
        feature = "js"
    )
))]
pub(crate) use self::machine::Stopwatch;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
pub use self::machine::SystemClock;

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
