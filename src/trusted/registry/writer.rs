//! The state that edits change, and the snapshot of it that requests read.

use std::{collections::BTreeMap, sync::Arc, task::Waker};

use super::{
    access::Access, effect::Effect, events::OriginEvent, frame_ancestors::FrameAncestors,
    index::Index, subscribers::Subscribers,
};
use crate::trusted::{
    entry::{Actor, EntryId, Scope, TrustedOrigin, Version},
    source::{Change, InvalidRows, Position, SourceRow, SourceSnapshot},
};

/// The part that requests read.
#[derive(Default)]
pub(crate) struct Snapshot {
    pub(crate) version: Version,
    pub(crate) index: Index,
    /// The entries that count for nothing: denials name them.
    pub(crate) inactive: Index,
    pub(crate) frames: Arc<FrameAncestors>,
}

/// The state that edits change, under a lock that requests never take.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) at: Position,
    pub(crate) is_loaded: bool,
    pub(crate) entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    index: Index,
    inactive: Index,
    frames: Arc<FrameAncestors>,
    pub(crate) invalid: InvalidRows,
    pub(crate) subscribers: Subscribers<OriginEvent>,
    pub(crate) followers: Subscribers<Change>,
    /// The changes since the last snapshot.
    effects: Vec<Effect>,
}

