//! Prints the table of costs, as Markdown: `cargo bench --bench table`.
//!
//! Needs `valgrind`. Options after `--`: `--only PREFIX` for some scenarios, `--configuration` for
//! what building and cloning cost, `--waiting` for policies that are waited for, `--profile STACK ID` for the functions in which one scenario
//! spends its instructions, `--policies` (with `--all-features`) for policies that know more than a list, `--readme` for what the README says of costs.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

mod allocations;
#[path = "../common/mod.rs"]
mod common;
mod configuration;
mod instructions;
mod markdown;
mod mean;
#[cfg(all(feature = "token", feature = "trusted"))]
mod policies;
mod readme;
mod targets;
mod waiting;
mod wall;

use std::{env, process::ExitCode};

use self::{
    common::{Implementation, Scenario, Stack, scenarios},
    instructions::Instructions,
};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    // `cargo bench` says so, and `cargo test --benches` does not.
    let is_bench = args.iter().any(|arg| arg == "--bench");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let args: Vec<&str> = args.into_iter().filter(|arg| *arg != "--bench").collect();
    match args[..] {
        ["--measure", stack, id] => {
            instructions::run(stack, id);
            return ExitCode::SUCCESS;
        }
        ["--measure-configuration", what] => {
            configuration::run(what);
            return ExitCode::SUCCESS;
        }
        #[cfg(all(feature = "token", feature = "trusted"))]
        ["--measure-policy", name] => {
            policies::run(name);
            return ExitCode::SUCCESS;
        }
        ["--measure-waiting", milliseconds] => {
            waiting::run(milliseconds.parse().unwrap());
            return ExitCode::SUCCESS;
        }
        _ if !is_bench => {
            println!("usage: cargo bench --bench table");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if let Err(missing) = instructions::check() {
        complain(&missing);
        return ExitCode::FAILURE;
    }
    match args[..] {
        ["--profile", stack, id] => instructions::profile(stack, id),
        ["--only", prefix] => {
            let (rows, _) = measure(prefix);
            markdown::print(&rows);
        }
        ["--configuration"] => configuration::print(&configuration::measure()),
        ["--waiting"] => waiting::print(&allocations::count("no scenario").waiting),
        #[cfg(all(feature = "token", feature = "trusted"))]
        ["--policies"] => policies::print(),
        ["--readme"] => readme::print(),
        [] => {
            let (rows, counted) = measure("");
            let configuration = configuration::measure();
            markdown::print(&rows);
            configuration::print(&configuration);
            waiting::print(&counted.waiting);
            targets::print(&rows, &configuration, counted.bytes_held);
        }
        _ => {
            complain(&format!("unknown arguments: {args:?}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What one scenario costs in one stack, by implementation; `None` where nobody measured it.
struct Row {
    scenario: Scenario,
    stack: Stack,
    instructions: [Option<Instructions>; 4],
    allocations: [Option<allocations::Allocations>; 4],
    nanoseconds: [Option<f64>; 4],
}

impl Row {
    /// Instructions that an implementation adds to the bare service's.
    fn added(&self, one: Implementation) -> Option<f64> {
        let whole = |one: Implementation| Some(self.instructions[one as usize]?.whole);
        Some(whole(one)? - whole(Implementation::None)?)
    }

    /// The same without what is spent in the allocator.
    fn added_outside_allocator(&self, one: Implementation) -> Option<f64> {
        let outside =
            |one: Implementation| Some(self.instructions[one as usize]?.outside_allocator);
        Some(outside(one)? - outside(Implementation::None)?)
    }

    fn nanoseconds_added(&self, one: Implementation) -> Option<f64> {
        let of = |one: Implementation| self.nanoseconds[one as usize];
        Some(of(one)? - of(Implementation::None)?)
    }

    /// Allocations and bytes.
    fn allocations_added(&self, one: Implementation) -> Option<(i64, i64)> {
        let of = |one: Implementation| self.allocations[one as usize];
        let (with, without) = (of(one)?, of(Implementation::None)?);
        Some((with.count - without.count, with.bytes - without.bytes))
    }
}

/// The rows of the scenarios whose id begins so, and what else has been counted with them.
fn measure(prefix: &str) -> (Vec<Row>, allocations::Counted) {
    let counted = allocations::count(prefix);
    let mut rows = Vec::new();
    for stack in Stack::ALL {
        for scenario in scenarios() {
            if !scenario.id.starts_with(prefix) || (scenario.ours_alone && stack != Stack::Tower) {
                continue;
            }
            progress(stack, &scenario);
            let allocations = |one| {
                let key = (stack, scenario.id.clone(), one);
                counted.requests.get(&key).copied()
            };
            rows.push(Row {
                stack,
                instructions: instructions::count(stack, &scenario),
                allocations: Implementation::ALL.map(allocations),
                nanoseconds: wall::measure(stack, &scenario),
                scenario,
            });
        }
    }
    (rows, counted)
}

#[allow(clippy::print_stderr, reason = "a long program says where it is")]
fn progress(stack: Stack, scenario: &Scenario) {
    eprintln!("{} {}: {}", stack.name(), scenario.id, scenario.what);
}

#[allow(clippy::print_stderr, reason = "a program that complains")]
fn complain(what: &str) {
    eprintln!("{what}");
}
