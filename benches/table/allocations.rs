//! Allocations, counted by the bench of that name: its allocator counts, and is slower for it.

use std::{collections::HashMap, env, process::Command};

use super::common::{Implementation, Stack};

#[derive(Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) count: i64,
    pub(crate) bytes: i64,
}

pub(crate) struct Counted {
    pub(crate) requests: HashMap<(Stack, String, Implementation), Allocations>,
    /// What a layer of 100,000 origins keeps.
    pub(crate) bytes_held: i64,
    /// Of a policy that is waited for, by how long and by who waits.
    pub(crate) waiting: Vec<[Allocations; 3]>,
}

/// Of the scenarios whose id begins so.
pub(crate) fn count(prefix: &str) -> Counted {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--quiet", "--bench", "allocations"])
        // As this program was built itself.
        .args(cfg!(debug_assertions).then_some("--profile=dev"))
        .args(["--features", &features()])
        .args(["--", "--print", prefix])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "allocations: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (waiting, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("waiting "));
    let (held, requests): (Vec<&str>, Vec<&str>) = lines
        .into_iter()
        .partition(|line| line.starts_with("held "));
    let held = held.first().and_then(|line| line.strip_prefix("held "));
    Counted {
        requests: requests.into_iter().map(parse).collect(),
        bytes_held: held.and_then(|bytes| bytes.parse().ok()).unwrap(),
        waiting: waiting.chunks_exact(3).map(waited).collect(),
    }
}

fn waited(lines: &[&str]) -> [Allocations; 3] {
    let each: Vec<Allocations> = lines
        .iter()
        .map(|line| {
            let mut words = line.rsplit(' ');
            let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap();
            let bytes = number();
            Allocations {
                count: number(),
                bytes,
            }
        })
        .collect();
    each.try_into().ok().unwrap()
}

/// Those that this program has been built with: with others, everything would be compiled anew.
fn features() -> String {
    macro_rules! enabled {
        ($($name:literal),*) => {
            [$(cfg!(feature = $name).then_some($name)),*]
        };
    }
    let features = enabled![
        "axum",
        "doctor",
        "dpop",
        "idna",
        "js",
        "jwt",
        "jwt-rust-crypto",
        "metrics",
        "reload",
        "reqwest",
        "serde",
        "test-util",
        "token",
        "tracing",
        "trusted",
        "trusted-toml"
    ];
    let enabled: Vec<_> = features.into_iter().flatten().collect();
    enabled.join(",")
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
