use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;

use super::{
    file::{Content, EntriesFile, FileError},
    origin_store::{OriginStore, StoreError, StoreFuture},
    unique::Unique,
};
use crate::trusted::{
    entry::{Actor, EntryId, OriginDraft, Status, TrustedOrigin, Version},
    offload,
    registry::{OriginEventKind, OriginRegistry, Received, VersionRegressed},
    source::{
        Change, ChangeFeed, OriginSource, SourceError, SourceFuture, SourceRow, SourceSnapshot,
    },
};

/// A store in the memory of one process, with or without a file.
///
/// Its registry, [`origins`](Self::origins), serves an edit before the edit's future resolves.
/// Other registries can follow the store through a [`Replica`](crate::trusted::replica::Replica). Cloning is one
/// reference count: all clones are the same store.
///
/// The file is JSON, or with the feature `trusted-toml` TOML where its name ends in `.toml`; it is
/// made for people to edit:
///
/// ```json
/// {
///   "entries": [
///     {"name": "Shop", "origin": "https://shop.example.com", "scopes": ["CORS"], "allow_credentials": true},
///     {"name": "Docs", "origin": "https://*.docs.example.com", "scopes": ["IFRAME_EMBED"], "status": "INACTIVE"}
///   ]
/// }
/// ```
///
/// In TOML each entry is a table `[[entries]]`, and the last line has to be `[end]`: a file that was
/// cut short would be one with fewer entries otherwise.
///
/// The fields are those of [`OriginRecord`](crate::trusted::entry::OriginRecord). The store replaces the file
/// whole with each edit, so that no crash leaves half of one, and takes what people have changed
/// in it when [`reload`](Self::reload) or [`watch_file`](Self::watch_file) sees it; it writes the
/// file back then, with the versions that the changes have got, and without comments. A file with
/// any mistake, or with half of its content, is refused whole, and what was served stays; edits
/// through the store fail until the file is right, because they would overwrite it. What is changed
/// while no process runs keeps the versions that the file says. The file belongs to one process:
/// several share a database instead.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_cors::{
///     Origin,
///     trusted::{
///         entry::{Actor, OriginDraft, Scope}, store::{EmbeddedStore, OriginStore, StoreError},
///     },
/// };
///
/// let store = EmbeddedStore::in_memory();
/// let admin = Actor::new("admin@example.com")?;
/// let shop: Origin = "https://shop.example.com".parse()?;
///
/// let draft = OriginDraft::new("Shop", shop.as_str(), Scope::Cors)?;
/// let entry = store.create(draft.clone(), admin.clone()).await?;
/// assert!(store.origins().is_trusted(&shop));
/// let again = store.create(draft, admin.clone()).await;
/// assert!(matches!(again, Err(StoreError::NameTaken { .. })));
///
/// store.deactivate(entry.id(), Some(entry.version()), admin).await?;
/// assert!(!store.origins().is_trusted(&shop));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    origins: OriginRegistry,
    has_file: bool,
    edits: Mutex<Edits>,
    /// Apart: whoever holds the other lock may wait for a disk.
    refused: Mutex<Option<FileError>>,
}

/// What only edits need, one after the other.
#[derive(Default)]
struct Edits {
    unique: Unique,
    file: Option<EntriesFile>,
}

impl EmbeddedStore {
    /// An empty store that ends with the process.
    pub fn in_memory() -> Self {
        Self::new(Edits::default())
    }

