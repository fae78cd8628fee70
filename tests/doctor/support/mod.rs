//! Servers on loopback, and the doctor as a process.

mod answer;
mod doctor;
mod raw;
mod server;
pub(crate) mod table;
mod tls;

pub(crate) use self::{
    answer::{Answer, Asked, by_hand, granted, json, reply},
    doctor::{Doctor, Report},
    raw::{raw, raw_stream},
    server::Server,
    tls::{tls, tls_stream},
};

/// The page of most tests.
pub(crate) const PAGE: &str = "https://app.example.com";
