use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    change::{Change, InvalidRow, SourceRow},
    position::Position,
};
use crate::trusted::entry::{EntryId, TrustedOrigin, Version};

/// The whole content of a source in the making: see
/// [`OriginSource::load`](crate::trusted::source::OriginSource::load).
///
/// ```
/// use tower_cors::trusted::{entry::OriginRecord, source::SourceSnapshot};
///
/// let mut snapshot = SourceSnapshot::new();
/// let mut row = OriginRecord::new("0000000000000001", "Shop", "https://shop.example");
/// row.scopes = vec!["CORS".to_owned()];
/// snapshot.push(row.clone());
/// assert_eq!(snapshot.len(), 1);
///
/// // A row that is not an entry is skipped, and the registry reports it.
/// (row.id, row.origin) = ("0000000000000002".to_owned(), "blog.example".to_owned());
/// snapshot.push(row);
/// assert_eq!(snapshot.len(), 1);
/// ```
pub struct SourceSnapshot {
    pub(crate) entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    pub(crate) invalid: InvalidRows,
    /// The position of the last change that was applied to it.
    pub(crate) applied: Position,
    pub(crate) age: Duration,
    progress: Progress,
}

impl SourceSnapshot {
    /// An empty snapshot.
    pub fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            invalid: InvalidRows::default(),
            applied: Position::default(),
            age: Duration::ZERO,
            progress: Progress::default(),
        }
    }

    /// Adds a row. An invalid row is skipped, counted and reported. Of two rows with one id, the one
    /// with the later version stays; where both have the same version, the second one stays.
    pub fn push(&mut self, row: impl Into<SourceRow>) {
        self.note_progress();
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

    /// Says that the source is still answering. Every row that is pushed says so, too: a source
    /// needs this where it reads for long before it pushes the first row.
    pub fn note_progress(&self) {
        self.progress.note();
    }

    /// Says that the content was true this long before the load began. A source that answers from
    /// a copy knows how old its copy is.
    pub fn set_age(&mut self, age: Duration) {
        self.age = age;
    }

    /// Applies a change that came after the load.
    pub(crate) fn apply(&mut self, change: Change) {
        if change.version() >= self.applied.version() {
            self.applied = change.at().clone();
        }
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

    /// Tells, while the source fills the snapshot, whether it is still at it.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
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

/// Counts the signs of life of a load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The invalid rows of a source, by their keys.
///
/// Several rows may have one key where a table has lost its primary key. All of them count.
#[derive(Clone, Debug, Default)]
pub(crate) struct InvalidRows {
    by_key: HashMap<String, Vec<InvalidRow>>,
    count: usize,
}

impl InvalidRows {
    pub(crate) fn add(&mut self, row: InvalidRow) {
        self.count += 1;
        self.by_key.entry(row.key.clone()).or_default().push(row);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(rows) = self.by_key.remove(key) {
            self.count -= rows.len();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The first so many, by key.
    pub(crate) fn first(&self, limit: usize) -> Vec<InvalidRow> {
        let mut rows: Vec<&InvalidRow> = self.by_key.values().flatten().collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows.into_iter().take(limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trusted::entry::OriginRecord;

    fn record(id: u64, version: u64, name: &str) -> OriginRecord {
        let id = format!("{id:016x}");
        let mut record = OriginRecord::new(&id, name, &format!("https://{id}.example"));
        record.version = version;
        record.scopes = vec!["CORS".to_owned()];
        record
    }

    #[test]
    fn of_two_rows_with_one_id_the_later_version_stays() {
        for (first, second, stays) in [
            (5, 6, "second"),
            (6, 5, "first"),
            // As in a page of rows that is read again.
            (5, 5, "second"),
        ] {
            let mut load = SourceSnapshot::new();
            load.push(record(1, first, "first"));
            load.push(record(1, second, "second"));
            let names: Vec<_> = load.entries.values().map(|entry| entry.name()).collect();
            assert_eq!(names, [stays], "{first} {second}");
        }
    }

    #[test]
    fn a_snapshot_says_how_much_it_holds_and_up_to_which_version() {
        let mut load = SourceSnapshot::new();
        assert!(load.is_empty());
        assert_eq!(load.greatest_version(), Version::ZERO);
        for (id, version) in [(1, 7), (2, 9), (3, 8)] {
            load.push(record(id, version, &id.to_string()));
        }
        // An invalid row is not an entry, and its version does not count.
        load.push(record(4, 100, ""));
        assert!(!load.is_empty());
        assert_eq!(load.len(), 3);
        assert_eq!(load.greatest_version(), Version::new(9));
    }
}
