//! Following a source: [`Replica`] keeps a registry in step with it.

mod follow;
mod monitor;
mod replica_of;

pub use self::{
    monitor::{ReplicaMonitor, ReplicaStatus},
    replica_of::{Replica, WhenStale},
};
