// The README is the crate's documentation. Its code needs features, so it is compiled where all of
// them are on.
#![cfg_attr(
    any(
        not(doctest),
        all(feature = "axum", feature = "jwt-rust-crypto", feature = "trusted")
    ),
    doc = include_str!("../README.md")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// What is not there on this target says so, instead of an error in the middle of a dependency.
#[cfg(all(
    all(target_family = "wasm", target_os = "unknown"),
    not(feature = "js"),
    any(feature = "metrics", feature = "token", feature = "trusted")
))]
compile_error!(
    "on wasm32-unknown-unknown, the features `metrics`, `token` and `trusted`, and those that enable them, read \
     the clock and draw random numbers: enable the feature `js` of tower-cors, too, which takes both \
     from JavaScript"
);
#[cfg(all(
    all(target_family = "wasm", target_os = "unknown"),
    feature = "reqwest"
))]
compile_error!(
    "on wasm32-unknown-unknown, the feature `reqwest` of tower-cors is not there, because the requests \
     of `reqwest` cannot be limited there: implement `KeySetFetcher` or `IntrospectionClient` with the \
     platform's `fetch`"
);

// Configuration: what people write.
pub mod config;
pub mod routes;

// The tower shell.
pub mod layer;

// What the request path decides, told to people.
pub mod explain;

// Layers beside CORS, for what it does not stop.
pub mod fetch_metadata;
mod gate;
pub mod host;

// The request path, without tower and without waiting.
mod protocol;

// The vocabulary. `scripts/rooms.sh` says which room may use which.
mod build_errors;
mod debug_as_display;
pub mod error;
mod escaped;
mod fetch;
mod leftover;
mod lines;
pub mod lists;
mod lock;
pub mod observe;
pub mod origin;
mod pairs;
pub mod policy;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
mod random;
pub mod request;
mod settings;
pub mod time;

// Policies with a room of their own, and the revocations that two of them share.
pub mod preflight;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
pub mod revocation;
#[cfg(feature = "token")]
pub mod token;
#[cfg(feature = "trusted")]
pub mod trusted;

// For tests and for readers.
#[cfg(feature = "test-util")]
pub mod test_util;
// Only pages; their code needs these features.
#[cfg(all(
    doc,
    feature = "jwt-rust-crypto",
    feature = "reqwest",
    feature = "test-util"
))]
pub mod guide;

pub use self::{
    config::CorsLayerBuilder,
    error::ConfigErrors,
    layer::{Cors, CorsLayer, ResponseFuture},
    lists::Any,
    origin::{Origin, OriginSet},
    policy::{
        Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, Verdict, VerdictFuture, policy_fn,
    },
    request::CorsRequest,
};
