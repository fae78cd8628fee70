//! What is counted through the facade `metrics`. Every handle is registered once, and every label
//! has few values: names that the application gives, and words of this crate. Origins, tokens and
//! paths never are labels.
//!
//! The names, units and labels are in the guide, in `guide/observing.md`.

mod cache;
mod layer;
mod reasons;
#[cfg(feature = "trusted")]
mod registry;

#[cfg(feature = "trusted")]
pub(crate) use self::registry::ConfirmedGauge;
pub(crate) use self::{
    cache::{CacheCounters, CacheKind},
    layer::LayerMetrics,
};
