use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{EntryError, OriginDraft, Scopes, Status};
use crate::pattern::OriginPattern;

/// An entry of the registry: an origin, or a family of origins, and what it is trusted with.
///
/// Made by a store from an [`OriginDraft`], or from an [`OriginRecord`](super::OriginRecord) that
/// a source has loaded; both are checked. Entries do not change: an edit makes a new one.
///
/// ```
/// use std::time::SystemTime;
/// use tower_cors::trusted::{Actor, EntryId, OriginDraft, Scope, TrustedOrigin, Version};
///
/// let draft = OriginDraft::new("Shop", "https://shop.example.com", Scope::Cors)?.credentials(true)?;
/// let admin = Actor::new("admin@example.com")?;
/// let now = SystemTime::now();
/// let entry = TrustedOrigin::created(EntryId::generate(now), draft, admin, now, Version::new(1));
///
/// assert!(entry.scopes().contains(Scope::Cors));
/// assert!(!entry.scopes().contains(Scope::Redirect));
/// # Ok::<(), tower_cors::trusted::EntryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOrigin {
    pub(super) id: EntryId,
    pub(super) version: Version,
    pub(super) draft: OriginDraft,
    pub(super) created: Stamp,
    pub(super) last_updated: Stamp,
}

/// When something was done, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) millis: u64,
    pub(super) by: Actor,
}

impl TrustedOrigin {
    /// A new entry, for a store.
    pub fn created(
        id: EntryId,
        draft: OriginDraft,
        by: Actor,
        at: SystemTime,
        version: Version,
    ) -> Self {
        let stamp = Stamp {
            millis: to_millis(at),
            by,
        };
        Self {
            id,
            version,
            draft,
            created: stamp.clone(),
            last_updated: stamp,
        }
    }

    /// The same entry with other content, for a store.
    #[must_use]
    pub fn replaced(
        &self,
        draft: OriginDraft,
        by: Actor,
        at: SystemTime,
        version: Version,
    ) -> Self {
        Self {
            id: self.id,
            version,
            draft,
            created: self.created.clone(),
            last_updated: Stamp {
                millis: to_millis(at),
                by,
            },
        }
    }

    /// This entry, read from a file in which somebody has changed what was `there`.
    pub(super) fn edited_by_hand(
        self,
        there: Option<&Self>,
        at: SystemTime,
        version: Version,
    ) -> Self {
        let stamp = Stamp {
            millis: to_millis(at),
            by: Actor("file".into()),
        };
        let created = match there {
            Some(there) => there.created.clone(),
            None if self.created.millis == 0 => stamp.clone(),
            None => self.created,
        };
        Self {
            id: self.id,
            version,
            draft: self.draft,
            created,
            last_updated: stamp,
        }
    }

    /// What the entry is known by, for its whole life.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The store's version with which this content came.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The content, as an administrator writes it.
    pub fn draft(&self) -> &OriginDraft {
        &self.draft
    }

    /// The name, which no other entry of the store has.
    pub fn name(&self) -> &str {
        self.draft.name()
    }

    /// The origin, or the family of origins.
    pub fn pattern(&self) -> &OriginPattern {
        self.draft.pattern()
    }

    /// What the origin is trusted with while the entry is active.
    pub fn scopes(&self) -> Scopes {
        self.draft.scopes()
    }

    /// Whether the entry counts.
    pub fn status(&self) -> Status {
        self.draft.status()
    }

    /// Whether pages of the origin may send cookies.
    pub fn allows_credentials(&self) -> bool {
        self.draft.allows_credentials()
    }

    /// When the entry was created, to the millisecond.
    pub fn created_at(&self) -> SystemTime {
        from_millis(self.created.millis)
    }

    /// Who created the entry.
    pub fn created_by(&self) -> &Actor {
        &self.created.by
    }

    /// When the entry was last changed, to the millisecond.
    pub fn last_updated_at(&self) -> SystemTime {
        from_millis(self.last_updated.millis)
    }

    /// Who last changed the entry.
    pub fn last_updated_by(&self) -> &Actor {
        &self.last_updated.by
    }
}

/// Milliseconds since 1970. What is before, or after the year 9999, which no text has room for,
/// becomes the nearest moment that is not.
pub(super) fn to_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).map_or(MAX_MILLIS, |millis| millis.min(MAX_MILLIS))
}

pub(super) fn from_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// The end of the year 9999.
const MAX_MILLIS: u64 = 253_402_300_799_999;

/// What an entry is known by: 16 hexadecimal digits in lower case, or a number below 2^63.
///
/// ```
/// use tower_cors::trusted::EntryId;
///
/// let id: EntryId = "0000000000001a2b".parse()?;
/// assert_eq!(id.to_string(), "0000000000001a2b");
/// assert_eq!(u64::from(id), 0x1a2b);
///
/// assert!("1A2B".parse::<EntryId>().is_err());
/// # Ok::<(), tower_cors::trusted::EntryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(u64);

impl EntryId {
    /// An id that nobody has, as far as chance goes: the time in milliseconds, so that later
    /// entries sort behind earlier ones, and 20 random bits. Whoever stores it must still refuse
    /// one that exists.
    pub fn generate(now: SystemTime) -> Self {
        // Every new `RandomState` has keys of its own.
        let random = RandomState::new().hash_one(now);
        let millis = to_millis(now) & ((1 << 43) - 1);
        Self((millis << 20) | (random & ((1 << 20) - 1)))
    }

    /// The id with this number, or `None` from 2^63 on, which databases have no room for.
    pub fn from_number(number: u64) -> Option<Self> {
        (number <= i64::MAX.unsigned_abs()).then_some(Self(number))
    }
}

impl From<EntryId> for u64 {
    fn from(id: EntryId) -> Self {
        id.0
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

/// A point in the history of a store: every change has a greater one than those that were committed
/// before it. Changes that were committed together may share one.
///
/// Versions grow, not necessarily by one. Zero is before every change.
///
/// ```
/// use tower_cors::trusted::Version;
///
/// assert!(Version::new(7) < Version::new(7).next());
/// assert!(Version::ZERO < Version::new(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// Before every change.
    pub const ZERO: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The next version.
    ///
    /// The numbers do not run out: a million changes a second last for half a million years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who makes a change: a user name, a mail address, the name of a job.
///
/// One to 255 characters, none of them a control character. Cloning is one reference count.
///
/// ```
/// use tower_cors::trusted::Actor;
///
/// assert_eq!(Actor::new("admin@example.com")?.as_str(), "admin@example.com");
/// assert!(Actor::new("").is_err());
/// # Ok::<(), tower_cors::trusted::EntryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(Arc<str>);

impl Actor {
    /// The actor with this name.
    ///
    /// # Errors
    ///
    /// Nothing, more than 255 characters, or a control character.
    pub fn new(name: &str) -> Result<Self, EntryError> {
        match super::draft::name_error(name) {
            None => Ok(Self(name.into())),
            Some(reason) => Err(EntryError::Actor(reason)),
        }
    }

    /// Who it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(at(MAX_MILLIS) <= EntryId(i64::MAX.unsigned_abs()));
    }

    #[test]
    fn times_keep_within_what_a_text_has_room_for() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        let far = UNIX_EPOCH + Duration::from_secs(1 << 45);
        assert_eq!(to_millis(far), MAX_MILLIS);
    }
}
