//! Load and faults, over real sockets of the loopback interface and beside them.
//!
//! `cargo test --test load` plays all of it in small, one case after the other, and prints a table.
//! `scripts/load.sh` plays it in full. Other arguments choose the cases whose names contain them.
//!
//! Without libtest, because some cases measure the process, and because the clients of the largest
//! one are a process of their own: with both ends in one, ten thousand connections are more files
//! than a process may usually have open.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and its table is for the reader"
)]

mod cancelled;
mod inner;
mod many;
mod memory;
mod policies;
mod reload;
mod scene;
mod vanished;
mod vanished_streams;

use std::{env, time::Instant};

/// A case: its name, and what plays it and says in words what it has seen.
type Case = (&'static str, fn(Scale) -> String);

const CASES: [Case; 17] = [
    ("many connections wait, HTTP/1.1", many::http1),
    ("many streams wait, HTTP/2", many::http2),
    ("policies that never answer", policies::never_answer),
    ("policies that panic", policies::panic),
    ("clients that vanish, HTTP/1.1", vanished::in_every_phase),
    ("clients that expect 100-continue", vanished::expectations),
    ("clients that pipeline", vanished::pipelines),
    (
        "clients that vanish, HTTP/2",
        vanished_streams::in_every_phase,
    ),
    ("inner services that fail", inner::fail),
    ("inner services that panic", inner::panic),
    ("inner services that are not ready", inner::unready),
    (
        "futures dropped after each poll",
        cancelled::after_each_poll,
    ),
    (
        "futures dropped behind a buffer",
        cancelled::behind_a_buffer,
    ),
    ("reloads under load, HTTP/1.1", reload::http1),
    ("reloads under load, HTTP/2", reload::http2),
    ("memory of many requests", memory::in_process),
    (
        "memory of many requests over a socket",
        memory::over_a_socket,
    ),
];

/// How much is played.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    is_full: bool,
}

impl Scale {
    pub(crate) fn of(self, small: usize, full: usize) -> usize {
        if self.is_full { full } else { small }
    }
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [mode, clients @ ..] = &args[..]
        && mode == many::CLIENTS
    {
        many::be_clients(clients);
        return;
    }
    let scale = Scale {
        is_full: args.iter().any(|arg| arg == "--full"),
    };
    // Options of libtest are for the other test binaries.
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    println!("\n| case | seen | s |\n|---|---|---:|");
    for (name, play) in CASES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(*wanted)) {
            continue;
        }
        let start = Instant::now();
        let seen = play(scale);
        println!("| {name} | {seen} | {:.1} |", start.elapsed().as_secs_f64());
    }
}
