//! What edits change, and what requests read.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    events::{OriginEvent, OriginEventKind, Subscribers},
    frame_ancestors::FrameAncestors,
    index::{Access, Index},
};
use crate::trusted::{
    entry::{Actor, EntryId, Scope, TrustedOrigin, Version},
    source::{Change, InvalidRows, SourceRow, SourceSnapshot},
};

/// What requests read.
#[derive(Default)]
pub(crate) struct Snapshot {
    pub(crate) version: Version,
    pub(crate) index: Index,
    pub(crate) frames: Arc<FrameAncestors>,
}

/// What edits change, under a lock that requests never take.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) version: Version,
    pub(crate) is_loaded: bool,
    pub(crate) entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    index: Index,
    frames: Arc<FrameAncestors>,
    pub(crate) invalid: InvalidRows,
    pub(crate) subscribers: Subscribers,
    /// What has changed since the last snapshot, for those who have subscribed.
    pub(crate) events: Vec<OriginEvent>,
}

impl Writer {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: self.version,
            index: self.index.clone(),
            frames: Arc::clone(&self.frames),
        }
    }

    fn tell(&mut self, version: Version, kind: OriginEventKind) {
        self.events.push(OriginEvent { version, kind });
    }

    /// Returns whether anything has changed, be it only the version.
    pub(crate) fn apply(&mut self, change: Change) -> bool {
        let version = change.version();
        let is_new = std::mem::replace(&mut self.version, version) < version;
        let has_effect = match change {
            Change::Put { row, .. } => self.put_row(row, version),
            Change::Delete { id, by, .. } => {
                self.invalid.remove(&id.to_string());
                self.remove(id, version, by)
            }
            Change::Current { .. } | Change::Reload { .. } => false,
        };
        is_new || has_effect
    }

    fn put_row(&mut self, row: SourceRow, version: Version) -> bool {
        let key = row.key();
        match row.check() {
            Ok(entry) => {
                self.invalid.remove(&key);
                self.put(entry, version)
            }
            Err(row) => {
                self.invalid.add(row);
                // What the entry was before is not what the store holds.
                key.parse().is_ok_and(|id| self.remove(id, version, None))
            }
        }
    }

    fn put(&mut self, entry: Arc<TrustedOrigin>, version: Version) -> bool {
        if self.entries.get(&entry.id()) == Some(&entry) {
            return false;
        }
        let before = self.entries.insert(entry.id(), Arc::clone(&entry));
        if let Some(before) = &before {
            self.unfile(before);
        }
        self.file(&entry);
        if self.subscribers.has_any() {
            self.tell(version, OriginEventKind::put(before, entry));
        }
        true
    }

    fn remove(&mut self, id: EntryId, version: Version, by: Option<Actor>) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        self.unfile(&entry);
        if self.subscribers.has_any() {
            self.tell(version, OriginEventKind::Deleted { entry, by });
        }
        true
    }

    /// Inactive entries are not filed: they would only be found to count for nothing.
    fn file(&mut self, entry: &Arc<TrustedOrigin>) {
        if Access::of(entry) != Access::default() {
            self.index.insert(Arc::clone(entry));
        }
        if Access::of(entry).allows(Scope::IframeEmbed) {
            Arc::make_mut(&mut self.frames).insert(entry);
        }
    }

    fn unfile(&mut self, entry: &Arc<TrustedOrigin>) {
        if Access::of(entry) != Access::default() {
            self.index.remove(entry);
        }
        if Access::of(entry).allows(Scope::IframeEmbed) {
            Arc::make_mut(&mut self.frames).remove(entry);
        }
    }

    /// Goes over to the load's content by the differences, so that subscribers learn of each.
    pub(crate) fn replace_all(&mut self, load: SourceSnapshot, version: Version) -> bool {
        let served = std::mem::replace(&mut self.version, version);
        self.invalid = load.invalid;
        if !std::mem::replace(&mut self.is_loaded, true) && self.entries.is_empty() {
            for entry in load.entries.values() {
                self.file(entry);
            }
            self.entries = load.entries;
            let entries = self.entries.len();
            self.tell(version, OriginEventKind::Loaded { entries });
            return true;
        }
        let gone = |id: &EntryId| !load.entries.contains_key(id);
        let gone: Vec<EntryId> = self.entries.keys().copied().filter(gone).collect();
        let mut new: Vec<Arc<TrustedOrigin>> = load
            .entries
            .into_values()
            .filter(|entry| self.entries.get(&entry.id()) != Some(entry))
            .collect();
        new.sort_by_key(|entry| entry.version());
        let changed = !gone.is_empty() || !new.is_empty();
        for entry in new {
            // A row that was changed by hand may have an old version.
            let version = entry.version().clamp(served, version);
            self.put(entry, version);
        }
        for id in gone {
            self.remove(id, version, None);
        }
        changed
    }
}
