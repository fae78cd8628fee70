//! Serves any configuration file of this crate, in front of a service that answers everything.
//!
//! ```text
//! cargo run --example config_server --features serde -- CONFIG.json --listen 127.0.0.1:0
//! ```
//!
//! The file is TOML when its name ends in `.toml`, and JSON otherwise. The first line on standard
//! output is `listening on 127.0.0.1:PORT`. A refused configuration prints every mistake on a line
//! of its own to standard error and exits with 2, as do an unreadable file and bad arguments.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod usage;

use std::{ffi::OsString, fmt, net::SocketAddr, path::PathBuf, process::ExitCode};

use axum::{
    Json, Router,
    extract::Request,
    response::{AppendHeaders, IntoResponse},
};
use lexopt::ValueExt;
use serde_json::json;
use tokio::net::TcpListener;

use tower_cors::{CorsLayer, config::CorsConfig};

const CALL: &str = "usage: config_server CONFIG.json|CONFIG.toml [--listen 127.0.0.1:0]";

const USAGE: &str = "\
Usage: config_server CONFIG.json|CONFIG.toml [OPTIONS]

Serves the configuration of a file, in front of a service that answers everything.

  --listen ADDRESS  where it listens (default: a free port of 127.0.0.1)
  --help            print this
";

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<OsString>) -> Result<(), Problem> {
    let Arguments { config, listen } = parse_arguments(arguments)?;
    let cors = read_layer(&config)?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Problem::line(format_args!("--listen: {listen}: {error}")))?;
    let address = listener.local_addr().map_err(Problem::line)?;
    println!("listening on {address}");
    let app = Router::new().fallback(answer).layer(cors);
    axum::serve(listener, app).await.map_err(Problem::line)
}

/// The inner service: it answers whatever reaches it.
async fn answer(request: Request) -> impl IntoResponse {
    let called = AppendHeaders([("x-inner", "called")]);
    let seen = json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
    });
    (called, Json(seen))
}

struct Arguments {
    config: PathBuf,
    listen: SocketAddr,
}

fn parse_arguments(arguments: Vec<OsString>) -> Result<Arguments, Problem> {
    let mut config = None;
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut parser = lexopt::Parser::from_args(arguments);
    let wrong = |error: lexopt::Error| Problem::line(format_args!("{error}: {CALL}"));
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            lexopt::Arg::Long("listen") => {
                listen = parser
                    .value()
                    .and_then(|value| value.parse())
                    .map_err(wrong)?;
            }
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => usage::print(USAGE),
            lexopt::Arg::Value(path) if config.is_none() => config = Some(PathBuf::from(path)),
            other => return Err(wrong(other.unexpected())),
        }
    }
    match config {
        Some(config) => Ok(Arguments { config, listen }),
        None => Err(Problem::line(CALL)),
    }
}

/// The layer that the file describes, or all that is wrong with it.
fn read_layer(path: &PathBuf) -> Result<CorsLayer, Problem> {
    let in_file =
        |what: &dyn fmt::Display| Problem::line(format_args!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| in_file(&error))?;
    let is_toml = path.extension().is_some_and(|ending| ending == "toml");
    let config: CorsConfig = if is_toml {
        toml::from_str(&text).map_err(|error| in_file(&toml_error(&error, &text)))?
    } else {
        serde_json::from_str(&text).map_err(|error| in_file(&error))?
    };
    CorsLayer::try_from(config).map_err(|errors| Problem(errors.to_string()))
}

/// TOML's own text has several lines, with a picture of the place. Mistakes in a value are said to
/// be at the beginning of the file, which helps nobody, and their text names the key.
fn toml_error(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1)
        .filter(|line| *line > 1);
    match line {
        Some(line) => format!("{} at line {line}", error.message()),
        None => error.message().to_owned(),
    }
}

/// What stands in the way: a line for each mistake.
struct Problem(String);

impl Problem {
    fn line(what: impl fmt::Display) -> Self {
        Self(what.to_string().replace(['\n', '\r'], " "))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
