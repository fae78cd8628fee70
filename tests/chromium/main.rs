//! Pages in a real, headless Chromium.
//!
//! `chat` opens the pages of `examples/apps/trusted_application`, `registry` those of
//! `examples/apps/trusted_origins`; `expired` is about tokens whose time is over; `claims` shows that
//! Chromium behaves as this crate relies on. `scripts/chromium.sh` builds what is needed and runs them.

// Helpers of tests fail as tests do.
#![allow(clippy::panic, clippy::unwrap_used)]

mod application;
mod browser;
mod chat;
mod claims;
mod console;
mod driver;
mod expired;
mod registry;
mod scene;
