//! What a layer decided, for observers: a hook, the handler, outer layers, counters.
//!
//! Nothing here changes an answer. A layer that nobody observes does nothing of it: each of these
//! is a setting of [`CorsLayerBuilder`](crate::CorsLayerBuilder) and of
//! [`MethodRules`](crate::routes::MethodRules).
//!
//! | setting | who sees the [`Decision`] |
//! |---|---|
//! | [`on_decision`](crate::CorsLayerBuilder::on_decision) | a function of yours, once for each request |
//! | [`record_decisions`](crate::CorsLayerBuilder::record_decisions) | the handler, in the request's extensions, and outer layers, in the response's |
//! | [`report_only`](crate::CorsLayerBuilder::report_only) | beside it, what another configuration would have decided |
//! | `record_metrics`, with the feature `metrics` | counters |

#[cfg(feature = "axum")]
mod axum;
mod decision;
mod difference;
#[cfg(feature = "metrics")]
mod metrics;
mod outcome;

#[cfg(feature = "axum")]
pub use self::axum::MissingDecision;
#[cfg(all(feature = "metrics", feature = "trusted"))]
pub(crate) use self::metrics::ConfirmedGauge;
#[cfg(feature = "metrics")]
pub(crate) use self::metrics::{CacheCounters, CacheKind, LayerMetrics};
pub use self::{
    decision::{Decision, RequestKind},
    difference::{Change, Difference, Judgement},
    outcome::Outcome,
};
