//! The tables of requests, and the means under them.

use std::{env, fs, process::Command};

use super::{
    Row,
    common::{Implementation, Stack},
    mean::{self, Mean},
};

use Implementation::{Minimum, None as Nobody, Ours, TowerHttp};

pub(crate) fn print(rows: &[Row]) {
    println!("{}\n", circumstances());
    for stack in Stack::ALL {
        println!(
            "Added by the layer, through {}: instructions, and those outside the allocator; \
             allocations and bytes; wall time.\n",
            match stack {
                Stack::Tower => "a bare tower stack",
                Stack::Axum => "a router as `axum::serve` serves it",
                Stack::Router =>
                    "a router that is called as it is, and clones the layered service for each request",
            }
        );
        println!(
            "| id | scenario | none | minimum | this crate | tower-http | of tower-http's | outside the allocator | tower-http's | allocations, bytes | tower-http's | ns | tower-http's |"
        );
        println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for row in rows.iter().filter(|row| row.stack == stack) {
            print_row(row);
        }
        println!();
    }
    print_means(rows);
}

fn print_row(row: &Row) {
    let text = |value: Option<f64>| value.map_or("-".to_owned(), thousands);
    let ratio = mean::ratio(row, TowerHttp, Row::added);
    let allocations = |one| {
        let added = row.allocations_added(one);
        added.map_or("-".to_owned(), |(count, bytes)| format!("{count}, {bytes}"))
    };
    let cells = [
        row.scenario.id.clone(),
        row.scenario.what.clone(),
        text(row.instructions[Nobody as usize].map(|cost| cost.whole)),
        text(row.added(Minimum)),
        text(row.added(Ours)),
        text(row.added(TowerHttp)),
        ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}")),
        text(row.added_outside_allocator(Ours)),
        text(row.added_outside_allocator(TowerHttp)),
        allocations(Ours),
        allocations(TowerHttp),
        text(row.nanoseconds_added(Ours)),
        text(row.nanoseconds_added(TowerHttp)),
    ];
    println!("| {} |", cells.join(" | "));
}

/// The means that the targets are about.
pub(crate) fn means(rows: &[Row]) -> Vec<(String, Implementation, Vec<&Row>)> {
    let of = |stack: Stack, is_small: bool| -> Vec<&Row> {
        let rows = rows.iter().filter(|row| row.stack == stack);
        rows.filter(|row| !is_small || row.scenario.config.is_small())
            .collect()
    };
    let mut means = vec![(
        "of the minimum, tower, at most 10 origins or 1 pattern".to_owned(),
        Minimum,
        of(Stack::Tower, true),
    )];
    for stack in Stack::ALL {
        for (which, is_small) in [("at most 10 origins or 1 pattern", true), ("all", false)] {
            let name = format!("of tower-http's, {}, {which}", stack.name());
            means.push((name, TowerHttp, of(stack, is_small)));
        }
    }
    means
}

fn print_means(rows: &[Row]) {
    println!(
        "What costs less than nothing counts as 0.01 (clamped); where the other costs less than 20, \
         there is no ratio (dropped).\n"
    );
    println!(
        "| geometric mean of the ratios | instructions | rows | clamped | dropped | without the clamped | outside the allocator | wall time |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for (name, other, rows) in means(rows) {
        let of = |added| Mean::new(rows.iter().copied(), other, added);
        let whole = of(Row::added);
        // As with `--only`.
        if whole.rows == 0 {
            continue;
        }
        println!(
            "| {name} | {:.3} | {} | {} | {} | {:.3} | {:.3} | {:.3} |",
            whole.mean,
            whole.rows,
            whole.clamped,
            whole.dropped,
            whole.without_clamped,
            of(Row::added_outside_allocator).mean,
            of(Row::nanoseconds_added).mean,
        );
    }
}

pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value.round() < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// Date, versions and machine.
pub(crate) fn circumstances() -> String {
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
        "{}; tower-cors {}, tower-http {}, axum {}, http {}; {}, {}, glibc {}; {} × {}",
        first_line("date", &["-u", "+%Y-%m-%d"]),
        env!("CARGO_PKG_VERSION"),
        version("tower-http"),
        version("axum"),
        version("http"),
        first_line("rustc", &["--version"])
            .split(" (")
            .next()
            .unwrap_or_default(),
        first_line("valgrind", &["--version"]),
        // Whose allocator it is.
        first_line("ldd", &["--version"])
            .rsplit(' ')
            .next()
            .unwrap_or_default(),
        models().count(),
        models().next().unwrap_or(env::consts::ARCH),
    )
}
