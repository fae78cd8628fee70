//! Trusted origins: a registry that administrators edit while the service runs.
//!
//! ```text
//! administrator --OriginStore--> store --OriginSource--> Replica --> OriginRegistry <-- requests
//! ```
//!
//! The modules follow the way of an edit:
//!
//! 1. [`entry`]: one entry, and the record that stores keep of it,
//! 2. [`store`]: where edits are written; [`EmbeddedStore`](store::EmbeddedStore) is one in memory or in
//!    a file,
//! 3. [`source`]: where a replica reads entries and changes from,
//! 4. [`replica`]: keeps a registry in step with a source,
//! 5. [`registry`]: the entries in memory, by which requests are judged.
//!
//! Where several processes share a store, each has a registry of its own. Stores hold
//! [`OriginRecord`](entry::OriginRecord)s, which are unchecked text; a
//! [`TrustedOrigin`](entry::TrustedOrigin) has been checked.

pub mod entry;
mod offload;
pub mod registry;
pub mod replica;
pub mod source;
pub mod store;

pub(crate) use self::offload::{offload, offload_within};
