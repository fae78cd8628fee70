use std::{fmt, time::SystemTime};

/// Tells what time it is, so that a test can decide.
///
/// ```
/// use std::time::SystemTime;
///
/// use tower_cors::Clock;
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
