use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tower_cors::trusted::{
    entry::{Actor, EntryId, OriginDraft, Scope, Status, TrustedOrigin, Version},
    store::StoreError,
};

use crate::scene::{PATIENCE, Shared, actor, stored};

/// Keeps account of edits: what was acknowledged must be in the store, and what was refused must not.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    /// Edits of which nobody can say whether they were done, until the store is read.
    unanswered: Vec<Edit>,
    /// Entries that stay as they are.
    kept: Vec<EntryId>,
    begun: usize,
    /// The greatest version that was acknowledged.
    newest: Version,
    pub(crate) acknowledged: usize,
}

impl Ledger {
    /// Makes the next edit: entries are created, replaced, deactivated and deleted by turns. They are long,
    /// so that a disk is soon full.
    pub(crate) async fn edit(&mut self, store: &Arc<dyn Shared>) -> Result<(), StoreError> {
        let number = self.begun;
        self.begun += 1;
        let name = format!("entry {number} {}", "x".repeat(200));
        let page = format!("https://page-{number}.{}.example", "y".repeat(60));
        let draft = OriginDraft::new(&name, &page, Scope::Cors).unwrap();
        let edit = match (number % 5, self.any_entry()) {
            (1, Some(entry)) => Edit::Replace(entry.id(), draft),
            (2, Some(entry)) => {
                let draft = entry.draft().clone();
                Edit::Replace(entry.id(), draft.with_status(Status::Inactive))
            }
            (4, Some(entry)) => Edit::Delete(entry.id()),
            _ => Edit::Create(draft),
        };
        self.make(store, edit).await
    }

    /// Creates an entry, which later edits leave as it is.
    pub(crate) async fn create(
        &mut self,
        store: &Arc<dyn Shared>,
        draft: OriginDraft,
    ) -> Arc<TrustedOrigin> {
        let entry = store.create(draft, by()).await.unwrap();
        self.entries.insert(entry.id(), Arc::clone(&entry));
        self.kept.push(entry.id());
        entry
    }

    /// Makes edits until the store takes one.
    pub(crate) async fn insist(&mut self, store: &Arc<dyn Shared>) {
        let start = Instant::now();
        while let Err(error) = self.edit(store).await {
            assert!(start.elapsed() < PATIENCE, "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn make(&mut self, store: &Arc<dyn Shared>, edit: Edit) -> Result<(), StoreError> {
        let result = match &edit {
            Edit::Create(draft) => store.create(draft.clone(), by()).await.map(Done::Written),
            Edit::Replace(id, draft) => {
                let replaced = store.replace(*id, None, draft.clone(), by());
                replaced.await.map(Done::Written)
            }
            Edit::Delete(id) => {
                let gone = store.delete(*id, None, by()).await;
                gone.map(|at| Done::Gone(*id, at))
            }
        };
        match result {
            Ok(done) => {
                let version = match done {
                    Done::Written(entry) => {
                        let version = entry.version();
                        self.entries.insert(entry.id(), entry);
                        version
                    }
                    Done::Gone(id, version) => {
                        self.entries.remove(&id);
                        version
                    }
                };
                assert!(version > self.newest, "{version} was given before");
                self.newest = version;
                self.acknowledged += 1;
                Ok(())
            }
            Err(error) => {
                if !is_refusal(&error) {
                    self.unanswered.push(edit);
                }
                Err(error)
            }
        }
    }

    /// An entry that may be edited, and is not the subject of an unanswered edit.
    fn any_entry(&self) -> Option<&Arc<TrustedOrigin>> {
        let is_free = |id: &EntryId| {
            !self.kept.contains(id)
                && !self.unanswered.iter().any(|edit| match edit {
                    Edit::Create(_) => false,
                    Edit::Replace(of, _) | Edit::Delete(of) => of == id,
                })
        };
        let free = self.entries.iter().filter(|(id, _)| is_free(id));
        let free: Vec<_> = free.map(|(_, entry)| entry).collect();
        free.get(self.begun * 7 % free.len().max(1)).copied()
    }

    /// Compares the store with what it has acknowledged, entry by entry, and finds out what became of the
    /// edits that it has not answered. Fails if any other entry is lost, changed or invented.
    pub(crate) async fn settle(&mut self, store: &Arc<dyn Shared>) {
        let stored = stored(store).await;
        for edit in self.unanswered.drain(..) {
            let there = |id| stored.iter().find(|entry| entry.id() == id);
            let done = match &edit {
                Edit::Create(draft) => stored.iter().find(|entry| entry.draft() == draft),
                Edit::Replace(id, draft) => there(*id).filter(|entry| entry.draft() == draft),
                Edit::Delete(id) => {
                    if there(*id).is_none() {
                        self.entries.remove(id);
                    }
                    None
                }
            };
            if let Some(entry) = done {
                self.entries.insert(entry.id(), Arc::clone(entry));
            }
        }
        let acknowledged: Vec<_> = self.entries.values().cloned().collect();
        assert_eq!(stored, acknowledged);
    }
}

enum Edit {
    Create(OriginDraft),
    Replace(EntryId, OriginDraft),
    Delete(EntryId),
}

enum Done {
    Written(Arc<TrustedOrigin>),
    Gone(EntryId, Version),
}

/// Whether the server has answered that the edit is not done. PostgreSQL also names a full disk before it
/// ends because of its log; then the edit may be in the log.
fn is_refusal(error: &StoreError) -> bool {
    let error = error.to_string();
    let by_postgres = [
        "could not extend file",
        "Could not write to file \"pg_notify/",
    ];
    let is_by_postgres = by_postgres.iter().any(|words| error.contains(words));
    (is_by_postgres && error.contains("No space left on device"))
        || error.contains("insufficient resources")
}

fn by() -> Actor {
    actor(&"z".repeat(200))
}
