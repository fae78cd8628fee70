//! Processor time, as Linux counts it.

use std::fs;

/// Nanoseconds that a thread has run: that of `thread-self`, or the first one of a process.
pub(crate) fn nanoseconds(of: &str) -> u64 {
    let schedstat = fs::read_to_string(format!("/proc/{of}/schedstat"));
    let schedstat = schedstat.expect("Linux tells the time that a thread has run");
    schedstat.split(' ').next().unwrap().parse().unwrap()
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A number from the environment, or this one.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}
