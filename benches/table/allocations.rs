//! Allocations, counted by the bench of that name: its allocator counts, and is slower for it.

use std::{collections::HashMap, env, process::Command};

use super::common::{Implementation, Stack};

#[derive(Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) count: i64,
    pub(crate) bytes: i64,
}

pub(crate) fn count() -> HashMap<(Stack, String, Implementation), Allocations> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "bench",
            "--quiet",
            "--bench",
            "allocations",
            "--",
            "--print",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "allocations: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> ((Stack, String, Implementation), Allocations) {
    let words: Vec<&str> = line.split(' ').collect();
    let [stack, id, implementation, count, bytes] = words[..] else {
        panic!("not a count: {line:?}");
    };
    let stack = Stack::ALL.into_iter().find(|one| one.name() == stack);
    let implementation = Implementation::ALL
        .into_iter()
        .find(|one| format!("{one:?}") == implementation);
    let key = (stack.unwrap(), id.to_owned(), implementation.unwrap());
    let allocations = Allocations {
        count: count.parse().unwrap(),
        bytes: bytes.parse().unwrap(),
    };
    (key, allocations)
}
