//! What the layer adds to a request whose policy has to be waited for.

use std::time::{Duration, Instant};

use super::{
    allocations::Allocations,
    common::{DELAYS, Waited, Waiter},
    instructions::{counted_region, under_callgrind},
    markdown::thousands,
};

/// So many requests are served before anything is counted, and so many are counted.
const WARM_UP: usize = 2;
const REQUESTS: usize = 10;
/// Of each, of which the median counts.
const TIMES: usize = 101;

/// This is the process that callgrind looks at.
pub(crate) fn run(milliseconds: u64) {
    for waiter in Waiter::ALL {
        let mut waited = Waited::new(waiter, milliseconds);
        waited.prepare(WARM_UP);
        waited.run();
        waited.prepare(REQUESTS);
        counted_region(&mut || waited.run());
    }
}

/// Instructions of one request, by who waits.
fn instructions(milliseconds: u64) -> [f64; 3] {
    let dumps = under_callgrind(&["--measure-waiting", &milliseconds.to_string()]);
    let [by_hand, layer, limited] = &dumps[..] else {
        panic!("unexpected dumps");
    };
    [by_hand, layer, limited].map(|dump| dump.values().sum::<u64>() as f64 / REQUESTS as f64)
}

/// The times of one request each, by who waits, who take turns.
fn times(milliseconds: u64) -> [Duration; 3] {
    let mut all = Waiter::ALL.map(|waiter| (Waited::new(waiter, milliseconds), Vec::new()));
    for _ in 0..TIMES {
        for (waited, times) in &mut all {
            waited.prepare(1);
            let begun = Instant::now();
            waited.run();
            times.push(begun.elapsed());
        }
    }
    all.map(|(_, mut times)| {
        times.sort();
        times[TIMES / 2]
    })
}

pub(crate) fn print(allocations: &[[Allocations; 3]]) {
    println!(
        "\n| the policy answers after | by hand: instructions | the layer adds | with a limit | \
         allocations | with a limit | by hand: µs | with the layer | with a limit |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (milliseconds, [none, layer, limited]) in DELAYS.into_iter().zip(allocations) {
        let counted = instructions(milliseconds);
        let times = times(milliseconds).map(|time| format!("{:.1}", time.as_secs_f64() * 1e6));
        println!(
            "| {milliseconds} ms | {} | {} | {} | {} | {} | {} |",
            thousands(counted[0]),
            thousands(counted[1] - counted[0]),
            thousands(counted[2] - counted[0]),
            layer.count - none.count,
            limited.count - none.count,
            times.join(" | "),
        );
    }
}
