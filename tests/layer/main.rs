//! The layer before an inner service that records what reaches it: every row and rule of the
//! request path, held against the complete header map of the answer.
//!
//! Each exchange is played twice, with a policy that answers at once and with one that has to be
//! waited for, and both must agree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers, which clippy does not know for tests"
)]

mod actual;
mod broad_preflight;
#[cfg(feature = "test-util")]
mod browser;
mod bytes;
#[cfg(feature = "serde")]
mod cases;
#[cfg(feature = "serde")]
mod config;
mod credentials;
mod decisions;
mod denials;
mod entries;
#[cfg(all(
    feature = "axum",
    feature = "dpop",
    feature = "reqwest",
    feature = "test-util",
    feature = "trusted"
))]
mod errors;
mod fetch_metadata;
mod grants;
mod host;
#[cfg(all(feature = "metrics", feature = "token", feature = "trusted"))]
mod metrics;
#[cfg(feature = "serde")]
mod neighbours;
mod no_origin;
mod preflight;
mod readiness;
mod refuse;
#[cfg(feature = "reload")]
mod reload;
mod report_only;
mod routes;
#[cfg(feature = "serde")]
mod settings;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "idna")]
mod texts;
mod vary;
