//! The inside of an embedded store: its edits, and the file that they go to.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use super::{
    entry_edit::EntryEdit,
    file::{Content, EntriesFile, FileError},
    origin_store::StoreError,
    unique::Unique,
};
use crate::{
    lock::lock,
    trusted::{
        entry::{Actor, EntryId, TrustedOrigin, Version},
        registry::{OriginRegistry, VersionRegressed},
        source::{Change, HistoryId, Position, SourceError, SourceRow, SourceSnapshot},
    },
};

/// How long an operation on the file may take. Beyond that the file is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Inner {
    pub(super) origins: OriginRegistry,
    /// No other store has it, also not this one after a restart.
    history: HistoryId,
    pub(super) has_file: bool,
    pub(super) patience: Duration,
    edits: Mutex<Edits>,
    /// A lock of its own: `edits` is held while the disk is waited for.
    looks: Mutex<Looks>,
}

/// The state that edits need, one edit at a time.
pub(super) struct Edits {
    pub(super) unique: Unique,
    pub(super) file: Option<EntriesFile>,
}

/// The state of the file, which can be read without waiting for the file. Moments are those of the
/// registry's freshness.
#[derive(Default)]
struct Looks {
    /// Since when the file has been waited for.
    waiting_since: Option<Duration>,
    /// When the file and the registry were last known to agree.
    last_good: Duration,
    refused: Option<FileError>,
}

impl Inner {
    pub(super) fn new(origins: OriginRegistry, file: Option<EntriesFile>) -> Self {
        origins.freshness().confirm_for_ever();
        Self {
            origins,
            history: HistoryId::random(),
            has_file: file.is_some(),
            patience: PATIENCE,
            edits: Mutex::new(Edits {
                unique: Unique::default(),
                file,
            }),
            looks: Mutex::default(),
        }
    }

