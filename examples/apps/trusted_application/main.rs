//! The back end of a chat widget, whose tokens say on which sites' pages they may be used.
//!
//! ```sh
//! cargo run --example trusted_application --features jwt-rust-crypto,test-util
//! cargo run --example trusted_application --features jwt-rust-crypto,test-util -- --check
//! ```
//!
//! With `--revocations postgres://user@host/database` or `--revocations nats://host`, several
//! processes share their revocations.
//!
//! The first command serves the chat and three sites that use it, each on a port, and so an origin,
//! of its own; open their pages in a browser. The second one plays what those pages do, and fails
//! unless everything comes out as the protocol demands.
//!
//! A customer's server asks for a token and says which origins it is for (`issuing`). The page that
//! is given the token finds out where the chat is (`discovery`, with the token in the query), and
//! chats (`messaging`, with the token in `Authorization`, on another host). `policy` is what this
//! example is about.
// It is a program.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod applications;
mod caller;
mod carriers;
mod check;
mod discovery;
mod hosts;
mod issuing;
mod key;
mod links;
mod messaging;
mod platform;
mod policy;
mod refusal;
mod running;
mod service_application;
mod site;
mod tokens;
#[path = "../../usage/mod.rs"]
mod usage;

use std::{net::SocketAddr, process::ExitCode};

use tower_cors::revocation::Revocations;

use self::{
    carriers::{nats::NatsCarrier, postgres::PostgresCarrier},
    running::Running,
};

const USAGE: &str = "\
Usage: trusted_application [OPTIONS]

Serves the back end of a chat widget and three sites that use it, until Ctrl-C.

  --listen ADDRESS  where the chat listens (default: a free port of 127.0.0.1)
  --revocations URL share what is revoked over postgres://user@host/database or nats://host
  --check           play what the sites' pages do, and fail unless all is as it must be
  --help            print this
";

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
    let running = Running::start(options.listen).await?;
    println!("listening on {}", running.api);
    println!("messaging on {}", running.messaging);
    for site in &running.sites {
        let standing = if site.is_listed {
            "its tokens name it"
        } else {
            "no token names it"
        };
        println!("{}: {} ({standing})", site.name, site.origin);
    }
    if let Some(url) = &options.revocations {
        carry(url, running.platform.tokens.issued().revocations())?;
    }
    if options.check {
        return check::run(&running).await;
    }
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

/// Shares the revocations with other replicas, over the server that the address names.
fn carry(url: &str, revocations: &Revocations) -> Result<(), Error> {
    let report = |error: &_| eprintln!("revocations: {error}");
    if url.starts_with("nats://") {
        tokio::spawn(NatsCarrier::new(url, revocations).run(report));
    } else {
        let carrier = PostgresCarrier::new(url, revocations);
        let carrier = carrier.map_err(|error| error.to_string())?;
        tokio::spawn(carrier.run(report));
    }
    Ok(())
}

struct Options {
    listen: SocketAddr,
    check: bool,
    revocations: Option<String>,
}

impl Options {
    fn parse() -> Result<Self, Error> {
        use lexopt::prelude::*;

        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            check: false,
            revocations: None,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("check") => options.check = true,
                Long("help") | Short('h') => usage::print(USAGE),
                Long("revocations") => options.revocations = Some(parser.value()?.parse()?),
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}
