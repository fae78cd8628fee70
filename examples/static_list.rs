//! A static list of origins before an axum router.
//!
//! `cargo run --example static_list -- --listen 127.0.0.1:3000` serves it; `-- --check` asks the
//! server over a socket as pages would, and exits with 1 if an answer is not as it should be.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod usage;

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use http::{Method, header};
use lexopt::ValueExt;
use tokio::net::TcpListener;
use tower_cors::{ConfigErrors, CorsLayer};

fn router() -> Result<Router, ConfigErrors> {
    let cors = CorsLayer::builder()
        .allow_origins(["https://app.example.com", "http://localhost:*"])
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers([header::CONTENT_TYPE])
        .build()?;
    let hello = || async { "hello\n" };
    Ok(Router::new().route("/", get(hello).put(hello)).layer(cors))
}

const USAGE: &str = "\
Usage: static_list [OPTIONS]

Serves a greeting to the pages of a static list of origins.

  --listen ADDRESS  where it listens (default: 127.0.0.1:3000)
  --check           ask it as pages would, and fail unless all is as it must be
  --help            print this
";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut listen = "127.0.0.1:3000".to_owned();
    let mut check = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("listen") => listen = arguments.value()?.string()?,
            lexopt::Arg::Long("check") => check = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => usage::print(USAGE),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if check {
        "127.0.0.1:0".clone_into(&mut listen);
    }
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server =
        tokio::spawn(async move { axum::serve(listener, router()?).await.map_err(Into::into) });
    if check {
        return check::all(&format!("http://{address}/")).await;
    }
    let served: Result<(), Box<dyn Error + Send + Sync>> = server.await?;
    served.map_err(|error| -> Box<dyn Error> { error })?;
    Ok(ExitCode::SUCCESS)
}

mod check {
    use super::{Error, ExitCode};

    /// What pages ask, the status, and whether they are let in.
    const ROWS: [(&str, &str, u16, bool); 5] = [
        ("GET", "https://app.example.com", 200, true),
        ("GET", "http://localhost:5173", 200, true),
        ("GET", "https://evil.example", 200, false),
        ("OPTIONS", "https://app.example.com", 204, true),
        ("OPTIONS", "https://evil.example", 403, false),
    ];

    pub(super) async fn all(url: &str) -> Result<ExitCode, Box<dyn Error>> {
        let client = reqwest::Client::new();
        let mut code = ExitCode::SUCCESS;
        for (method, origin, status, let_in) in ROWS {
            let mut request = client
                .request(method.parse()?, url)
                .header("origin", origin);
            if method == "OPTIONS" {
                request = request.header("access-control-request-method", "PUT");
            }
            let response = request.send().await?;
            let granted = response.headers().get("access-control-allow-origin");
            let as_expected = response.status() == status
                && granted.is_some_and(|granted| granted == origin) == let_in
                && granted.is_some() == let_in;
            let verdict = if as_expected { "ok" } else { "MISMATCH" };
            println!(
                "{method} from {origin}: {}, {granted:?}: {verdict}",
                response.status()
            );
            if !as_expected {
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}
