//! The registry that requests are judged by, and its events.

mod access;
mod effect;
mod error;
mod events;
mod families;
mod frame_ancestors;
mod freshness;
mod index;
mod origin_registry;
mod policy;
mod redirect;
mod subscribers;
mod tree;
mod why_not;
mod writer;

pub(crate) use self::subscribers::News;
pub use self::{
    error::VersionRegressed,
    events::{Events, OriginEvent, OriginEventKind, Received},
    origin_registry::OriginRegistry,
};
