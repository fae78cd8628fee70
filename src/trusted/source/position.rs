use std::{fmt, sync::Arc};

use crate::{random, trusted::entry::Version};

/// Where a store stands: a version, and the history that led to it.
///
/// A version alone is a number. A store that was restored from a backup and edited since comes to
/// numbers that it had before, with other entries. A store that can tell gives each change a
/// [`HistoryId`], and two positions are the same only if both their parts are.
///
/// ```
/// use tower_cors::trusted::{
///     entry::Version,
///     source::{HistoryId, Position},
/// };
///
/// let served = Position::new(Version::new(7)).with_history(HistoryId::new("a"));
/// let restored = Position::new(Version::new(7)).with_history(HistoryId::new("b"));
/// assert_ne!(served, restored);
/// assert!(served.contradicts(&restored));
///
/// // A store that does not tell is believed.
/// assert!(!served.contradicts(&Version::new(7).into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    version: Version,
    history: Option<HistoryId>,
}

impl Position {
    /// This version, of a history that is not known.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            history: None,
        }
    }

    /// The same version in this history.
    #[must_use]
    pub fn with_history(mut self, history: HistoryId) -> Self {
        self.history = Some(history);
        self
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The history, where the store tells.
    pub fn history(&self) -> Option<&HistoryId> {
        self.history.as_ref()
    }

    /// Whether the two cannot be the same store's: they have the same version, and histories that
    /// differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.version == other.version
            && matches!((&self.history, &other.history), (Some(a), Some(b)) if a != b)
    }
}

impl From<Version> for Position {
    fn from(version: Version) -> Self {
        Self::new(version)
    }
}

/// Names the history of edits that led to a version: at one version, two histories have different
/// ids.
///
/// A random id that a store makes with every change is one: a backup that is edited gets others. So
/// is anything else that no other history has at the same version, such as the time of the change
/// in nanoseconds by the store's clock. Cloning is one reference count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HistoryId(Arc<str>);

impl HistoryId {
    /// The id with this text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// An id that no other history has, as far as chance goes: 128 random bits.
    pub fn random() -> Self {
        Self(format!("{:016x}{:016x}", random::number(), random::number()).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
