//! What both benches measure: the scenarios, and four services for each of them.

#![allow(dead_code, reason = "each of the benches leaves something out")]

mod config;
mod implementation;
mod inner;
#[cfg(all(feature = "token", feature = "trusted"))]
mod known;
mod minimum;
mod scenario;
mod subject;
#[cfg(feature = "token")]
mod token;
mod waiting;

#[allow(unused_imports, reason = "each of the benches leaves something out")]
#[cfg(all(feature = "token", feature = "trusted"))]
pub(crate) use self::known::{KNOWN, known};
#[allow(unused_imports, reason = "each of the benches leaves something out")]
pub(crate) use self::{
    config::{Config, Origins, listed_origin},
    implementation::Implementation,
    inner::Inner,
    scenario::{Expectation, Scenario, scenarios},
    subject::{Stack, Subject, build_layer, build_peer, subject},
    waiting::{DELAYS, Waited, Waiter},
};
