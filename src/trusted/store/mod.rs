//! Where edits are written: the trait [`OriginStore`], and a store in memory or in a file.
//!
//! [`EntryEdit`] and [`RegistryWriter`] are for those who write stores of their own.

mod embedded;
mod embedded_source;
mod entry_edit;
mod file;
mod file_error;
mod file_format;
mod file_sync;
mod origin_store;
mod registry_writer;
mod unique;

pub use self::{
    embedded::EmbeddedStore,
    entry_edit::EntryEdit,
    file_error::FileError,
    origin_store::{OriginStore, StoreError, StoreFuture},
    registry_writer::RegistryWriter,
};
