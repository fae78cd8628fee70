//! What several test binaries share: services that record, tokens, issuers, sockets.
#![allow(dead_code, reason = "each test binary needs a part of it")]

pub(crate) mod beside;
#[cfg(all(feature = "reqwest", feature = "tracing"))]
pub(crate) mod issuer;
pub(crate) mod service;
pub(crate) mod sockets;
#[cfg(feature = "token")]
pub(crate) mod token_request;
#[cfg(feature = "jwt-rust-crypto")]
pub(crate) mod tokens;
