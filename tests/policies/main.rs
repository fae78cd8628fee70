//! Ready-made policies, combinators, and the strategies for preflights.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers, which clippy does not know for tests"
)]

mod combinators;
#[cfg(feature = "test-util")]
mod conformance;
mod documented;
mod printed;
mod seen;
mod strategies;
#[path = "../support/mod.rs"]
mod support;
