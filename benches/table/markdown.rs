//! The table, and the means under it.

use std::{env, fs, process::Command};

use super::{
    Row,
    common::{Expectation, Stack},
};

const NONE: usize = 0;
const MINIMUM: usize = 1;
const OURS: usize = 2;
const TOWER_HTTP: usize = 3;

pub(crate) fn print(rows: &[Row]) {
    println!("{}\n", circumstances());
    for stack in Stack::ALL {
        println!(
            "Added by the layer, through {}: instructions outside the allocator; allocations and \
             bytes; wall time.\n",
            match stack {
                Stack::Tower => "a bare tower stack",
                Stack::Axum => "a router as `axum::serve` serves it",
                Stack::Router => "a router that is called as it is",
            }
        );
        println!(
            "| id | scenario | none | minimum | this crate | tower-http | of tower-http's | allocations, bytes | tower-http's | ns | tower-http's |"
        );
        println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for row in rows.iter().filter(|row| row.stack == stack) {
            print_row(row);
        }
        println!();
    }
    print_means(rows);
}

fn print_row(row: &Row) {
    let added = |one: usize| added(&row.instructions, one);
    let text = |value: Option<f64>| value.map_or("-".to_owned(), thousands);
    let ratio = ratio(row, TOWER_HTTP).map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
    let allocations = |one: usize| match (row.allocations[one], row.allocations[NONE]) {
        (Some(with), Some(without)) => {
            format!(
                "{}, {}",
                with.count - without.count,
                with.bytes - without.bytes
            )
        }
        _ => "-".to_owned(),
    };
    println!(
        "| {} | {} | {} | {} | {} | {} | {ratio} | {} | {} | {} | {} |",
        row.scenario.id,
        row.scenario.what,
        text(row.instructions[NONE]),
        text(added(MINIMUM)),
        text(added(OURS)),
        text(added(TOWER_HTTP)),
        allocations(OURS),
        allocations(TOWER_HTTP),
        text(self::added(&row.nanoseconds, OURS)),
        text(self::added(&row.nanoseconds, TOWER_HTTP)),
    );
}

fn print_means(rows: &[Row]) {
    println!("| geometric mean of the ratios | instructions | wall time |\n|---|---:|---:|");
    let mean_of = |name: &str, other: usize, keep: &dyn Fn(&Row) -> bool| {
        let kept = || rows.iter().filter(|row| keep(row));
        let instructions = geometric(kept().filter_map(|row| ratio(row, other)));
        let wall = geometric(kept().filter_map(|row| {
            ratio_of(
                added(&row.nanoseconds, OURS),
                added(&row.nanoseconds, other),
            )
        }));
        println!("| {name} | {instructions:.3} | {wall:.3} |");
    };
    let is_small = |row: &Row| row.scenario.config.is_small();
    let tower = |row: &Row| row.stack == Stack::Tower;
    mean_of(
        "of tower-http's, at most 10 origins or 1 pattern",
        TOWER_HTTP,
        &|row| tower(row) && is_small(row),
    );
    mean_of(
        "of the minimum, at most 10 origins or 1 pattern, nothing hostile",
        MINIMUM,
        &|row| tower(row) && is_small(row) && row.scenario.expectation != Expectation::Whatever,
    );
    for stack in [Stack::Axum, Stack::Router] {
        let name = format!(
            "of tower-http's, {}, at most 10 origins or 1 pattern",
            stack.name()
        );
        mean_of(&name, TOWER_HTTP, &|row| {
            row.stack == stack && is_small(row)
        });
    }
    for stack in Stack::ALL {
        let name = format!("of tower-http's, {}, all scenarios", stack.name());
        mean_of(&name, TOWER_HTTP, &|row| row.stack == stack);
    }
    let worst = rows
        .iter()
        .filter_map(|row| Some((ratio(row, TOWER_HTTP)?, row)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((ratio, row)) = worst {
        println!(
            "| the worst: {}, {} | {ratio:.3} | |",
            row.stack.name(),
            row.scenario.id
        );
    }
}

fn added(costs: &[Option<f64>; 4], one: usize) -> Option<f64> {
    Some(costs[one]? - costs[NONE]?)
}

fn ratio(row: &Row, other: usize) -> Option<f64> {
    ratio_of(
        added(&row.instructions, OURS),
        added(&row.instructions, other),
    )
}

/// What costs less than nothing, because the inner service is spared, counts as a hundredth; where
/// the other costs next to nothing there is no ratio.
fn ratio_of(ours: Option<f64>, other: Option<f64>) -> Option<f64> {
    let (ours, other) = (ours?, other?);
    (other >= 20.0).then(|| (ours / other).max(0.01))
}

fn geometric(ratios: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = ratios.map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    match value.round() < 0.0 {
        true => format!("-{text}"),
        false => text,
    }
}

/// Date, versions and machine.
fn circumstances() -> String {
    let first_line = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        output.map_or(String::new(), |output| {
            String::from_utf8_lossy(&output.stdout)
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    };
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    let lock = lock.unwrap_or_default();
    let version = |name: &str| -> String {
        let entry = format!("name = \"{name}\"\nversion = \"");
        lock.rsplit(&entry)
            .next()
            .and_then(|rest| rest.split('"').next())
            .unwrap_or("?")
            .to_owned()
    };
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = || {
        cpus.lines()
            .filter_map(|line| line.strip_prefix("model name\t: "))
    };
    format!(
        "{}; tower-cors {}, tower-http {}, axum {}, http {}; {}; {}; {} × {}.",
        first_line("date", &["-u", "+%Y-%m-%d"]),
        env!("CARGO_PKG_VERSION"),
        version("tower-http"),
        version("axum"),
        version("http"),
        first_line("rustc", &["--version"]),
        first_line("valgrind", &["--version"]),
        models().count(),
        models().next().unwrap_or(env::consts::ARCH),
    )
}