    /// A store with this file. One that is not there is made with the first edit.
    ///
    /// This reads the file, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let store = Self::new(Edits {
            file: Some(EntriesFile::new(path.as_ref())?),
            ..Edits::default()
        });
        store.reload()?;
        Ok(store)
    }

    fn new(edits: Edits) -> Self {
        let origins = OriginRegistry::new();
        origins.freshness().confirm_for_ever();
        Self {
            inner: Arc::new(Inner {
                origins,
                has_file: edits.file.is_some(),
                edits: Mutex::new(edits),
                refused: Mutex::default(),
            }),
        }
    }

    /// The registry that the store's edits go to.
    pub fn origins(&self) -> &OriginRegistry {
        &self.inner.origins
    }

    /// Takes what people have changed in the file, and writes it back with the new versions.
    /// Returns whether they have.
    ///
    /// This reads the file if its length or time has changed, and blocks meanwhile. One that says
    /// what is served is nothing new, however it is written. A file that cannot be written is taken
    /// all the same; [`refusal`](Self::refusal) says so.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake; what was served still is.
    pub fn reload(&self) -> Result<bool, FileError> {
        self.inner.reload(&mut self.inner.edits())
    }

    /// Why the file was not taken when it was last looked at, or could not be written back; `None`
    /// when all is well. Does not wait for the file.
    pub fn refusal(&self) -> Option<FileError> {
        self.inner.refused().clone()
    }

    /// Calls [`reload`](Self::reload) every now and then, on a thread of its own, which ends with
    /// the store. What it refuses is in [`refusal`](Self::refusal).
    ///
    /// # Errors
    ///
    /// The operating system has no thread to give.
    pub fn watch_file(&self, period: Duration) -> std::io::Result<()> {
        let store = Arc::downgrade(&self.inner);
        let watch = move || {
            while let Some(store) = store.upgrade() {
                // What is refused is kept for whoever asks.
                let _ = store.reload(&mut store.edits());
                drop(store);
                thread::sleep(period);
            }
        };
        let name = "trusted-origins-file".to_owned();
        thread::Builder::new().name(name).spawn(watch).map(drop)
    }

    /// Makes an edit: at once in memory, elsewhere where there is a file to write.
    fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Inner, &mut Edits) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let inner = Arc::clone(&self.inner);
        let work = move || {
            let mut edits = inner.edits();
            // An edit must not overwrite what people have written meanwhile.
            inner
                .reload(&mut edits)
                .map_err(|error| StoreError::Unavailable(SourceError::new(error)))?;
            edit(&inner, &mut edits)
        };
        if !self.inner.has_file {
            return Box::pin(async move { work() });
        }
        Box::pin(async move { offload(work).await.map_err(SourceError::new)? })
    }
}

impl Inner {
    fn edits(&self) -> MutexGuard<'_, Edits> {
        // Nothing that is done under the lock panics half way.
        self.edits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, Option<FileError>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reload(&self, edits: &mut Edits) -> Result<bool, FileError> {
        let Some(file) = &mut edits.file else {
            return Ok(false);
        };
        let is_first = self.origins.version() == Version::ZERO;
        let content = match file.read_if_changed() {
            Ok(Some(content)) => content,
            Ok(None) => {
                // As it was last taken or written, also where it was wrong in between.
                self.refused()
                    .take_if(|error| !matches!(error, FileError::Unsaved { .. }));
                return Ok(false);
            }
            Err(error) => {
                *self.refused() = Some(error.clone());
                return Err(error);
            }
        };
        if !is_first && self.serves(&content) {
            // Another process may have given it a version, and would give it the next one otherwise.
            let is_old = content.version < self.origins.version();
            let version = content.version;
            self.origins.apply(Change::Current { version });
            let saved = if is_old { self.save(edits) } else { Ok(()) };
            *self.refused() = saved.err();
            return Ok(false);
        }
        let taken = self.take(edits, content).map_err(FileError::from);
        // Else the versions would go back when the process starts anew.
        let saved = match (&taken, is_first) {
            (Ok(()), false) => self.save(edits),
            _ => Ok(()),
        };
        *self.refused() = taken.as_ref().err().cloned().or(saved.err());
        taken.map(|()| true)
    }

    /// Whether it is nothing new, whoever has written it, and however.
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
        let (version, entries) = self.origins.contents();
        match file.write(version, entries.iter().map(|entry| &**entry)) {
            // It is about to be taken.
            Err(FileError::Overtaken { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(FileError::Unsaved(error.to_string())),
        }
    }

    fn take(&self, edits: &mut Edits, content: Content) -> Result<(), VersionRegressed> {
        let served = self.origins.version();
        let version = match served {
            // What was there when the process started is as old as it says.
            Version::ZERO => content.version.max(Version::ZERO.next()),
            served => served.max(content.version).next(),
        };
        let now = SystemTime::now();
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
        self.origins.apply_load(load, version).map(drop)
    }

    /// The entry, at the version that the edit was made from.
    fn expect(
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
    fn put(
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
        self.origins.apply(Change::Put { version, row });
        Ok(entry)
    }

    fn write(
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
        *self.refused() = None;
        Ok(())
    }
}

impl OriginStore for EmbeddedStore {
    fn create(&self, draft: OriginDraft, by: Actor) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.edit(move |inner, edits| {
            let now = SystemTime::now();
            let mut id = EntryId::generate(now);
            while inner.origins.entry(id).is_some() {
                id = EntryId::generate(now);
            }
            let version = inner.origins.version().next();
            let entry = TrustedOrigin::created(id, draft, by, now, version);
            inner.put(edits, None, entry)
        })
    }

    fn fetch(&self, id: EntryId) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        let entry = self.inner.expect(id, None);
        Box::pin(std::future::ready(entry))
    }

