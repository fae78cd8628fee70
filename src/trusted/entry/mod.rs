//! One entry of the registry: its fields, its checks, and its record in a store.

mod actor;
mod draft;
mod error;
mod id;
mod object;
mod record;
mod scopes;
mod stamp;
mod trusted_origin;
mod version;

pub(crate) use self::object::Object;
pub use self::{
    actor::Actor,
    draft::OriginDraft,
    error::{EntryError, NameErrorReason},
    id::EntryId,
    record::OriginRecord,
    scopes::{Scope, Scopes, Status},
    trusted_origin::TrustedOrigin,
    version::Version,
};
