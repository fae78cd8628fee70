use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use crate::{lock::lock, trusted::source::SourceError};

/// The status of a [`Replica`](crate::trusted::replica::Replica) while it runs. Cloning is one
/// reference count.
///
/// ```
/// use tower_cors::trusted::{
///     registry::OriginRegistry,
///     replica::{Replica, WhenStale},
///     store::EmbeddedStore,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_cors::trusted::source::SourceError> {
/// let store = EmbeddedStore::in_memory();
/// let replica = Replica::new(store, OriginRegistry::new(), WhenStale::KeepLast);
/// let monitor = replica.monitor();
/// assert_eq!(monitor.status().loads, 0);
///
/// replica.load_once().await?;
/// assert_eq!(monitor.status().loads, 1);
/// assert!(monitor.status().last_failure.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReplicaMonitor {
    status: Arc<Mutex<ReplicaStatus>>,
}

impl ReplicaMonitor {
    pub(super) fn lock(&self) -> MutexGuard<'_, ReplicaStatus> {
        lock(&self.status)
    }

    /// The status now.
    pub fn status(&self) -> ReplicaStatus {
        self.lock().clone()
    }
}

/// The status of a [`Replica`](crate::trusted::replica::Replica). The registry itself has the version,
/// the staleness and the invalid rows.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Whether the source was within reach when it was last needed: its feed is open, and its
    /// content loaded.
    pub is_connected: bool,
    /// How many times the whole was loaded: at the beginning, after each failure, at a
    /// [`Change::Reload`](crate::trusted::source::Change::Reload), and at a resync that has found
    /// another position.
    pub loads: u64,
    /// How many changes of the feed were served by themselves. One that a load has brought already,
    /// or takes with it, does not count.
    pub changes: u64,
    /// How many times the source had another history than the one that was served, at the same
    /// version: it was restored from a backup and edited since. Its content was loaded.
    pub histories: u64,
    /// How many times something failed, each of which made the replica begin anew.
    pub failures: u64,
    /// The last failure, and its time.
    pub last_failure: Option<(SystemTime, SourceError)>,
}

impl ReplicaStatus {
    pub(super) fn loaded(&mut self) {
        self.is_connected = true;
        self.loads += 1;
    }

    pub(super) fn fail(&mut self, time: SystemTime, error: &SourceError) {
        self.is_connected = false;
        self.failures += 1;
        self.last_failure = Some((time, error.clone()));
    }
}
