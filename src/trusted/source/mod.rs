//! Where a replica reads from: the trait [`OriginSource`], and the changes that it yields.

mod change;
mod error;
mod origin_source;
mod position;
mod snapshot;

pub(crate) use self::snapshot::{InvalidRows, Progress};
pub use self::{
    change::{Change, InvalidRow, SourceRow},
    error::SourceError,
    origin_source::{ChangeFeed, OriginSource, SourceFuture},
    position::{HistoryId, Position},
    snapshot::SourceSnapshot,
};