    pub(super) fn edits(&self) -> MutexGuard<'_, Edits> {
        lock(&self.edits)
    }

    /// Runs an operation on the file. The registry counts as stale since the last look until the
    /// operation has ended well.
    pub(super) fn with_file<T>(
        &self,
        work: impl FnOnce(&mut Edits) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let mut edits = self.edits();
        if edits.file.is_some() {
            let mut looks = lock(&self.looks);
            looks.waiting_since = Some(self.origins.freshness().now());
            self.origins.freshness().doubt(looks.last_good);
        }
        let done = work(&mut edits);
        let mut looks = lock(&self.looks);
        looks.waiting_since = None;
        if looks.is_served() {
            looks.last_good = self.origins.freshness().now();
            self.origins.freshness().confirm_for_ever();
        }
        done
    }

    /// Looks at the file.
    pub(super) fn look(&self) -> Result<bool, FileError> {
        if let Some(error) = self.silent() {
            return Err(error);
        }
        self.with_file(|edits| self.reload(edits))
    }

    pub(super) fn watch(inner: &Arc<Self>, period: Duration) -> std::io::Result<()> {
        let inner = Arc::downgrade(inner);
        let watch = move || {
            while let Some(inner) = inner.upgrade() {
                // The refusal is kept for those who ask.
                let _ = inner.look();
                drop(inner);
                thread::sleep(period);
            }
        };
        let name = "trusted-origins-file".to_owned();
        thread::Builder::new().name(name).spawn(watch).map(drop)
    }

    pub(super) fn refusal(&self) -> Option<FileError> {
        self.silent().or_else(|| lock(&self.looks).refused.clone())
    }

    /// The error where the file has been waited for too long.
    pub(super) fn silent(&self) -> Option<FileError> {
        let since = lock(&self.looks).waiting_since?;
        let waited = self.origins.freshness().now().saturating_sub(since);
        (waited > self.patience).then_some(FileError::Silent { waited })
    }

    fn refuse(&self, error: Option<FileError>) {
        lock(&self.looks).refused = error;
    }

    pub(super) fn reload(&self, edits: &mut Edits) -> Result<bool, FileError> {
        let Some(file) = &mut edits.file else {
            return Ok(false);
        };
        let is_first = self.origins.version() == Version::ZERO;
        let content = match file.read_if_changed() {
            Ok(Some(content)) => content,
            Ok(None) => {
                // As it was last taken or written, also where it was wrong in between.
                let refused = &mut lock(&self.looks).refused;
                refused.take_if(|error| !matches!(error, FileError::Unsaved { .. }));
                return Ok(false);
            }
            Err(error) => {
                self.refuse(Some(error.clone()));
                return Err(error);
            }
        };
        if !is_first && self.serves(&content) {
            // Another process may have given it a version, and would give it the next one otherwise.
            let is_old = content.version < self.origins.version();
            let (at, age) = (self.at(content.version), Duration::ZERO);
            self.apply(Change::Current { at, age });
            let saved = if is_old { self.save(edits) } else { Ok(()) };
            self.refuse(saved.err());
            return Ok(false);
        }
        let taken = self.take(edits, content).map_err(FileError::from);
        // Else the versions would go back when the process starts anew.
        let saved = match (&taken, is_first) {
            (Ok(()), false) => self.save(edits),
            _ => Ok(()),
        };
        self.refuse(taken.as_ref().err().cloned().or(saved.err()));
        taken.map(|()| true)
    }

    /// Whether the file has the same entries as the registry, in whatever form.
    fn serves(&self, content: &Content) -> bool {
        let mut entries = content.entries.iter();
        content.entries.len() == self.origins.len()
            && entries.all(|entry| {
                let there = self.origins.entry(entry.id());
                there.is_some_and(|there| there.draft() == entry.draft())
            })
    }

    fn save(&self, edits: &mut Edits) -> Result<(), FileError> {
        let Some(file) = &mut edits.file else {
            return Ok(());
        };
        let (at, entries) = self.origins.contents();
        match file.write(at.version(), entries.iter().map(|entry| &**entry)) {
            // It is about to be taken.
            Err(FileError::Overtaken { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(FileError::Unsaved(error.to_string())),
        }
    }

    fn take(&self, edits: &mut Edits, content: Content) -> Result<(), VersionRegressed> {
        let served = self.origins.version();
        let version = match served {
            // Entries that were there when the process started keep their versions.
            Version::ZERO => content.version.max(Version::ZERO.next()),
            served => served.max(content.version).next(),
        };
        let now = self.origins.freshness().time();
        let mut load = SourceSnapshot::new();
        for entry in content.entries {
            let there = self.origins.entry(entry.id());
            load.push(match there {
                Some(there) if there.draft() == entry.draft() => there,
                _ if served == Version::ZERO => Arc::new(entry),
                there => Arc::new(entry.edited_by_hand(there.as_deref(), now, version)),
            });
        }
        edits.unique = load.entries.values().cloned().collect();
        let begun = self.origins.freshness().now();
        let taken = self.origins.apply_load(load, &self.at(version), begun);
        taken.map(drop)
    }

    /// The entry, at the version that the edit was made from.
    pub(super) fn expect(
        &self,
        id: EntryId,
        expected: Option<Version>,
    ) -> Result<Arc<TrustedOrigin>, StoreError> {
        let entry = self.origins.entry(id).ok_or(StoreError::NotFound { id })?;
        let current = entry.version();
        if expected.is_none_or(|expected| expected == current) {
            Ok(entry)
        } else {
            Err(StoreError::Changed { current })
        }
    }

    /// Writes the file, and serves the entry then.
    pub(super) fn put(
        &self,
        edits: &mut Edits,
        before: Option<&Arc<TrustedOrigin>>,
        entry: TrustedOrigin,
    ) -> Result<Arc<TrustedOrigin>, StoreError> {
        edits.unique.check(before, &entry)?;
        let (version, entry) = (entry.version(), Arc::new(entry));
        self.write(edits, version, entry.id(), Some(&entry))?;
        if let Some(before) = before {
            edits.unique.remove(before);
        }
        edits.unique.insert(Arc::clone(&entry));
        let row = SourceRow::Entry(Arc::clone(&entry));
        let at = self.at(version);
        self.apply(Change::Put { at, row });
        Ok(entry)
    }

    pub(super) fn apply(&self, change: Change) {
        self.origins.apply(change, self.origins.freshness().now());
    }

    /// This version in the history of this store.
    pub(super) fn at(&self, version: Version) -> Position {
        Position::new(version).with_history(self.history.clone())
    }

    /// The next edit.
    pub(super) fn edit(&self, by: Actor) -> EntryEdit {
        let version = self.origins.version().next();
        EntryEdit::new(by, self.origins.freshness().time(), version)
    }

    pub(super) fn write(
        &self,
        edits: &mut Edits,
        version: Version,
        id: EntryId,
        entry: Option<&Arc<TrustedOrigin>>,
    ) -> Result<(), StoreError> {
        let Some(file) = &mut edits.file else {
            return Ok(());
        };
        let (_, entries) = self.origins.contents();
        let others = entries.iter().filter(|other| other.id() != id);
        file.write(version, others.chain(entry).map(|entry| &**entry))
            .map_err(|error| StoreError::Unavailable(SourceError::new(error)))?;
        self.refuse(None);
        Ok(())
    }
}

impl Looks {
    /// Whether the registry has the entries of the file as it was last read. It has them also when
    /// the file could not be written back.
    fn is_served(&self) -> bool {
        matches!(self.refused, None | Some(FileError::Unsaved(_)))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::{
        time::Clock,
        trusted::{
            entry::{OriginDraft, Scope},
            store::{EmbeddedStore, OriginStore},
        },
    };

    fn by_hand(name: &str) -> String {
        format!(
            r#"{{"entries": [{{"name": "A", "origin": "https://{name}.example", "scopes": ["CORS"]}}]}}"#
        )
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_taken_and_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        fs::write(&path, by_hand("shop")).unwrap();
        let store = EmbeddedStore::open(&path).unwrap();
        let in_the_way = store.inner.edits().file.as_ref().unwrap().beside(&path);
        fs::create_dir(&in_the_way).unwrap();
        fs::write(&path, by_hand("store")).unwrap();
        assert!(store.reload().unwrap());
        let is_trusted = |origin: &str| store.origins().is_trusted(&origin.parse().unwrap());
        assert!(is_trusted("https://store.example"));
        let is_unsaved = || matches!(store.refusal(), Some(FileError::Unsaved(_)));
        assert!(is_unsaved());
        // The refusal is reported until something is written. Edits are accepted meanwhile.
        assert!(!store.reload().unwrap());
        assert!(is_unsaved());
        fs::remove_dir(&in_the_way).unwrap();
        let draft = OriginDraft::new("B", "https://b.example", Scope::Cors).unwrap();
        let made = store.create(draft, Actor::new("admin").unwrap());
        made.await.unwrap();
        assert!(store.refusal().is_none());
    }

    /// The lock is held as by a thread that waits for a network mount.
    #[tokio::test]
    async fn a_file_that_hangs_fails_edits_and_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        let mut store = EmbeddedStore::open(&path).unwrap();
        // Long enough for the edit that has to succeed, on a busy machine as well.
        Arc::get_mut(&mut store.inner).unwrap().patience = Duration::from_secs(1);
        let hanging = store.clone();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (started, is_waiting) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            hanging.inner.with_file(|_| {
                started.send(()).unwrap();
                let _ = wait.recv();
                Ok(())
            })
        });
        is_waiting.recv().unwrap();
        let create = |name: &str| {
            let origin = format!("https://{name}.example");
            let draft = OriginDraft::new(name, &origin, Scope::Cors).unwrap();
            store.create(draft, Actor::new("admin").unwrap())
        };
        let error = create("a").await.unwrap_err().to_string();
        assert!(error.contains("no answer within 1s"), "{error}");
        // From now on nobody waits for it.
        let error = create("b").await.unwrap_err().to_string();
        assert!(error.contains("the file has not answered"), "{error}");
        assert!(matches!(store.refusal(), Some(FileError::Silent { .. })));
        assert!(matches!(store.reload(), Err(FileError::Silent { .. })));
        let staleness = store.origins().staleness().unwrap();
        assert!(staleness >= Duration::from_millis(999), "{staleness:?}");
        drop(release);
        thread.join().unwrap().unwrap();
        create("c").await.unwrap();
        // The first edit, which nobody waits for any more, may be at the file.
        for _ in 0..1000 {
            if store.origins().staleness() == Some(Duration::ZERO) {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(store.origins().staleness(), Some(Duration::ZERO));
        assert!(store.refusal().is_none());
    }

    /// A clock that the test sets.
    #[derive(Clone, Debug)]
    struct TestClock(Arc<Mutex<SystemTime>>);

    impl Clock for TestClock {
        fn now(&self) -> SystemTime {
            *lock(&self.0)
        }
    }

    #[test]
    fn a_file_counts_as_one_that_hangs_only_beyond_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        let clock = TestClock(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH)));
        let store = EmbeddedStore::open_with_clock(&path, clock.clone()).unwrap();
        let looked = store.inner.with_file(|_| {
            *lock(&clock.0) += PATIENCE;
            assert!(store.refusal().is_none());
            *lock(&clock.0) += Duration::from_millis(1);
            let refusal = store.refusal();
            assert!(matches!(refusal, Some(FileError::Silent { .. })));
            Ok(())
        });
        looked.unwrap();
        assert!(store.refusal().is_none());
    }
}
