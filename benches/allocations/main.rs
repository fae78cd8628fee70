//! Counts the allocations of every scenario, checks every answer, and fails where this crate
//! allocates, or where a clone grows with the configuration.
//!
//! `cargo test --bench allocations`; with `-- --print` it prints the counts instead, one line for
//! each service: stack, scenario, service, allocations, bytes.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

mod answers;
#[path = "../common/mod.rs"]
mod common;

use std::hint::black_box;

use allocation_counter::{AllocationInfo, measure};
use tower::Layer;

use self::common::{Implementation, Scenario, Stack, Subject, build_layer, scenarios, subject};

fn main() {
    let print = std::env::args().any(|arg| arg == "--print");
    for stack in Stack::ALL {
        for scenario in scenarios().iter().filter(|scenario| !scenario.ours_alone) {
            look_at(stack, scenario, print);
        }
    }
    if !print {
        what_is_held_does_not_depend_on_the_configuration();
        println!("no allocation of ours, and every answer is right");
    }
}

fn look_at(stack: Stack, scenario: &Scenario, print: bool) {
    let mut floor = AllocationInfo::default();
    for implementation in Implementation::ALL {
        let mut subject = subject(stack, implementation, scenario);
        let id = format!("{} {} {implementation:?}", stack.name(), scenario.id);
        if implementation != Implementation::None {
            let answer = subject.answer(&scenario.head);
            answers::check(scenario, &answer).unwrap_or_else(|wrong| panic!("{id}: {wrong}"));
        }
        let info = one_request(&mut *subject, scenario);
        if print {
            println!("{id} {} {}", info.count_total, info.bytes_total);
        }
        match implementation {
            Implementation::None => floor = info,
            // A response of axum's may have to grow for four more headers, whoever adds them.
            Implementation::Minimum if stack != Stack::Tower => {
                floor.count_total = floor.count_total.max(info.count_total);
            }
            Implementation::Ours => {
                check(scenario, &floor, &info).unwrap_or_else(|wrong| panic!("{id}: {wrong}"));
                let clones = measure(|| subject.clone_and_drop(1));
                assert!(
                    stack != Stack::Tower || clones.count_total == 0,
                    "{id}: a clone allocates"
                );
            }
            Implementation::Minimum | Implementation::TowerHttp => {}
        }
    }
}

fn one_request(subject: &mut dyn Subject, scenario: &Scenario) -> AllocationInfo {
    subject.prepare(&scenario.head, 2);
    subject.run();
    subject.prepare(&scenario.head, 1);
    measure(|| subject.run())
}

/// No allocation of ours, but for a `Vary` that has to be put together; and nothing is kept.
fn check(scenario: &Scenario, floor: &AllocationInfo, ours: &AllocationInfo) -> Result<(), String> {
    let composes = scenario.inner_vary == Some("accept-encoding");
    let allowed = floor.count_total + u64::from(composes);
    if ours.count_total > allowed {
        return Err(format!("{} allocations, not {allowed}", ours.count_total));
    }
    if ours.count_current > floor.count_current {
        return Err("memory is leaked".to_owned());
    }
    Ok(())
}

/// One pointer in each service, and one configuration for all of them.
fn what_is_held_does_not_depend_on_the_configuration() {
    let mut config = scenarios().swap_remove(0).config;
    config.origins = common::Origins::List(100_000);
    let mut built = None;
    let held = measure(|| built = Some(build_layer(&config)));
    let layer = built.unwrap();
    println!("100,000 origins hold {} bytes", held.bytes_current);
    assert!(
        held.bytes_current <= 6_000_000,
        "100,000 origins hold too much"
    );
    assert!(size_of_val(&layer.layer(())) <= 24);
    let many = measure(|| {
        for _ in 0..1_000 {
            drop(black_box(layer.layer(()).clone()));
        }
    });
    assert_eq!(many.count_total, 0, "services share their configuration");
}
