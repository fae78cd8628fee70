//! What the README says of costs: its table, and what the table was made with.

use super::{
    common::{Implementation, Scenario, Stack, scenarios},
    instructions,
    markdown::{circumstances, thousands},
};

const ROWS: [(&str, &str); 8] = [
    ("b2", "no `Origin`, list of 10"),
    ("c0", "any origin"),
    ("d10h", "list of 10, allowed"),
    ("d10m", "list of 10, refused"),
    ("f0", "preflight, allowed"),
    ("g0", "preflight, refused"),
    ("h0", "preflight with 8 KiB of commas"),
    ("i1h", "one subdomain pattern, allowed"),
];

pub(crate) fn print() {
    println!("{}:\n", circumstances());
    println!(
        "| request | tower: minimum | this crate | tower-http | axum: this crate | tower-http |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let all = scenarios();
    for (id, what) in ROWS {
        let scenario = all.iter().find(|one| one.id == id).unwrap();
        let tower = added(Stack::Tower, scenario);
        let axum = added(Stack::Axum, scenario);
        let cells = [&tower[1..], &axum[2..]].concat();
        println!("| {what} | {} |", cells.join(" | "));
    }
}

fn added(stack: Stack, scenario: &Scenario) -> [String; 4] {
    let counted = instructions::count(stack, scenario);
    let none = counted[Implementation::None as usize].unwrap().whole;
    counted.map(|one| thousands(one.unwrap().whole - none))
}
