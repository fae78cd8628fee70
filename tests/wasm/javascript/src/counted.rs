//! What is counted through the facade `metrics`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::Failure;

/// The counters that are not 0 after `work`, one a line, in the order of their names.
pub(crate) fn during(work: impl FnOnce() -> Result<(), Failure>) -> Result<String, Failure> {
    let counters = Counters::default();
    metrics::with_local_recorder(&counters, work)?;
    let counters = counters.0.lock().map_err(|error| error.to_string())?;
    let counts = counters
        .iter()
        .map(|(name, count)| (name, count.0.load(Ordering::Relaxed)))
        .filter(|(_, count)| *count > 0);
    let lines: Vec<_> = counts
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    Ok(lines.join("\n"))
}

#[derive(Default)]
struct Count(AtomicU64);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Counters(Mutex<BTreeMap<String, Arc<Count>>>);

impl Recorder for Counters {
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={:?}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        let mut counters = self.0.lock().expect("nothing here panics");
        Counter::from_arc(Arc::clone(counters.entry(name).or_default()))
    }

    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
