//! A policy of one's own: each tenant has a host and a list of origins, which a slow directory
//! knows. What was looked up a moment ago is answered at once.
//!
//! `cargo run --example custom_policy -- --listen 127.0.0.1:3000` serves it; `-- --check` asks
//! the server over a socket as pages would, and exits with 1 if an answer is not as it should be.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

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
use http::{
    HeaderName,
    header::{HOST, ORIGIN},
};
use lexopt::ValueExt;
use tokio::net::TcpListener;
use tower_cors::{
    CorsLayer, CorsRequest, Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, OriginSet,
    Verdict, VerdictFuture, policy::PolicyProperties,
};

/// How long what the directory said is believed.
const FRESH: Duration = Duration::from_secs(60);
/// Any client can make up host names, so that what is remembered needs a bound.
const MAX_TENANTS: usize = 10_000;

/// Stands for a database or another service.
#[derive(Debug, Default)]
struct Directory {
    lookups: AtomicUsize,
}

impl Directory {
    /// The origins of a tenant, or `None` if there is no such tenant.
    async fn origins_of(
        &self,
        host: &str,
    ) -> Result<Option<OriginSet>, Box<dyn Error + Send + Sync>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        match host {
            "contoso.test" => Ok(Some(OriginSet::parse(["https://*.contoso.example"])?)),
            "broken.test" => Err("the directory does not answer".into()),
            _ => Ok(None),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct TenantOrigins(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    directory: Directory,
    known: Mutex<HashMap<String, (Instant, Option<OriginSet>)>>,
}

impl Shared {
    fn remembered(&self, host: &str) -> Option<Option<OriginSet>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, origins) = known.get(host)?;
        (since.elapsed() < FRESH).then(|| origins.clone())
    }

    fn remember(&self, host: String, origins: Option<OriginSet>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TENANTS {
            known.clear();
        }
        known.insert(host, (Instant::now(), origins));
    }
}

impl OriginPolicy for TenantOrigins {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (Some(Ok(host)), None) = (hosts.next().map(|host| host.to_str()), hosts.next()) else {
            let denial = Denial::new(DenialKind::OriginNotAllowed);
            return VerdictFuture::ready(denial.reason("there is not exactly one Host"));
        };
        if let Some(origins) = self.0.remembered(host) {
            let granted = request
                .origin()
                .tuple()
                .is_some_and(|origin| origins.is_some_and(|origins| origins.contains(origin)));
            return VerdictFuture::ready(verdict(granted));
        }
        // What a future needs, it must own.
        let (shared, host) = (Arc::clone(&self.0), host.to_owned());
        let origin = request.origin().clone();
        VerdictFuture::new(async move {
            match shared.directory.origins_of(&host).await {
                Ok(origins) => {
                    let granted = origin.tuple().is_some_and(|origin| {
                        origins
                            .as_ref()
                            .is_some_and(|origins| origins.contains(origin))
                    });
                    shared.remember(host, origins);
                    verdict(granted)
                }
                // When in doubt, deny; and do not remember it.
                Err(error) => {
                    let denial = Denial::new(DenialKind::Unavailable);
                    Verdict::Deny(denial.reason(error.to_string()))
                }
            }
        })
    }

    fn varies_on(&self) -> &[HeaderName] {
        static NAMES: [HeaderName; 2] = [ORIGIN, HOST];
        &NAMES
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().denied_requests(DeniedRequests::Refuse)
    }
}

fn verdict(granted: bool) -> Verdict {
    if granted {
        Verdict::Allow(Grant::new())
    } else {
        Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut listen = "127.0.0.1:3000".to_owned();
    let mut check = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("listen") => listen = arguments.value()?.string()?,
            lexopt::Arg::Long("check") => check = true,
            _ => return Err(argument.unexpected().into()),
        }
    }
    if check {
        "127.0.0.1:0".clone_into(&mut listen);
    }
    let policy = TenantOrigins::default();
    let cors = CorsLayer::builder().origin_policy(policy.clone()).build()?;
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
        // Out of reach is no answer, and is asked for again. Preflights are refused all alike.
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