impl Writer {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: self.at.version(),
            index: self.index.clone(),
            inactive: self.inactive.clone(),
            frames: Arc::clone(&self.frames),
        }
    }

    /// Queues the changes for all listeners, and returns the wakers of those that wait.
    #[must_use]
    pub(crate) fn deliver(&mut self) -> Vec<Waker> {
        let effects = std::mem::take(&mut self.effects);
        let mut wakers = Vec::new();
        if self.followers.has_any() {
            let changes: Vec<Change> = effects.iter().map(Effect::change).collect();
            self.followers.deliver(&changes, &mut wakers);
        }
        let events: Vec<_> = effects.into_iter().filter_map(Effect::into_event).collect();
        self.subscribers.deliver(&events, &mut wakers);
        wakers
    }

    fn tell(&mut self, effect: Effect) {
        if self.subscribers.has_any() || self.followers.has_any() {
            self.effects.push(effect);
        }
    }

    /// Returns whether anything has changed, be it only the version.
    pub(crate) fn apply(&mut self, change: Change) -> bool {
        let at = change.at().clone();
        let is_new = self.at.version() < at.version();
        if is_new || at.history().is_some() {
            self.at = at.clone();
        }
        let has_effect = match change {
            Change::Put { row, .. } => self.put_row(row, &at),
            Change::Delete { id, by, .. } => {
                self.invalid.remove(&id.to_string());
                self.remove(id, &at, by)
            }
            Change::Current { .. } | Change::Reload { .. } => false,
        };
        if is_new && !has_effect {
            self.tell(Effect::Current { at });
        }
        is_new || has_effect
    }

    fn put_row(&mut self, row: SourceRow, at: &Position) -> bool {
        let key = row.key();
        self.invalid.remove(&key);
        match row.check() {
            Ok(entry) => self.put(entry, at),
            Err(row) => {
                self.invalid.add(row);
                // The store does not hold the entry that this row was before.
                key.parse().is_ok_and(|id| self.remove(id, at, None))
            }
        }
    }

    fn put(&mut self, entry: Arc<TrustedOrigin>, at: &Position) -> bool {
        if self.entries.get(&entry.id()) == Some(&entry) {
            return false;
        }
        let before = self.entries.insert(entry.id(), Arc::clone(&entry));
        if let Some(before) = &before {
            self.unfile(before);
        }
        self.file(&entry);
        let at = at.clone();
        self.tell(Effect::Put { at, before, entry });
        true
    }

    fn remove(&mut self, id: EntryId, at: &Position, by: Option<Actor>) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        self.unfile(&entry);
        let at = at.clone();
        self.tell(Effect::Deleted { at, entry, by });
        true
    }

    /// Inactive entries are not filed: a lookup would find them and ignore them.
    fn file(&mut self, entry: &Arc<TrustedOrigin>) {
        if Access::of(entry) != Access::default() {
            self.index.insert(Arc::clone(entry));
        } else {
            self.inactive.insert(Arc::clone(entry));
        }
        if Access::of(entry).allows(Scope::IframeEmbed) {
            Arc::make_mut(&mut self.frames).insert(entry);
        }
    }

    fn unfile(&mut self, entry: &Arc<TrustedOrigin>) {
        if Access::of(entry) != Access::default() {
            self.index.remove(entry);
        } else {
            self.inactive.remove(entry);
        }
        if Access::of(entry).allows(Scope::IframeEmbed) {
            Arc::make_mut(&mut self.frames).remove(entry);
        }
    }

    /// Goes over to the load's content by the differences, so that subscribers learn of each.
    pub(crate) fn replace_all(&mut self, load: SourceSnapshot, at: &Position) -> bool {
        let served = std::mem::replace(&mut self.at, at.clone()).version();
        self.invalid = load.invalid;
        if !std::mem::replace(&mut self.is_loaded, true) && self.entries.is_empty() {
            for entry in load.entries.values() {
                self.file(entry);
            }
            self.entries = load.entries;
            let entries = self.entries.len();
            let at = at.clone();
            self.tell(Effect::Loaded { at, entries });
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
        let has_effect = !gone.is_empty() || !new.is_empty();
        for entry in new {
            // A row that was changed by hand may have an old version.
            let version = entry.version().clamp(served, at.version());
            let at = if version == at.version() {
                at.clone()
            } else {
                version.into()
            };
            self.put(entry, &at);
        }
        for id in gone {
            self.remove(id, at, None);
        }
        if !has_effect && served < at.version() {
            self.tell(Effect::Current { at: at.clone() });
        }
        has_effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trusted::{entry::OriginRecord, registry::News};

    /// Entries with these ids and versions.
    fn snapshot(entries: &[(u64, u64)]) -> SourceSnapshot {
        let mut load = SourceSnapshot::new();
        for (id, version) in entries {
            let id = format!("{id:016x}");
            let mut record = OriginRecord::new(&id, &id[15..], &format!("https://{id}.example"));
            record.version = *version;
            record.scopes = vec!["CORS".to_owned()];
            load.push(record);
        }
        load
    }

    fn text(change: &Change) -> String {
        let text = match change {
            Change::Put { row, .. } => format!("put {}", &row.key()[15..]),
            Change::Delete { id, .. } => format!("delete {}", &id.to_string()[15..]),
            Change::Current { .. } => "current".to_owned(),
            Change::Reload { .. } => "reload".to_owned(),
        };
        format!("{text} at {}", change.version())
    }

    /// A follower that is not told of a version would be taken for one that has missed a change.
    #[test]
    fn followers_learn_what_each_load_has_changed_be_it_only_the_version() {
        let mut writer = Writer::default();
        let follower = writer.followers.subscribe(10);
        for (version, entries, expected, has_effect) in [
            (1, &[][..], &["reload at 1"][..], true),
            (1, &[], &[], false),
            (2, &[], &["current at 2"], false),
            // It was loaded already, without entries.
            (3, &[(1, 3)], &["put 1 at 3"], true),
            (3, &[(1, 3)], &[], false),
            (5, &[(1, 3), (2, 5)], &["put 2 at 5"], true),
            (6, &[(2, 5)], &["delete 1 at 6"], true),
            (8, &[(3, 7)], &["put 3 at 7", "delete 2 at 8"], true),
            (9, &[(3, 7)], &["current at 9"], false),
        ] {
            let at = Version::new(version).into();
            assert_eq!(
                writer.replace_all(snapshot(entries), &at),
                has_effect,
                "{version} {entries:?}"
            );
            let _ = writer.deliver();
            let news = std::iter::from_fn(|| follower.try_next());
            let told: Vec<_> = news
                .map(|news| match news {
                    News::Item(change) => text(&change),
                    News::Missed(missed) => format!("missed {missed}"),
                })
                .collect();
            assert_eq!(told, expected, "{version} {entries:?}");
        }
    }
}
