use std::{fmt, path::Path, sync::Arc, time::Duration};

use super::{
    file::{EntriesFile, FileError},
    file_sync::{Edits, Inner},
    origin_store::{OriginStore, StoreError, StoreFuture},
};
use crate::{
    time::Clock,
    trusted::{
        entry::{Actor, EntryId, OriginDraft, Status, TrustedOrigin, Version},
        offload_within,
        registry::OriginRegistry,
        source::{Change, SourceError},
    },
};

/// A store in the memory of one process, with or without a file.
///
/// Its registry, [`origins`](Self::origins), serves an edit before the edit's future resolves.
/// Other registries can follow the store through a [`Replica`](crate::trusted::replica::Replica).
/// Cloning is one reference count: all clones are the same store.
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
/// The fields are those of [`OriginRecord`](crate::trusted::entry::OriginRecord). The store
/// replaces the file whole with each edit, so that no crash leaves half of one, and takes what
/// people have changed in it when [`reload`](Self::reload) or [`watch_file`](Self::watch_file) sees
/// it; it writes the file back then, with the versions that the changes have got, and without
/// comments. A file with any mistake, or with half of its content, is refused whole, and the old
/// entries stay; edits through the store fail until the file is right, because they would overwrite
/// it. Meanwhile [`refusal`](Self::refusal) says why, and the registry's
/// [`staleness`](OriginRegistry::staleness) grows. An edit made while no process runs keeps the
/// versions that the file says. The file belongs to one process: several share a database instead.
///
/// The name may be a link, which is followed anew at every look: turning it to another file, as
/// deployments and Kubernetes do, is an edit by hand. A write replaces the file that it leads to.
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
    pub(super) inner: Arc<Inner>,
}

impl EmbeddedStore {
    /// An empty store that ends with the process.
    pub fn in_memory() -> Self {
        Self::new(OriginRegistry::new(), None)
    }

    /// The same with a clock of the application's, which says when an entry was edited: see
    /// [`OriginRegistry::with_clock`].
    pub fn in_memory_with_clock(clock: impl Clock) -> Self {
        Self::new(OriginRegistry::with_clock(clock), None)
    }

    /// A store with this file. One that is not there is made with the first edit.
    ///
    /// This reads the file, and blocks meanwhile. Half-written files that a crash of an earlier
    /// process has left beside it are removed.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::open_in(OriginRegistry::new(), path.as_ref())
    }

    /// The same with a clock of the application's, by which the registry turns stale and which says
    /// when an entry was edited: see [`OriginRegistry::with_clock`].
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake.
    pub fn open_with_clock(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self, FileError> {
        Self::open_in(OriginRegistry::with_clock(clock), path.as_ref())
    }

    fn open_in(origins: OriginRegistry, path: &Path) -> Result<Self, FileError> {
        let store = Self::new(origins, Some(EntriesFile::new(path)?));
        store.reload()?;
        Ok(store)
    }

    fn new(origins: OriginRegistry, file: Option<EntriesFile>) -> Self {
        Self {
            inner: Arc::new(Inner::new(origins, file)),
        }
    }

    /// The registry that the store's edits go to.
    pub fn origins(&self) -> &OriginRegistry {
        &self.inner.origins
    }

    /// Takes what people have changed in the file, and writes it back with the new versions.
    /// Returns whether they have.
    ///
    /// This reads the file if anything about it has changed, and blocks meanwhile. One that says
    /// what is served is nothing new, however it is written. A file that cannot be written is taken
    /// all the same; [`refusal`](Self::refusal) says so.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake; what was served still is.
    pub fn reload(&self) -> Result<bool, FileError> {
        self.inner.look()
    }

    /// Why the file was not taken when it was last looked at, or could not be written back; `None`
    /// when all is well. Does not wait for the file.
    pub fn refusal(&self) -> Option<FileError> {
        self.inner.refusal()
    }

    /// Calls [`reload`](Self::reload) every now and then, on a thread of its own, which ends with
    /// the store. What it refuses is in [`refusal`](Self::refusal).
    ///
    /// # Errors
    ///
    /// The operating system has no thread to give.
    pub fn watch_file(&self, period: Duration) -> std::io::Result<()> {
        Inner::watch(&self.inner, period)
    }

    /// Makes an edit: at once in memory, on another thread where there is a file to write. A file
    /// that does not answer, as on a network mount that hangs, fails the edit after a while.
    fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Inner, &mut Edits) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let inner = Arc::clone(&self.inner);
        if !inner.has_file {
            return Box::pin(async move { edit(&inner, &mut inner.edits()) });
        }
        let limit = inner.patience;
        let work = move || {
            inner.with_file(|edits| {
                // An edit must not overwrite what people have written meanwhile.
                inner.reload(edits)?;
                Ok(edit(&inner, edits))
            })
        };
        let silent = self.inner.silent();
        Box::pin(async move {
            // Those who come while the file hangs do not start threads that would hang, too.
            if let Some(error) = silent {
                return Err(unavailable(error));
            }
            let done = offload_within(limit, work)
                .await
                .map_err(SourceError::new)?;
            done.map_err(unavailable)?
        })
    }
}

fn unavailable(error: FileError) -> StoreError {
    StoreError::Unavailable(SourceError::new(error))
}

impl OriginStore for EmbeddedStore {
    fn create(&self, draft: OriginDraft, by: Actor) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.edit(move |inner, edits| {
            let edit = inner.edit(by);
            let mut id = EntryId::generate(edit.time());
            while inner.origins.entry(id).is_some() {
                id = EntryId::generate(edit.time());
            }
            inner.put(edits, None, edit.create(id, draft))
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
            let entry = inner.edit(by).replace(&before, draft);
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
            let draft = before.draft().clone().with_status(status);
            let entry = inner.edit(by).replace(&before, draft);
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
            let (at, by) = (inner.at(version), Some(by));
            inner.apply(Change::Delete { at, id, by });
            Ok(version)
        })
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("origins", &self.inner.origins)
            .finish_non_exhaustive()
    }
}
