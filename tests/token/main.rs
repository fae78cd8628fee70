//! Origins carried by a token: where it travels, who verifies it, what it says, how it is issued.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers, which clippy does not know for tests"
)]
#![allow(clippy::print_stdout, reason = "the figures are for the reader")]

mod authenticate;
mod cache;
mod dpop;
mod introspection;
mod issuers;
mod issuing;
mod jwks;
mod jwt;
mod main_job;
mod printed;
mod request;
mod sources;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod wrappers;
