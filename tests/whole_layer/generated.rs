//! Generated requests to generated configurations.
//!
//! `MODEL_REQUESTS` says how many, and `MODEL_SEED` with which seed they begin. `scripts/model.sh` runs
//! ten million.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::model::check::{Count, check_seed};

fn variable(name: &str, default: u64) -> u64 {
    let text = env::var(name).unwrap_or_default();
    if text.is_empty() {
        return default;
    }
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number"))
}

#[test]
fn the_layer_answers_as_the_model_says() {
    let requests = variable("MODEL_REQUESTS", 100_000);
    let first = variable("MODEL_SEED", 1);
    let (seed, done) = (AtomicU64::new(first), AtomicU64::new(0));
    let refused = AtomicU64::new(0);
    let work = || {
        while done.load(Ordering::Relaxed) < requests {
            let mut count = Count::default();
            check_seed(seed.fetch_add(1, Ordering::Relaxed), &mut count);
            done.fetch_add(count.exchanges, Ordering::Relaxed);
            refused.fetch_add(count.refused, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                // Its own text, not that of the scope.
                std::panic::resume_unwind(panic);
            }
        }
    });
    let (cases, done) = (seed.into_inner() - first, done.into_inner());
    let refused = refused.into_inner();
    println!(
        "{done} requests to {cases} configurations, of which {refused} had mistakes; seeds from {first}"
    );
    // The generator must not drift to where nothing is compared.
    assert!(
        refused * 2 < cases,
        "{refused} of {cases} configurations do not build"
    );
}
