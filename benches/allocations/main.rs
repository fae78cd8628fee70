//! Counts the allocations of every scenario, checks every answer, and fails where this crate
//! allocates, or where a clone grows with the configuration.
//!
//! `cargo test --bench allocations`; with `-- --print [PREFIX]` it prints the counts instead, one
//! line for each service: stack, scenario, service, allocations, bytes; and one for each policy that
//! is waited for: `waiting`, milliseconds, who waits, allocations, bytes.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod full_map;
mod observed;
mod waiting;

use std::{env, hint::black_box};

use allocation_counter::{AllocationInfo, measure};
use http::Request;
use tower::{Layer, Service};

use self::common::{
    Config, Implementation, Inner, Origins, Scenario, Stack, Subject, build_layer, scenarios,
    subject,
};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let printed = args.iter().position(|arg| arg == "--print");
    let prefix = printed
        .and_then(|at| args.get(at + 1))
        .filter(|arg| !arg.starts_with('-'));
    for stack in Stack::ALL {
        for scenario in scenarios() {
            let is_asked_for = prefix.is_none_or(|prefix| scenario.id.starts_with(prefix));
            if is_asked_for && (stack == Stack::Tower || !scenario.ours_alone) {
                look_at(stack, &scenario, printed.is_some());
            }
        }
    }
    let held = what_is_held_does_not_depend_on_the_configuration();
    match printed {
        Some(_) => {
            waiting::print();
            println!("held {held}");
        }
        None => {
            full_map::nothing_is_allocated_where_nothing_is_added();
            observed::what_is_allowed_costs_a_hook_nothing();
            the_future_is_small();
            waiting::a_verdict_costs_few_allocations();
            println!("no allocation of ours, and every answer is right");
        }
    }
}

fn look_at(stack: Stack, scenario: &Scenario, print: bool) {
    let mut floor = AllocationInfo::default();
    for implementation in Implementation::ALL {
        if !scenario.measures(implementation) {
            continue;
        }
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
                floor.bytes_total = floor.bytes_total.max(info.bytes_total);
            }
            Implementation::Ours => {
                check(stack, scenario, &floor, &info)
                    .unwrap_or_else(|wrong| panic!("{id}: {wrong}"));
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

/// The least of five requests: the caches of tokens tidy up by the clock, in the request that
/// happens to come then.
fn one_request(subject: &mut dyn Subject, scenario: &Scenario) -> AllocationInfo {
    subject.prepare(&scenario.head, 2);
    subject.run();
    let requests = (0..5).map(|_| {
        subject.prepare(&scenario.head, 1);
        measure(|| subject.run())
    });
    requests
        .min_by_key(|info| (info.count_total, info.bytes_total))
        .unwrap_or_default()
}

/// No allocation of ours, but for a `Vary` that has to be put together, for what a token leaves in
/// the request's extensions, whose map is boxed and boxes what it holds, and for a denial that is
/// recorded in the response's; and nothing is kept.
fn check(
    stack: Stack,
    scenario: &Scenario,
    floor: &AllocationInfo,
    ours: &AllocationInfo,
) -> Result<(), String> {
    let needed = match scenario.config.origins {
        #[cfg(feature = "token")]
        Origins::Token if scenario.expectation == common::Expectation::Refused => 7,
        #[cfg(feature = "token")]
        Origins::Token => 3,
        _ => u64::from(scenario.composes_vary()),
    };
    let allowed = floor.count_total + needed;
    if ours.count_total > allowed {
        return Err(format!("{} allocations, not {allowed}", ours.count_total));
    }
    // An axum service in a box is larger by what the layer and its future are.
    let larger = match stack {
        Stack::Tower => 0,
        Stack::Axum | Stack::Router => 512,
    };
    let allowed = floor.bytes_total + larger + 512 * needed;
    if ours.bytes_total > allowed {
        return Err(format!("{} bytes, not {allowed}", ours.bytes_total));
    }
    if ours.count_current > floor.count_current {
        return Err("memory is leaked".to_owned());
    }
    Ok(())
}

/// One pointer in each service, and one configuration for all of them, of this many bytes.
fn what_is_held_does_not_depend_on_the_configuration() -> i64 {
    let config = Config::new(Origins::List(100_000));
    let mut built = None;
    let held = measure(|| built = Some(build_layer(&config)));
    let layer = built.unwrap();
    assert!(
        held.bytes_current <= 6_000_000,
        "100,000 origins hold {} bytes",
        held.bytes_current
    );
    assert!(size_of_val(&layer.layer(())) <= 24);
    let many = measure(|| {
        for _ in 0..1_000 {
            drop(black_box(layer.layer(()).clone()));
        }
    });
    assert_eq!(many.count_total, 0, "services share their configuration");
    held.bytes_current
}

/// Every pending request holds one, and every boxed service moves one.
fn the_future_is_small() {
    fn size<S: Service<Request<()>>>(_: &S) -> usize {
        size_of::<S::Future>()
    }
    let inner = Inner::<()>::new(None);
    let layer = build_layer(&Config::new(Origins::List(1)));
    let added = size(&layer.layer(inner.clone())) - size(&inner);
    assert!(added <= 96, "the response future adds {added} bytes");
}
