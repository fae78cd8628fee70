use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use crate::trusted::source::SourceError;

/// How it goes with a [`Replica`](crate::trusted::replica::Replica). Cloning is one reference count.
#[derive(Clone, Debug)]
pub struct ReplicaMonitor {
    status: Arc<Mutex<ReplicaStatus>>,
}

impl ReplicaMonitor {
    pub(crate) fn new() -> Self {
        Self {
            status: Arc::default(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ReplicaStatus> {
        // Nothing panics while it holds the lock.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it goes now.
    pub fn status(&self) -> ReplicaStatus {
        self.lock().clone()
    }
}

/// How it goes with a [`Replica`](crate::trusted::replica::Replica). Version, staleness and invalid rows are the
/// registry's to tell.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Whether the source was within reach when it was last needed: its feed is open, and its
    /// content loaded.
    pub is_connected: bool,
    /// How many times the whole was loaded: at the beginning, after each failure, at a
    /// [`Change::Reload`](crate::trusted::source::Change::Reload), and at a resync that has found a new version.
    pub loads: u64,
    /// How many changes the feed has brought.
    pub changes: u64,
    /// How many times something failed, each of which made the replica begin anew.
    pub failures: u64,
    /// What failed last, and when.
    pub last_failure: Option<(SystemTime, SourceError)>,
}

impl ReplicaStatus {
    pub(crate) fn loaded(&mut self) {
        self.is_connected = true;
        self.loads += 1;
    }

    pub(crate) fn fail(&mut self, error: &SourceError) {
        self.is_connected = false;
        self.failures += 1;
        self.last_failure = Some((SystemTime::now(), error.clone()));
    }
}
