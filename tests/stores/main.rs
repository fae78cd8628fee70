//! The stores of `examples/apps/trusted_origins` against real servers, and what goes wrong with those.
//!
//! `scripts/stores.sh` runs them.

// Helpers of tests fail as tests do.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod by_hand;
#[path = "../../examples/apps/trusted_application/carriers/mod.rs"]
mod carriers;
mod clock;
mod contract;
mod disk;
mod example;
mod faults;
mod figures;
mod full_disk;
mod halted;
mod history;
mod ledger;
mod proxy;
mod revocations;
mod scene;
mod server;
#[path = "../../examples/apps/trusted_origins/stores/mod.rs"]
mod stores;
mod traffic;
