use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::actor::Actor;

/// When something was done, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) millis: u64,
    pub(crate) by: Actor,
}

/// Milliseconds since 1970. Times before 1970, and after the year 9999, which RFC 3339 cannot write,
/// become the nearest time within that range.
pub(crate) fn to_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).map_or(MAX_MILLIS, |millis| millis.min(MAX_MILLIS))
}

pub(crate) fn from_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// The end of the year 9999.
pub(super) const MAX_MILLIS: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_within_what_a_text_has_room_for() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        let far = UNIX_EPOCH + Duration::from_secs(1 << 45);
        assert_eq!(to_millis(far), MAX_MILLIS);
    }
}
