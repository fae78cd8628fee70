//! Instructions, counted by callgrind in a process of its own for each scenario.
//!
//! The whole request counts, and beside it what is left without the allocator, which is nearly the
//! same wherever nothing is allocated. The allocator is glibc's with all sizes in its lists of free
//! chunks: what it does otherwise depends on what happened before. So nearly all of it repeats within four percent.

use std::{
    collections::{BTreeSet, HashMap},
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
};

use super::common::{Implementation, Origins, Scenario, Stack, scenarios, subject};

/// So many requests are served before anything is counted, and so many are counted.
const WARM_UP: usize = 4;

/// Where some implementations walk a long list, fewer have to do.
fn requests(scenario: &Scenario) -> usize {
    match scenario.config.origins {
        Origins::List(100_000..) => 2,
        _ => 10,
    }
}

/// Instructions of one request.
#[derive(Clone, Copy)]
pub(crate) struct Instructions {
    pub(crate) whole: f64,
    pub(crate) outside_allocator: f64,
}

/// Says what is missing before anything has been waited for.
///
/// # Errors
///
/// When there is no `valgrind`.
pub(crate) fn check() -> Result<(), String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("valgrind counts the instructions: install it".to_owned()),
    }
}

/// Counts in another process, and divides by the requests.
pub(crate) fn count(stack: Stack, scenario: &Scenario) -> [Option<Instructions>; 4] {
    let counted = under_callgrind(&["--measure", stack.name(), &scenario.id]);
    let each = |sum: u64| sum as f64 / requests(scenario) as f64;
    let mut counted = counted.iter().map(|dump| Instructions {
        whole: each(dump.values().sum()),
        outside_allocator: each(outside_allocator(dump).map(|(_, cost)| cost).sum()),
    });
    Implementation::ALL.map(|one| {
        if scenario.measures(one) {
            counted.next()
        } else {
            None
        }
    })
}

/// Serves one scenario with every implementation; this is the other process.
pub(crate) fn run(stack: &str, id: &str) {
    let (stack, scenario) = find(stack, id);
    for implementation in Implementation::ALL {
        if !scenario.measures(implementation) {
            continue;
        }
        let mut subject = subject(stack, implementation, &scenario);
        subject.prepare(&scenario.head, WARM_UP);
        subject.run();
        subject.prepare(&scenario.head, requests(&scenario));
        counted_region(&mut || subject.run());
    }
}

/// Where this crate, and beside it the hand-written minimum, spend their instructions.
pub(crate) fn profile(stack: &str, id: &str) {
    let (stack, scenario) = find(stack, id);
    let counted = under_callgrind(&["--measure", stack.name(), &scenario.id]);
    let (none, minimum, ours) = match &counted[..] {
        [none, minimum, ours, _] => (none, minimum, ours),
        [none, ours] => (none, none, ours),
        _ => panic!("unexpected dumps"),
    };
    let added = |dump: &Dump, name: &str| {
        let count = |dump: &Dump| dump.get(name).copied().unwrap_or(0) as f64;
        (count(dump) - count(none)) / requests(&scenario) as f64
    };
    let names: BTreeSet<&str> = [none, minimum, ours]
        .into_iter()
        .flat_map(|dump| dump.keys().map(String::as_str))
        .collect();
    let mut lines: Vec<(f64, f64, &str)> = names
        .iter()
        .map(|name| (added(ours, name), added(minimum, name), *name))
        .filter(|(ours, minimum, _)| ours.abs() >= 1.0 || minimum.abs() >= 1.0)
        .collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let sum = |column: fn(&(f64, f64, &str)) -> f64| lines.iter().map(column).sum::<f64>();
    let in_all = (sum(|line| line.0), sum(|line| line.1), "in all");
    println!("     ours  minimum  added by");
    for (ours, minimum, name) in lines.iter().chain([&in_all]) {
        println!("{ours:>9.1}{minimum:>9.1}  {name:.120}");
    }
}

fn find(stack: &str, id: &str) -> (Stack, Scenario) {
    let stack = Stack::ALL.into_iter().find(|one| one.name() == stack);
    let scenario = scenarios().into_iter().find(|one| one.id == id);
    (
        stack.expect("tower or axum"),
        scenario.expect("a scenario's id"),
    )
}

/// Callgrind counts here and nowhere else.
#[inline(never)]
pub(crate) fn counted_region(work: &mut dyn FnMut()) {
    dumped_region(work);
    black_box(());
}

/// Callgrind writes what it counted when this returns. It has to be called from where it counts.
#[inline(never)]
fn dumped_region(work: &mut dyn FnMut()) {
    work();
    // Not a tail call, or this would have no frame of its own to return from.
    black_box(());
}

/// Instructions by function.
pub(crate) type Dump = HashMap<String, u64>;

/// Runs this program again, with other arguments; one dump for each counted region.
pub(crate) fn under_callgrind(args: &[&str]) -> Vec<Dump> {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("dump");
    let status = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--quiet")
        .arg("--toggle-collect=*counted_region*")
        .arg("--dump-after=*dumped_region*")
        .arg("--compress-strings=no")
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(env::current_exe().unwrap())
        .args(args)
        .env("GLIBC_TUNABLES", "glibc.malloc.tcache_max=1048576")
        .status()
        .unwrap();
    assert!(status.success(), "{args:?} failed under valgrind");
    (1..)
        .map(|number| directory.path().join(format!("dump.{number}")))
        .take_while(|path| path.exists())
        .map(|path| read(&path))
        .collect()
}

/// The self cost of each function: <https://valgrind.org/docs/manual/cl-format.html>.
fn read(path: &Path) -> Dump {
    let mut dump = Dump::new();
    let mut function = String::new();
    let mut is_call = false;
    for line in fs::read_to_string(path).unwrap().lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name.to_owned();
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*')) {
            // What a callee costs is counted with the callee.
            if !std::mem::take(&mut is_call) {
                let cost = line
                    .split(' ')
                    .nth(1)
                    .map_or(0, |cost| cost.parse().unwrap());
                *dump.entry(function.clone()).or_default() += cost;
            }
        }
    }
    dump
}

fn outside_allocator(dump: &Dump) -> impl Iterator<Item = (&str, u64)> {
    let functions = dump.iter().map(|(name, cost)| (name.as_str(), *cost));
    functions.filter(|(name, _)| !is_allocator(name))
}

fn is_allocator(function: &str) -> bool {
    const NAMES: [&str; 12] = [
        "malloc",
        "free",
        "calloc",
        "realloc",
        "_int_",
        "tcache",
        "unlink_chunk",
        "sysmalloc",
        "systrim",
        "brk",
        "mremap",
        "munmap",
    ];
    let name = function.trim_start_matches('_').trim_start_matches("libc_");
    NAMES
        .iter()
        .any(|allocator| name.starts_with(allocator) || function.starts_with(allocator))
        || [
            "mmap",
            "memalign",
            "posix_memalign",
            "aligned_alloc",
            "sbrk",
            "arena_get",
        ]
        .iter()
        .any(|allocator| name.starts_with(allocator))
        || [
            "__rdl_",
            "__rust_alloc",
            "__rust_dealloc",
            "__rust_realloc",
            "rust_no_alloc",
        ]
        .iter()
        .any(|allocator| function.contains(allocator))
}
