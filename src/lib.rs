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

// Configuration: what people write.
pub mod config;
pub mod routes;

// The tower shell.
pub mod layer;

// Layers beside CORS, for what it does not stop.
pub mod fetch_metadata;
mod gate;
pub mod host;

// The request path, without tower and without waiting.
mod protocol;

// The vocabulary: each line may use the ones below it.
pub mod error;
mod escaped;
mod fetch;
mod lines;
pub mod lists;
pub mod origin;
mod pairs;
pub mod policy;
pub mod request;
pub mod time;

// Policies with a room of their own.
pub mod preflight;
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
