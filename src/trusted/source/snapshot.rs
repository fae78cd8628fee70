use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Instant,
};

use super::change::{Change, InvalidRow, SourceRow};
use crate::trusted::entry::{EntryId, TrustedOrigin, Version};

/// The whole content of a source in the making: see [`OriginSource::load`](crate::trusted::source::OriginSource::load).
pub struct SourceSnapshot {
    /// What is loaded is no older than this.
    pub(crate) begun: Instant,
    pub(crate) entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    pub(crate) invalid: InvalidRows,
    /// The version of the last change that was applied to it.
    pub(crate) applied: Version,
}

impl SourceSnapshot {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            entries: BTreeMap::new(),
            invalid: InvalidRows::default(),
            applied: Version::ZERO,
        }
    }

    /// Adds a row. One that is no entry is skipped, counted and reported; of two with one id, the
    /// later version stays.
    pub fn push(&mut self, row: impl Into<SourceRow>) {
        let entry = match row.into().check() {
            Ok(entry) => entry,
            Err(row) => return self.invalid.add(row),
        };
        match self.entries.get(&entry.id()) {
            Some(there) if there.version() > entry.version() => {}
            _ => {
                self.entries.insert(entry.id(), entry);
            }
        }
    }

    /// Makes a change that came after the load.
    pub(crate) fn apply(&mut self, change: Change) {
        self.applied = self.applied.max(change.version());
        let key = match &change {
            Change::Put { row, .. } => row.key(),
            Change::Delete { id, .. } => id.to_string(),
            Change::Current { .. } | Change::Reload { .. } => return,
        };
        self.invalid.remove(&key);
        if let Ok(id) = key.parse() {
            self.entries.remove(&id);
        }
        if let Change::Put { row, .. } = change {
            self.push(row);
        }
    }

    /// How many entries have been pushed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no entry has been pushed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The greatest version of the entries, for sources that have no other.
    pub fn greatest_version(&self) -> Version {
        let versions = self.entries.values().map(|entry| entry.version());
        versions.max().unwrap_or_default()
    }
}

impl Default for SourceSnapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SourceSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceSnapshot")
            .field("entries", &self.entries.len())
            .field("invalid", &self.invalid.len())
            .finish()
    }
}

/// The rows of a source that are no entries, by their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct InvalidRows(HashMap<String, InvalidRow>);

impl InvalidRows {
    pub(crate) fn add(&mut self, row: InvalidRow) {
        self.0.insert(row.key.clone(), row);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if !self.0.is_empty() {
            self.0.remove(key);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first so many, by key.
    pub(crate) fn first(&self, limit: usize) -> Vec<InvalidRow> {
        let mut rows: Vec<&InvalidRow> = self.0.values().collect();
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        rows.into_iter().take(limit).cloned().collect()
    }
}
