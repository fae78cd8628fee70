//! Pages in real browsers: Chromium, Firefox and WebKit, without a screen.
//!
//! `scenarios` is a table: the result in a page's script, and the requests that reach the server.
//! `answers` is a table of scripted answers, on which each engine and its simulation have to agree.
//! `chat` opens the pages of `examples/apps/trusted_application`, `registry` those of
//! `examples/apps/trusted_origins`; `expired` is about tokens whose time is over; `clients` are clients
//! from npm; `beside` is about the layers beside CORS. `scripts/browsers.sh` builds the examples and runs the tests.

// Helpers of tests fail as tests do.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod answers;
mod application;
mod beside;
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
