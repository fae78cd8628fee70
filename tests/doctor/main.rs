//! `cors-doctor` as a program, against servers of all kinds on loopback.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod causes;
mod command_line;
mod conduct;
mod guide;
mod hostile;
mod samples;
mod support;
mod warnings;
mod websocket;
