//! Pages in real browsers: Chromium, Firefox and WebKit, without a screen.
//!
//! `scenarios` is a table of what a page's script sees and what reaches the server, in each engine.
//! `chat` opens the pages of `examples/apps/trusted_application`, `registry` those of
//! `examples/apps/trusted_origins`; `expired` is about tokens whose time is over; `clients` are clients
//! from npm. `scripts/browsers.sh` builds what is needed and runs them.

// Helpers of tests fail as tests do.
#![allow(clippy::panic, clippy::unwrap_used)]

mod application;
mod browser;
mod chat;
mod clients;
mod console;
mod driver;
mod engine;
mod expired;
mod process;
mod registry;
mod scenarios;
mod scene;
