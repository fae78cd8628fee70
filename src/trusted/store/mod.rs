//! Where edits are written: the trait [`OriginStore`], and a store in memory or in a file.

mod embedded;
mod file;
mod origin_store;
mod unique;

pub use self::{
    embedded::EmbeddedStore,
    file::FileError,
    origin_store::{OriginStore, StoreError, StoreFuture},
};
