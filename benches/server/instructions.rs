//! The instructions that a server needs for a request, which repeat where processor time does not. They
//! are counted by callgrind in the server's own process; what the kernel does is not counted.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use crate::{
    load::{self, Version},
    serve,
    subject::{FLOOR, NONE, Subject, subjects},
};

const REQUESTS: usize = 1_600;

pub(crate) fn print() {
    println!("\n| | server, origins | instructions | of none | of two constant headers |");
    println!("|---|---|---:|---:|---:|");
    for version in Version::BOTH {
        let counts: Vec<_> = subjects()
            .into_iter()
            .map(|subject| (subject, for_each(subject, version)))
            .collect();
        for &(subject, count) in &counts {
            let of = |layer: &str| {
                let is_other = |(other, _): &&(Subject, f64)| {
                    other.layer == layer && other.token == subject.token
                };
                count / counts.iter().find(is_other).unwrap().1
            };
            println!(
                "| {} | {subject} | {count:.0} | {:.3} | {:.3} |",
                version.name(),
                of(NONE),
                of(FLOOR),
            );
        }
    }
    println!();
}

/// What one more request costs: the difference between two processes, so that the start, the
/// connections and the first requests do not count.
fn for_each(subject: Subject, version: Version) -> f64 {
    let requests = REQUESTS / subject.divisor;
    let [fewer, more] = [requests, 2 * requests].map(|requests| count(subject, version, requests));
    (more - fewer) / requests as f64
}

fn count(subject: Subject, version: Version, requests: usize) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out");
    let mut process = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(env::current_exe().unwrap())
        .args(["serve", subject.layer])
        .args([subject.origins, version.connections()].map(|number| number.to_string()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("valgrind is installed");
    let address = serve::address(&mut process);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (headers, has_cors) = (subject.headers(), subject.has_cors());
    runtime.block_on(load::send(version, address, &headers, requests, has_cors));
    // The connections end with what runs them.
    drop(runtime);
    assert!(process.wait().unwrap().success());
    let dump = fs::read_to_string(output).unwrap();
    let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap().trim().parse().unwrap()
}
