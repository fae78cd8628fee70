//! What a verified token says: its claims, and the origins that one of them lists.

mod claims;
mod entry;
mod entry_error;
mod format;
mod list;
mod origins_claim;
mod reading;

pub use self::{
    claims::{Claims, ClaimsError},
    entry::ListRules,
    entry_error::EntryErrorKind,
    format::{FormatError, OriginsFormat},
    origins_claim::OriginsClaim,
};
pub(crate) use self::{
    format::is_delimiter,
    list::{ClaimReading, ListLimits, NamedBy},
};
