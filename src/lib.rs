// The README is the crate's documentation. Its code needs features, so it is compiled where all of
// them are on.
#![cfg_attr(
    any(
        not(doctest),
        all(feature = "axum", feature = "jwt-rust-crypto", feature = "trusted")
    ),
    doc = include_str!("../README.md")
)]

mod builder;
#[cfg(feature = "serde")]
mod config;
mod decision;
mod error;
mod escaped;
#[cfg(feature = "tracing")]
mod events;
mod future;
mod grpc;
// Nothing but pages; their code needs these features.
#[cfg(all(
    doc,
    feature = "jwt-rust-crypto",
    feature = "reqwest",
    feature = "test-util"
))]
pub mod guide;
mod layer;
mod origin;
mod origin_set;
mod pattern;
mod policy;
mod punycode;
#[cfg(feature = "reload")]
mod reload;
mod request;
mod requested_headers;
mod routes;
mod rules;
mod same_origin;
mod service;
mod suggest;
#[cfg(feature = "test-util")]
pub mod test_util;
mod write;

pub use self::{
    builder::CorsLayerBuilder,
    error::{
        BroadPreflightReason, ConfigError, ConfigErrors, HeaderList, HeaderNameErrorReason,
        MethodErrorReason, OriginError, OriginErrorKind,
    },
    future::ResponseFuture,
    layer::CorsLayer,
    origin::{Origin, RequestOrigin},
    origin_set::OriginSet,
    pattern::OriginPattern,
    policy::{
        Any, Clock, Denial, DenialKind, Fallback, Grant, OriginPolicy, PolicyExt, PolicyFn,
        PolicyProperties, SystemClock, Terms, Verdict, VerdictFuture, WithPreflight, policy_fn,
    },
    request::{CorsRequest, Preflight},
    requested_headers::RequestedHeaders,
    routes::{MethodCors, MethodCorsBuilder, MethodCorsLayer, RouteCors},
    rules::{AllowHeaders, AllowMethods, DeniedRequests, Entries, ExposeHeaders, MaxAge},
    service::Cors,
};

#[cfg(feature = "serde")]
pub use self::config::CorsConfig;

/// Who answers the preflights of a policy that cannot judge them, because what it needs is in a
/// header that no preflight carries: see [`PolicyExt::with_preflight`].
pub mod preflight {
    pub use crate::policy::preflight::*;
}

/// Origins carried by a token: where it travels, who verifies it, what it says, and how it is
/// issued. A way through is in the [guide](crate::guide::tokens).
#[cfg(feature = "token")]
pub mod token {
    pub use crate::policy::token::*;
}

#[cfg(feature = "reload")]
pub use self::reload::{CorsHandle, ReloadableCors, ReloadableCorsLayer};

#[cfg(feature = "axum")]
pub use self::routes::CorsMethodRouter;
#[cfg(feature = "reload")]
pub use self::routes::MethodCorsHandle;

/// Trusted origins: a registry that administrators edit while the service runs.
#[cfg(feature = "trusted")]
pub mod trusted {
    pub use crate::policy::trusted::*;
}
