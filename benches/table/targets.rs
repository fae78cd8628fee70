//! The targets, and whether they are met.

use super::{
    Row,
    common::{Expectation, Implementation, Stack},
    configuration::Configuration,
    markdown::{means, thousands},
    mean::{self, Mean},
};

use Implementation::{Minimum, Ours, TowerHttp};

pub(crate) fn print(rows: &[Row], configuration: &Configuration, bytes_held: i64) {
    println!("\n| target | at most | measured | met |\n|---|---:|---:|---|");
    // The router is the stack whose layered service is cloned for each request.
    for (name, limit) in [
        (
            "of tower-http's, tower, at most 10 origins or 1 pattern",
            0.25,
        ),
        (
            "of the minimum, tower, at most 10 origins or 1 pattern",
            1.2,
        ),
        (
            "of tower-http's, router, at most 10 origins or 1 pattern",
            0.085,
        ),
        ("of tower-http's, tower, all", 0.12),
    ] {
        let means = means(rows);
        let (_, other, rows) = means.iter().find(|(other, ..)| other == name).unwrap();
        let of = |added| Mean::new(rows.iter().copied(), *other, added).mean;
        line(
            &format!("instructions, geometric mean {name}"),
            limit,
            of(Row::added),
            3,
        );
        line(
            &format!("the same outside the allocator, {name}"),
            limit,
            of(Row::added_outside_allocator),
            3,
        );
    }
    for (what, added) in [
        ("", Row::added as fn(&Row, Implementation) -> Option<f64>),
        (", outside the allocator", Row::added_outside_allocator),
    ] {
        let sent_by_browsers = rows
            .iter()
            .filter(|row| row.scenario.expectation != Expectation::Whatever);
        let ratios =
            sent_by_browsers.filter_map(|row| Some((mean::ratio(row, TowerHttp, added)?, row)));
        let (ratio, row) = ratios.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        let name = format!(
            "of tower-http's in any scenario that browsers send{what}: {} {}",
            row.stack.name(),
            row.scenario.id
        );
        line(&name, 0.5, ratio, 3);
    }
    line(
        "allocations added, tower",
        0.0,
        most_allocations(rows, false),
        0,
    );
    line(
        "allocations added, tower, a Vary to compose",
        1.0,
        most_allocations(rows, true),
        0,
    );
    for stack in Stack::ALL {
        let row = find(rows, stack, "g0").and_then(|row| row.added(Ours));
        let limit = if stack == Stack::Tower { 380.0 } else { -1.0 };
        let name = format!(
            "instructions added to a refused preflight, {}",
            stack.name()
        );
        line(&name, limit, row.unwrap(), 0);
    }
    for (name, ids) in [
        (
            "from 1 to 1,000,000 origins, hit",
            ["d1h", "d10h", "d100h", "d1000h", "d100000h", "d1000000h"].as_slice(),
        ),
        (
            "from 1 to 1,000,000 origins, miss",
            &["d1m", "d10m", "d100m", "d1000m", "d100000m", "d1000000m"],
        ),
        (
            "from 1 to 10,000 patterns, hit",
            &["i1h", "i100h", "i10000h"],
        ),
        (
            "from 1 to 10,000 patterns, miss",
            &["i1m", "i100m", "i10000m"],
        ),
    ] {
        line(
            &format!("most over least, {name}"),
            1.2,
            spread(rows, ids),
            2,
        );
    }
    let composed = tower(rows, "j3").and_then(|row| mean::ratio(row, Minimum, Row::added));
    line(
        "a composed Vary (j3), of the minimum",
        1.3,
        composed.unwrap(),
        2,
    );
    // Both beyond the bounds of what is read and just within them.
    let added = |id: &str| tower(rows, id).and_then(|row| row.added(Ours)).unwrap();
    for id in ["h0", "h1", "h1s", "h2", "h3", "h5", "h5s", "h7", "h8"] {
        let what = &tower(rows, id).unwrap().scenario.what;
        let name = format!("{what} ({id}), over an ordinary one (f0)");
        line(&name, 2.0, added(id) / added("f0"), 2);
    }
    line(
        "bytes that the service adds",
        24.0,
        configuration.service[0] as f64,
        0,
    );
    let clones = configuration.clones.iter().map(|(_, [ours, _])| *ours);
    line(
        "most over least, cloning the service, 1 to 100,000 origins",
        1.2,
        most_over_least(clones),
        2,
    );
    line(
        "instructions for a layer of 100,000 origins",
        50e6,
        configuration.list[0] as f64,
        0,
    );
    line("bytes that it holds", 6e6, bytes_held as f64, 0);
}

fn line(name: &str, limit: f64, measured: f64, decimals: usize) {
    let text = |value: f64| match decimals {
        0 => thousands(value),
        _ => format!("{value:.decimals$}"),
    };
    let met = if measured <= limit { "yes" } else { "no" };
    println!("| {name} | {} | {} | {met} |", text(limit), text(measured));
}

fn find<'a>(rows: &'a [Row], stack: Stack, id: &str) -> Option<&'a Row> {
    rows.iter()
        .find(|row| row.stack == stack && row.scenario.id == id)
}

fn tower<'a>(rows: &'a [Row], id: &str) -> Option<&'a Row> {
    find(rows, Stack::Tower, id)
}

fn spread(rows: &[Row], ids: &[&str]) -> f64 {
    most_over_least(ids.iter().filter_map(|id| tower(rows, id)?.added(Ours)))
}

fn most_over_least(costs: impl Iterator<Item = f64>) -> f64 {
    let (least, most) = costs.fold((f64::MAX, 0.0_f64), |(least, most), cost| {
        (least.min(cost), most.max(cost))
    });
    most / least
}

fn most_allocations(rows: &[Row], composes: bool) -> f64 {
    rows.iter()
        .filter(|row| row.stack == Stack::Tower && row.scenario.composes_vary() == composes)
        .filter_map(|row| Some(row.allocations_added(Ours)?.0 as f64))
        .fold(f64::MIN, f64::max)
}
