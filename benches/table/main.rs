//! Prints the table of costs, as Markdown: `cargo bench --bench table`.
//!
//! Needs `valgrind`. Options after `--`: `--only PREFIX` for some scenarios, `--configuration` for
//! what building and cloning cost, `--profile STACK ID` for the functions in which one scenario
//! spends its instructions.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

mod allocations;
#[path = "../common/mod.rs"]
mod common;
mod configuration;
mod instructions;
mod markdown;
mod wall;

use std::env;

use self::common::{Implementation, Scenario, Stack, scenarios};

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["--measure", stack, id] => instructions::run(stack, id),
        ["--measure-configuration", what] => configuration::run(what),
        ["--profile", stack, id] => instructions::profile(stack, id),
        ["--only", prefix] => table(prefix),
        ["--configuration"] => configuration::print(),
        [] => {
            table("");
            configuration::print();
        }
        _ => panic!("unknown arguments: {args:?}"),
    }
}

/// What one scenario costs in one stack, by implementation; `None` where nobody measured it.
struct Row {
    scenario: Scenario,
    stack: Stack,
    instructions: [Option<f64>; 4],
    allocations: [Option<allocations::Allocations>; 4],
    nanoseconds: [Option<f64>; 4],
}

fn table(prefix: &str) {
    let counted = allocations::count();
    let mut rows = Vec::new();
    for stack in Stack::ALL {
        for scenario in scenarios() {
            if !scenario.id.starts_with(prefix) || (scenario.ours_alone && stack != Stack::Tower) {
                continue;
            }
            eprintln_progress(stack, &scenario);
            rows.push(Row {
                stack,
                instructions: instructions::count(stack, &scenario),
                allocations: Implementation::ALL
                    .map(|one| counted.get(&(stack, scenario.id.clone(), one)).copied()),
                nanoseconds: wall::measure(stack, &scenario),
                scenario,
            });
        }
    }
    markdown::print(&rows);
}

#[allow(clippy::print_stderr, reason = "a long program says where it is")]
fn eprintln_progress(stack: Stack, scenario: &Scenario) {
    eprintln!("{} {}: {}", stack.name(), scenario.id, scenario.what);
}
