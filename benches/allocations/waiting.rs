//! What is allocated for a verdict that has to be waited for.

use allocation_counter::{AllocationInfo, measure};

use crate::common::{DELAYS, Waited, Waiter};

fn one_request(waiter: Waiter, milliseconds: u64) -> AllocationInfo {
    let mut waited = Waited::new(waiter, milliseconds);
    waited.prepare(2);
    waited.run();
    waited.prepare(1);
    measure(|| waited.run())
}

pub(crate) fn print() {
    for milliseconds in DELAYS {
        for waiter in Waiter::ALL {
            let info = one_request(waiter, milliseconds);
            let (count, bytes) = (info.count_total, info.bytes_total);
            println!("waiting {milliseconds} {waiter:?} {count} {bytes}");
        }
    }
}

/// The policy's future, the verdict on its way out of the decision, and the request that waits; with
/// a limit, the timer and the future of both.
pub(crate) fn a_verdict_costs_few_allocations() {
    for milliseconds in DELAYS {
        let [by_hand, layer, limited] = Waiter::ALL.map(|waiter| one_request(waiter, milliseconds));
        for (info, allowed) in [(layer, 3), (limited, 5)] {
            let added = info.count_total - by_hand.count_total;
            assert!(added <= allowed, "{milliseconds} ms: {added} allocations");
            assert_eq!(
                info.count_current, by_hand.count_current,
                "memory is leaked"
            );
        }
    }
}
