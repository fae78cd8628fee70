//! A custom policy: each tenant has a host, and a list of origins in a slow directory. Recent lookups
//! are remembered.
//!
//! `cargo run --example custom_policy -- --listen 127.0.0.1:3000` serves it; `-- --check` asks
//! the server over a socket as pages would, and exits with 1 if an answer is not as it should be.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod usage;

use std::{
    collections::HashMap,
    error::Error,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use http::header::HOST;
use lexopt::ValueExt;
use tokio::net::TcpListener;
use tower_cors::{
    CorsLayer, CorsRequest, DenialKind, DeniedRequests, OriginPolicy, OriginSet, VerdictFuture,
    policy::PolicyProperties,
};

/// How long an answer of the directory is used.
const FRESH: Duration = Duration::from_secs(60);
/// Any client can make up host names, so the memory needs a bound.
const MAX_TENANTS: usize = 10_000;

/// Stands for a database or another service.
#[derive(Debug, Default)]
struct Directory {
    lookups: AtomicUsize,
}

impl Directory {
    /// The origins of a tenant; none if there is no such tenant.
    async fn origins_of(&self, host: &str) -> Result<OriginSet, Box<dyn Error + Send + Sync>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        match host {
            "contoso.test" => Ok(OriginSet::parse(["https://*.contoso.example"])?),
            "broken.test" => Err("the directory does not answer".into()),
            _ => Ok(OriginSet::default()),
        }
    }
}

/// Each tenant's own list, found by the `Host` that a request is for.
#[derive(Clone, Debug, Default)]
pub struct TenantOrigins(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    directory: Directory,
    known: Mutex<HashMap<String, (Instant, OriginSet)>>,
}

impl Shared {
    fn remembered(&self, host: &str) -> Option<OriginSet> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, origins) = known.get(host)?;
        (since.elapsed() < FRESH).then(|| origins.clone())
    }

    fn remember(&self, host: String, origins: OriginSet) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TENANTS {
            known.clear();
        }
        known.insert(host, (Instant::now(), origins));
    }
}

impl OriginPolicy for TenantOrigins {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let Some(host) = request.host() else {
            let denial =
                DenialKind::OriginNotAllowed.because("the request names no host, or several");
            return denial.into();
        };
        let origin = request.origin().clone();
        if let Some(origins) = self.0.remembered(&host) {
            return origin.judge_by(|tuple| origins.contains(tuple)).into();
        }
        // The future outlives the request that it is about, so it owns what it needs.
        let (shared, host) = (Arc::clone(&self.0), host.into_owned());
        VerdictFuture::try_new(async move {
            // If the directory fails, deny and do not cache.
            let origins = shared
                .directory
                .origins_of(&host)
                .await
                .map_err(|error| DenialKind::Unavailable.because(error.to_string()))?;
            shared.remember(host, origins.clone());
            Ok(origin.judge_by(|tuple| origins.contains(tuple)))
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .reads([HOST])
            .denied_requests(DeniedRequests::Refuse)
    }
}

const USAGE: &str = "\
Usage: custom_policy [OPTIONS]

Serves a greeting to the pages that each tenant lists.

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
    let policy = TenantOrigins::default();
    let cors = CorsLayer::builder()
        .origin_policy(policy.clone())
        // A directory that never answers must not hold requests for ever.
        .verdict_timeout(Duration::from_secs(2), tokio::time::sleep)
        .build()?;
    let router = Router::new()
        .route("/", get(async || "hello\n"))
        .layer(cors);
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    if check {
        return check::all(&format!("http://{address}/"), &policy).await;
    }
    server.await??;
    Ok(ExitCode::SUCCESS)
}

mod check {
    use super::{Error, ExitCode, Ordering, TenantOrigins};

    /// The tenant, the page, the statuses of preflight and request, and how often the directory
    /// has been asked by then.
    const ROWS: [(&str, &str, u16, u16, usize); 7] = [
        ("contoso.test", "https://app.contoso.example", 204, 200, 1),
        ("contoso.test", "https://app.contoso.example", 204, 200, 1),
        ("contoso.test", "https://evil.example", 403, 403, 1),
        ("contoso.test", "null", 403, 403, 1),
        ("unknown.test", "https://app.contoso.example", 403, 403, 2),
        // A failed lookup is repeated; every refused preflight is 403.
        ("broken.test", "https://app.contoso.example", 403, 503, 4),
        ("contoso.test", "https://app.contoso.example", 204, 200, 4),
    ];

    pub(super) async fn all(url: &str, policy: &TenantOrigins) -> Result<ExitCode, Box<dyn Error>> {
        let client = reqwest::Client::new();
        let mut code = ExitCode::SUCCESS;
        for (host, origin, preflight, actual, lookups) in ROWS {
            for (method, status) in [("OPTIONS", preflight), ("GET", actual)] {
                let mut request = client
                    .request(method.parse()?, url)
                    .header("host", host)
                    .header("origin", origin);
                if method == "OPTIONS" {
                    request = request.header("access-control-request-method", "GET");
                }
                let response = request.send().await?;
                let granted = response.headers().get("access-control-allow-origin");
                let granted = granted.is_some_and(|granted| granted == origin);
                let vary = response.headers().get("vary");
                let as_expected = response.status() == status
                    && granted == (status < 300)
                    && vary.is_some_and(|vary| vary.as_bytes().starts_with(b"origin,host"));
                report(
                    &mut code,
                    as_expected,
                    &format!("{method} {host} from {origin}: {}", response.status()),
                );
            }
            let asked = policy.0.directory.lookups.load(Ordering::Relaxed);
            report(
                &mut code,
                asked == lookups,
                &format!("the directory was asked {asked} times"),
            );
        }
        Ok(code)
    }

    fn report(code: &mut ExitCode, as_expected: bool, what: &str) {
        println!("{}: {what}", if as_expected { "ok" } else { "MISMATCH" });
        if !as_expected {
            *code = ExitCode::FAILURE;
        }
    }
}
