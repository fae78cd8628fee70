use std::{fmt, sync::Arc, time::Duration};

use super::position::Position;
use crate::{
    debug_as_display::debug_as_display,
    trusted::entry::{Actor, EntryError, EntryId, OriginRecord, TrustedOrigin, Version},
};

/// One item of a feed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// There is a new entry, or a new content of one.
    Put {
        /// Where the store is with this change.
        at: Position,
        /// The row with the entry.
        row: SourceRow,
    },
    /// An entry is gone.
    Delete {
        /// Where the store is with this change.
        at: Position,
        /// The entry that is gone.
        id: EntryId,
        /// Who removed it, where the store tells.
        by: Option<Actor>,
    },
    /// Nothing else has changed up to this version. A source that says so every now and then
    /// lets the registry know that it is not stale.
    Current {
        /// Where the store was.
        at: Position,
        /// How long ago that was, at least: a feed may be slow. A source that asks its store takes
        /// the time since it asked, which needs no clock that both share.
        age: Duration,
    },
    /// More has changed than the feed brings one by one: the whole has to be loaded.
    Reload {
        /// The first position that includes the changes to be loaded.
        at: Position,
    },
}

impl Change {
    /// Where the store is with this change.
    pub fn at(&self) -> &Position {
        match self {
            Self::Put { at, .. }
            | Self::Delete { at, .. }
            | Self::Current { at, .. }
            | Self::Reload { at } => at,
        }
    }

    /// The version with which the change was committed.
    pub fn version(&self) -> Version {
        self.at().version()
    }

    pub(crate) fn is_reload(&self) -> bool {
        matches!(self, Self::Reload { .. })
    }
}
/// A row of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SourceRow {
    /// A record that is not checked yet.
    Record(Box<OriginRecord>),
    /// An entry.
    Entry(Arc<TrustedOrigin>),
    /// A row that cannot be read as a record.
    Invalid {
        /// The row's key in the store.
        key: String,
        /// Why the row is not an entry.
        error: EntryError,
    },
}

impl SourceRow {
    /// The row's key: the id, if it has one.
    pub fn key(&self) -> String {
        match self {
            Self::Record(record) => record.id.clone(),
            Self::Entry(entry) => entry.id().to_string(),
            Self::Invalid { key, .. } => key.clone(),
        }
    }

    pub(crate) fn check(self) -> Result<Arc<TrustedOrigin>, InvalidRow> {
        let (key, error) = match self {
            Self::Entry(entry) => return Ok(entry),
            Self::Invalid { key, error } => (key, error),
            Self::Record(record) => match record.check() {
                Ok(entry) => return Ok(Arc::new(entry)),
                Err(error) => (record.id, error),
            },
        };
        Err(InvalidRow { key, error })
    }
}

impl From<OriginRecord> for SourceRow {
    fn from(record: OriginRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

impl From<Arc<TrustedOrigin>> for SourceRow {
    fn from(entry: Arc<TrustedOrigin>) -> Self {
        Self::Entry(entry)
    }
}

/// A row that is not a valid entry. It is skipped, counted and reported; the rest is served.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {key:?}: {error}")]
#[non_exhaustive]
pub struct InvalidRow {
    /// The row's key in the store.
    pub key: String,
    /// Why the row is not an entry.
    pub error: EntryError,
}

debug_as_display!(InvalidRow);

impl InvalidRow {
    /// For a store that has found it.
    pub fn new(key: impl fmt::Display, error: EntryError) -> Self {
        Self {
            key: key.to_string(),
            error,
        }
    }
}
