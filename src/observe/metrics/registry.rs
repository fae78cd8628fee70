use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use metrics::{Gauge, Unit, describe_gauge, gauge};

const CONFIRMED: &str = "tower_cors_registry_confirmed_timestamp_seconds";

/// When a registry was last known to be what its source holds. A point in time, not an age: it
/// stays true if nothing sets it any more, as when the task that should keep the registry fresh is
/// gone.
#[derive(Debug)]
pub(crate) struct ConfirmedGauge(Gauge);

impl ConfirmedGauge {
    pub(crate) fn register(registry: Cow<'static, str>) -> Self {
        describe_gauge!(
            CONFIRMED,
            Unit::Seconds,
            "When the registry was last known to be what its source holds, since 1970."
        );
        Self(gauge!(CONFIRMED, "registry" => registry))
    }

    /// `None` if it has not been loaded yet.
    pub(crate) fn set(&self, confirmed: Option<SystemTime>) {
        let since_1970 = confirmed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        self.0.set(since_1970.unwrap_or_default());
    }

    /// The registry is its own source.
    pub(crate) fn set_for_ever(&self) {
        self.0.set(f64::INFINITY);
    }
}
