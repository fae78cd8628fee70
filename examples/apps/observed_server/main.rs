//! A server that is observed: counters for Prometheus, a line for each denial, and a tighter list on
//! trial.
//!
//! `cargo run --example observed_server --features axum,metrics -- --listen 127.0.0.1:3000` serves
//! it, with the counters under `/metrics`; `-- --check` asks the server over a socket as pages would,
//! and exits with 1 if a counter is not as it should be. `dashboard.json` is a dashboard for Grafana.
//!
//! A real service shows its counters on another port, which is not public.
#![allow(clippy::print_stdout, reason = "it is a program")]

#[path = "../../usage/mod.rs"]
mod usage;

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use http::Method;
use lexopt::ValueExt;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tower_cors::{
    ConfigErrors, CorsLayer, CorsLayerBuilder,
    observe::{Decision, Outcome},
};

fn list<const N: usize>(origins: [&str; N]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        .allow_methods([Method::PUT])
}

fn router(counters: PrometheusHandle) -> Result<Router, ConfigErrors> {
    let cors = list(["https://*.example.com"])
        .record_metrics("api")
        .report_only(list(["https://app.example.com"]))
        .record_decisions(true)
        .on_decision(|decision| {
            if !decision.outcome().is_allowed() {
                println!("{decision}");
            }
        })
        .build()?;
    Ok(Router::new()
        .route("/", get(hello).put(hello))
        .layer(cors)
        .route("/metrics", get(async move || counters.render())))
}

/// What the layer has decided, as an argument. Do not use it for access control.
async fn hello(decision: Decision) -> &'static str {
    if decision.outcome() == Outcome::Allowed {
        "hello, page\n"
    } else {
        "hello\n"
    }
}

const USAGE: &str = "\
Usage: observed_server [OPTIONS]

Serves a greeting to pages below example.com, and under /metrics what it has decided.

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
    // Before the layer is built, which registers its counters.
    let counters = PrometheusBuilder::new().install_recorder()?;
    let router = router(counters)?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    if check {
        return check::all(&format!("http://{address}/")).await;
    }
    server.await??;
    Ok(ExitCode::SUCCESS)
}

mod check {
    use super::{Error, ExitCode};

    /// What pages ask, and what the handler says.
    const REQUESTS: [(&str, &str, &str); 5] = [
        ("GET", "https://app.example.com", "hello, page\n"),
        ("GET", "https://old.example.com", "hello, page\n"),
        ("GET", "https://evil.example", "hello\n"),
        ("OPTIONS", "https://app.example.com", ""),
        ("OPTIONS", "https://evil.example", ""),
    ];

    const LINES: [&str; 5] = [
        r#"tower_cors_requests_total{layer="api",kind="actual",outcome="allowed",reason="none"} 2"#,
        r#"tower_cors_requests_total{layer="api",kind="actual",outcome="forwarded",reason="origin_not_allowed"} 1"#,
        r#"tower_cors_requests_total{layer="api",kind="preflight",outcome="allowed",reason="none"} 1"#,
        r#"tower_cors_requests_total{layer="api",kind="preflight",outcome="refused",reason="origin_not_allowed"} 1"#,
        r#"tower_cors_shadow_judgements_total{layer="api",result="allows_less"} 1"#,
    ];

    pub(super) async fn all(url: &str) -> Result<ExitCode, Box<dyn Error>> {
        let client = reqwest::Client::new();
        let mut code = ExitCode::SUCCESS;
        for (method, origin, expected) in REQUESTS {
            let request = client.request(method.parse()?, url);
            let request = request
                .header("origin", origin)
                .header("access-control-request-method", "PUT");
            let body = request.send().await?.text().await?;
            if body != expected {
                println!("{method} from {origin}: {body:?}: MISMATCH");
                code = ExitCode::FAILURE;
            }
        }
        let counters = client.get(format!("{url}metrics")).send().await?;
        let counters = counters.text().await?;
        for line in LINES {
            let is_there = counters.lines().any(|there| there == line);
            println!("{line}: {}", if is_there { "ok" } else { "MISSING" });
            if !is_there {
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}
