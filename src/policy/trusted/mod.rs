//! Trusted origins: a registry that administrators edit while the service runs.
//!
//! ```text
//! administrator --OriginStore--> store --OriginSource--> Replica --> TrustedOrigins <-- requests
//! ```
//!
//! An [`EmbeddedStore`] is all of it in one process. Where several processes share a store, each
//! has a [`TrustedOrigins`] of its own, which a [`Replica`] keeps in step with the store's
//! [`OriginSource`]; edits go to its [`OriginStore`]. What stores hold are [`OriginRecord`]s, which
//! nobody has checked; a [`TrustedOrigin`] has been.

mod draft;
mod embedded;
mod entry;
mod error;
mod events;
mod file;
mod follow;
mod frames;
mod freshness;
mod index;
mod load;
mod monitor;
mod offload;
mod policy;
mod record;
mod redirect;
mod registry;
mod replica;
mod scopes;
mod source;
mod store;
mod unique;
mod writer;

pub use self::{
    draft::OriginDraft,
    embedded::EmbeddedStore,
    entry::{Actor, EntryId, TrustedOrigin, Version},
    error::{EntryError, NameErrorReason},
    events::{Events, OriginEvent, OriginEventKind, Received},
    file::FileError,
    load::Load,
    monitor::{ReplicaMonitor, ReplicaStatus},
    record::OriginRecord,
    registry::{TrustedOrigins, WentBack},
    replica::{Replica, WhenStale},
    scopes::{Scope, Scopes, Status},
    source::{Change, ChangeFeed, InvalidRow, OriginSource, Row, SourceError, SourceFuture},
    store::{OriginStore, StoreError, StoreFuture},
};
