//! What both benches measure: the scenarios, and four services for each of them.

#![allow(dead_code, reason = "each of the benches leaves something out")]

mod inner;
mod minimum;
mod scenario;
mod subject;

#[allow(unused_imports, reason = "each of the benches leaves something out")]
pub(crate) use self::{
    inner::Inner,
    scenario::{Config, Expectation, Origins, Scenario, scenarios},
    subject::{Implementation, Stack, Subject, build_layer, build_peer, subject},
};
