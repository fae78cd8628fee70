//! The whole layer against a model of it: every answer, header by header.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers, which clippy does not know for tests"
)]

mod generated;
#[path = "../model/mod.rs"]
mod model;
mod small_world;
