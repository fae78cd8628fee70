//! Real servers over loopback sockets, and the threats to origins that come from tokens.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers, which clippy does not know for tests"
)]

mod beside;
mod servers;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "jwt-rust-crypto")]
mod threats;
