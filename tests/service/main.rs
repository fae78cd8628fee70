//! The layer before an inner service that records what reaches it: every row and rule of the
//! request path, held against the complete header map of the answer.
//!
//! Each exchange is played twice, with a policy that answers at once and with one that has to be
//! waited for, and both must agree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod actual;
mod broad_preflight;
mod credentials;
mod denials;
mod grants;
mod no_origin;
mod preflight;
mod refuse;
mod support;
mod vary;