    fn replace(
        &self,
        id: EntryId,
        expected: Option<Version>,
        draft: OriginDraft,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.edit(move |inner, edits| {
            let before = inner.expect(id, expected)?;
            let version = inner.origins.version().next();
            let entry = before.replaced(draft, by, SystemTime::now(), version);
            inner.put(edits, Some(&before), entry)
        })
    }

    fn set_status(
        &self,
        id: EntryId,
        expected: Option<Version>,
        status: Status,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.edit(move |inner, edits| {
            let before = inner.expect(id, expected)?;
            if before.status() == status {
                return Ok(before);
            }
            let version = inner.origins.version().next();
            let draft = before.draft().clone().with_status(status);
            let entry = before.replaced(draft, by, SystemTime::now(), version);
            inner.put(edits, Some(&before), entry)
        })
    }

    fn delete(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
    ) -> StoreFuture<'_, Version> {
        self.edit(move |inner, edits| {
            let before = inner.expect(id, expected)?;
            let version = inner.origins.version().next();
            inner.write(edits, version, id, None)?;
            edits.unique.remove(&before);
            let by = Some(by);
            inner.origins.apply(Change::Delete { version, id, by });
            Ok(version)
        })
    }
}

/// How many changes wait for a replica before it has to load anew.
const FEED_CAPACITY: usize = 4096;

impl OriginSource for EmbeddedStore {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        let events = self.inner.origins.subscribe(FEED_CAPACITY);
        let changes = events.map(|received| match received {
            Received::Event(event) => change_of(event.version, event.kind),
            Received::Lagged(missed) => Err(SourceError::new(format_args!(
                "the replica was too slow and has missed {missed} changes"
            ))),
        });
        let feed: ChangeFeed = Box::pin(changes);
        Box::pin(std::future::ready(Ok(feed)))
    }

    fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Version> {
        let (version, entries) = self.inner.origins.contents();
        for entry in entries {
            load.push(entry);
        }
        Box::pin(std::future::ready(Ok(version)))
    }

    fn version(&self) -> SourceFuture<'_, Option<Version>> {
        let version = self.inner.origins.version();
        Box::pin(std::future::ready(Ok(Some(version))))
    }
}

fn change_of(version: Version, kind: OriginEventKind) -> Result<Change, SourceError> {
    match kind {
        OriginEventKind::Created { entry }
        | OriginEventKind::Replaced { entry, .. }
        | OriginEventKind::Activated { entry }
        | OriginEventKind::Deactivated { entry } => Ok(Change::Put {
            version,
            row: SourceRow::Entry(entry),
        }),
        OriginEventKind::Deleted { entry, by } => Ok(Change::Delete {
            version,
            id: entry.id(),
            by,
        }),
        OriginEventKind::Loaded { .. } => Ok(Change::Reload { version }),
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("origins", &self.inner.origins)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::trusted::entry::Scope;

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
        let in_the_way = store.inner.edits().file.as_ref().unwrap().beside.clone();
        fs::create_dir(&in_the_way).unwrap();
        fs::write(&path, by_hand("store")).unwrap();
        assert!(store.reload().unwrap());
        let is_trusted = |origin: &str| store.origins().is_trusted(&origin.parse().unwrap());
        assert!(is_trusted("https://store.example"));
        let is_unsaved = || matches!(store.refusal(), Some(FileError::Unsaved(_)));
        assert!(is_unsaved());
        // It is told until something is written, and is no reason to refuse edits.
        assert!(!store.reload().unwrap());
        assert!(is_unsaved());
        fs::remove_dir(&in_the_way).unwrap();
        let draft = OriginDraft::new("B", "https://b.example", Scope::Cors).unwrap();
        let made = store.create(draft, Actor::new("admin").unwrap());
        made.await.unwrap();
        assert!(store.refusal().is_none());
    }
}
