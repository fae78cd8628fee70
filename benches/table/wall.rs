//! Wall time, which on a shared machine means something only as a ratio inside one run: the
//! implementations take turns, and the median of the rounds counts.

use std::time::{Duration, Instant};

use super::common::{Implementation, Scenario, Stack, Subject, subject};

const ROUNDS: usize = 101;
/// How long all rounds of one implementation may take.
const BUDGET: Duration = Duration::from_millis(60);
const MOST_REQUESTS: u32 = 64;

/// Nanoseconds for each request, by implementation.
pub(crate) fn measure(stack: Stack, scenario: &Scenario) -> [Option<f64>; 4] {
    let mut subjects: Vec<_> = Implementation::ALL
        .into_iter()
        .filter(|one| scenario.measures(*one))
        .map(|one| (one, subject(stack, one, scenario)))
        .map(|(one, mut subject)| {
            time(&mut *subject, scenario, 2);
            let once = time(&mut *subject, scenario, 1).as_nanos().max(1);
            let in_all = (BUDGET.as_nanos() / once).max(3);
            let rounds = in_all.min(ROUNDS as u128) as usize;
            let requests = (in_all / rounds as u128).clamp(1, MOST_REQUESTS.into()) as u32;
            (one, subject, rounds, requests, Vec::new())
        })
        .collect();
    for round in 0..ROUNDS {
        for (_, subject, rounds, requests, times) in &mut subjects {
            if round < *rounds {
                let time = time(&mut **subject, scenario, *requests);
                times.push(time.as_nanos() as f64 / f64::from(*requests));
            }
        }
    }
    Implementation::ALL.map(|one| {
        let (.., times) = subjects.iter_mut().find(|(other, ..)| *other == one)?;
        times.sort_by(f64::total_cmp);
        Some(times[times.len() / 2])
    })
}

fn time(subject: &mut dyn Subject, scenario: &Scenario, requests: u32) -> Duration {
    subject.prepare(&scenario.head, requests as usize);
    let start = Instant::now();
    subject.run();
    start.elapsed()
}
