//! Trusted origins that administrators edit while replicas of a service serve.
//!
//! ```sh
//! cargo run --example trusted_origins --features axum,test-util,trusted -- --replicas 3
//! cargo run --example trusted_origins --features axum,test-util,trusted -- --check
//! ```
//!
//! The first command serves three replicas of a service, their admin pages, and two demo sites,
//! each on a port, and so an origin, of its own; open the printed addresses in a browser. Add the trusted
//! site's origin on one replica's admin page, and its page works with all of them. The second one
//! plays all of that over real sockets, and fails unless everything comes out as it must.
//!
//! `--store` says where the entries are: `memory` (the default), a file such as `origins.json`,
//! `postgres://user@host/database`, or `nats://host:4222`. Processes on several machines share the
//! latter two: `stores` has the adapters, for you to take.
//!
//! * `--listen ADDRESS`: where the first replica listens. The others, and the sites, get free ports.
//!   An address that other machines reach needs `--admin-token`.
//! * `--replicas N`: how many replicas run in this process.
//! * `--peer URL`: another process on the same store, by the address of one of its replicas; the
//!   admin page shows how it goes with them, too. May be given several times.
//! * `--admin-token TOKEN`: what administrators, and peers, authenticate with. A real service has
//!   accounts.
//! * `--host NAME`: a name under which the admin pages may be opened, and under which peers reach
//!   this process, beside its addresses and `localhost`. May be given several times.
// It is a program.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod access;
mod admin;
mod backend;
mod check;
mod demo;
mod input;
mod peers;
mod problem;
mod replica;
mod running;
mod service;
mod stores;
#[path = "../../usage/mod.rs"]
mod usage;

use std::{net::SocketAddr, process::ExitCode};

use self::{access::AdminToken, running::Running};

const USAGE: &str = "\
Usage: trusted_origins [OPTIONS]

Serves replicas of a service, their admin pages, and two demo sites, until Ctrl-C.

  --store STORE        where the entries are: memory (default), a file such as origins.json,
                       postgres://user@host/database or nats://host:4222
  --replicas N         how many replicas run in this process, 1 (default) to 16
  --listen ADDRESS     where the first replica listens (default: a free port of 127.0.0.1)
  --host NAME          a name under which the admin pages may be opened; may be repeated
  --peer URL           another process on the same store, shown on the admin page; may be repeated
  --admin-token TOKEN  the administrators' password (default: demo-admin, which is public)
  --check              play administrators and pages, and fail unless all is as it must be
  --help               print this
";

/// Publicly known, so only for addresses that other machines do not reach.
const KNOWN_TOKEN: &str = "demo-admin";

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Error> {
    let options = Options::parse()?;
    let running = Running::start(&options).await?;
    for (index, replica) in running.replicas.iter().enumerate() {
        match index {
            0 => println!("listening on {}", replica.address),
            _ => println!("replica {} on {}", index + 1, replica.address),
        }
    }
    for site in &running.sites {
        println!("{} site: {}", site.name, site.origin);
    }
    let token = options.admin_token.as_str();
    println!("admin page: {}/admin#{token}", running.replicas[0].url());
    if options.check {
        return check::run(&running, token).await;
    }
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) store: String,
    pub(crate) replicas: usize,
    pub(crate) peers: Vec<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) admin_token: AdminToken,
    check: bool,
}

impl Options {
    fn parse() -> Result<Self, Error> {
        use lexopt::prelude::*;

        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            store: "memory".to_owned(),
            replicas: 1,
            peers: Vec::new(),
            hosts: Vec::new(),
            admin_token: AdminToken::new(KNOWN_TOKEN)?,
            check: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("store") => options.store = parser.value()?.string()?,
                Long("replicas") => options.replicas = parser.value()?.parse()?,
                Long("peer") => options.peers.push(parser.value()?.string()?),
                Long("host") => options.hosts.push(parser.value()?.string()?),
                Long("admin-token") => {
                    let token = AdminToken::new(&parser.value()?.string()?);
                    options.admin_token = token.map_err(|why| format!("--admin-token: {why}"))?;
                }
                Long("check") => options.check = true,
                Long("help") | Short('h') => usage::print(USAGE),
                _ => return Err(argument.unexpected().into()),
            }
        }
        if !(1..=16).contains(&options.replicas) {
            return Err("--replicas: write a number from 1 to 16".into());
        }
        if !options.listen.ip().is_loopback() && options.admin_token.is(KNOWN_TOKEN) {
            let text = "--admin-token: choose one: others reach this address, and know the default";
            return Err(text.into());
        }
        Ok(options)
    }
}
