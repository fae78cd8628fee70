//! A server that speaks gRPC-Web, Connect, MCP and GraphQL to pages on one port, each behind a layer of
//! its own: tonic's routes, and axum's.
//!
//! `cargo run --example rpc_server -- --listen 127.0.0.1:3000 --origin http://localhost:5173` serves it to
//! the pages of that origin; `-- --check` asks the server over a socket as pages would, and exits with 1
//! if an answer is not as it should be.
#![allow(clippy::print_stdout, reason = "it is a program")]

mod check;
mod protocols;
#[path = "../../usage/mod.rs"]
mod usage;

use std::{error::Error, process::ExitCode};

use lexopt::ValueExt;
use tokio::net::TcpListener;

const USAGE: &str = "\
Usage: rpc_server [OPTIONS]

Serves a service that echoes texts, by several protocols:
  /echo.v1.EchoService/...          gRPC-Web
  /connect/echo.v1.EchoService/...  Connect
  /mcp                              MCP
  /graphql                          GraphQL

  --listen ADDRESS  where it listens (default: 127.0.0.1:3000)
  --origin ORIGIN   an origin whose pages may use it; may be given several times (default: https://app.example.com)
  --check           ask it as pages would, and fail unless all is as it must be
  --help            print this
";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut listen = "127.0.0.1:3000".to_owned();
    let mut origins = Vec::new();
    let mut check = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("listen") => listen = arguments.value()?.string()?,
            lexopt::Arg::Long("origin") => origins.push(arguments.value()?.string()?),
            lexopt::Arg::Long("check") => check = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => usage::print(USAGE),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if check {
        "127.0.0.1:0".clone_into(&mut listen);
        origins = vec![check::LISTED.to_owned()];
    } else if origins.is_empty() {
        origins.push("https://app.example.com".to_owned());
    }
    let router = protocols::router(&origins)?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    if check {
        return check::all(&format!("http://{address}")).await;
    }
    server.await??;
    Ok(ExitCode::SUCCESS)
}
