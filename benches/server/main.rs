//! Whole servers under load, and one layer under several threads.
//!
//! `scripts/bench-server.sh` runs it, or `cargo bench --bench server --all-features`. Without the
//! features `token` and `trusted`, their rows are left out. The servers are processes of their own,
//! `server serve LAYER ORIGINS [CONNECTIONS]`, so that their processor time can be told from the clients'.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

#[path = "../common/mod.rs"]
mod common;
mod contention;
mod instructions;
mod load;
mod process;
mod serve;
mod subject;
mod turns;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", layer, origins] => serve::run(layer, origins.parse().unwrap(), usize::MAX),
        ["serve", layer, origins, connections] => {
            let (origins, connections) = (origins.parse().unwrap(), connections.parse().unwrap());
            serve::run(layer, origins, connections);
        }
        ["--instructions", "--bench"] => instructions::print(),
        ["--bench"] => {
            turns::print();
            instructions::print();
            contention::print();
        }
        // As `cargo test --benches` runs it.
        _ => println!("usage: cargo bench --bench server --all-features"),
    }
}
