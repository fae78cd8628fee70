//! The tower shell: a layer, its service, and the future of a response.
//!
//! All decisions are made in `protocol`, without tower. This module calls the inner service, waits
//! for policies that are not ready, and logs denials.

mod core;
mod cors_layer;
#[cfg(feature = "tracing")]
mod events;
mod explain;
mod future;
mod in_force;
#[cfg(all(
    feature = "tracing",
    any(
        not(all(target_family = "wasm", target_os = "unknown")),
        feature = "js"
    )
))]
mod limiter;
#[cfg(all(
    feature = "tracing",
    target_family = "wasm",
    target_os = "unknown",
    not(feature = "js")
))]
#[path = "unlimited.rs"]
mod limiter;
mod observe;
#[cfg(feature = "reload")]
mod reload;
mod service;
mod verdict_timeout;

#[cfg(feature = "tracing")]
pub(crate) use self::limiter::Limiter;
#[cfg(feature = "reload")]
pub use self::reload::CorsHandle;
pub(crate) use self::{
    core::Core,
    in_force::{InForce, Table},
    observe::{JudgementHook, Observation, Observer, ShadowSettings, Spawn},
    verdict_timeout::VerdictTimeout,
};
pub use self::{cors_layer::CorsLayer, future::ResponseFuture, service::Cors};
