use std::{fmt, str::FromStr, time::SystemTime};

use super::{error::EntryError, stamp::to_millis};
use crate::random;

/// The id of an entry: 16 hexadecimal digits in lower case, or a number below 2^63.
///
/// ```
/// use tower_cors::trusted::entry::EntryId;
///
/// let id: EntryId = "0000000000001a2b".parse()?;
/// assert_eq!(id.to_string(), "0000000000001a2b");
/// assert_eq!(u64::from(id), 0x1a2b);
///
/// assert!("1A2B".parse::<EntryId>().is_err());
/// # Ok::<(), tower_cors::trusted::entry::EntryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(u64);

impl EntryId {
    /// A new id: the time in milliseconds, so that later entries sort behind earlier ones, and 20
    /// random bits. Two ids of one millisecond may be the same, so a store has to check.
    pub fn generate(now: SystemTime) -> Self {
        let millis = to_millis(now) & ((1 << 43) - 1);
        Self((millis << 20) | (random::number() & ((1 << 20) - 1)))
    }

    /// The id with this number, or `None` from 2^63 on, which databases have no room for.
    pub fn from_number(number: u64) -> Option<Self> {
        (number <= i64::MAX.unsigned_abs()).then_some(Self(number))
    }
}

impl FromStr for EntryId {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let parsed = (text.len() == 16 && text.bytes().all(is_hex))
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten();
        parsed.and_then(Self::from_number).ok_or(EntryError::Id)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<EntryId> for u64 {
    fn from(id: EntryId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::stamp::{MAX_MILLIS, from_millis},
        *,
    };

    #[test]
    fn ids_are_sixteen_hexadecimal_digits_below_two_to_the_63() {
        for text in ["0000000000000000", "7fffffffffffffff", "00000000deadbeef"] {
            assert_eq!(text.parse::<EntryId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "0",
            "8000000000000000",
            "ffffffffffffffff",
            "00000000DEADBEEF",
            "+000000000000001",
            "000000000000000é",
        ] {
            assert_eq!(text.parse::<EntryId>(), Err(EntryError::Id), "{text}");
        }
    }

    #[test]
    fn later_ids_sort_behind_earlier_ones() {
        let at = |millis| EntryId::generate(from_millis(millis));
        assert!(at(1_795_262_400_000) < at(1_795_262_400_001));
        for millis in [0, 1_795_262_400_001, (1 << 43) - 1] {
            assert_eq!(u64::from(at(millis)) >> 20, millis);
        }
        assert!(at(MAX_MILLIS) <= EntryId(i64::MAX.unsigned_abs()));
    }
}
