//! An API for pages, whose callers carry opaque tokens. It asks the server that issued them
//! (introspection, RFC 7662), which a second HTTP server on this machine plays.
//!
//! ```text
//! cargo run --example introspection_server --features reqwest,test-util -- --check
//! cargo run --example introspection_server --features reqwest,test-util -- --listen 127.0.0.1:0
//! ```
//!
//! `--check` plays pages over real sockets, prints what they see, and fails if that is not as it
//! should be.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod caller;
mod page_check;
mod usage;

use std::{
    collections::HashMap,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Form, Json, Router,
    extract::State,
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use tower_cors::{
    CorsLayer, DeniedRequests, OriginPolicy,
    preflight::Optimistic,
    token::{
        TokenOrigins,
        claim::OriginsClaim,
        verify::{
            introspection::IntrospectionVerifier,
            reqwest::{ClientAuth, ReqwestIntrospectionClient},
        },
    },
};

use self::{
    caller::Caller,
    page_check::{Arguments, CheckClock, Error, Seen, Table},
};

const SHOP: &str = "https://shop.example.com";
const EVIL: &str = "https://evil.example";
const API: &str = "https://api.example.com";

const USAGE: &str = "\
Usage: introspection_server [OPTIONS]

Serves an API whose callers' tokens are looked up at an issuer, and a small issuer beside it.

  --listen ADDRESS  where the API listens (default: a free port of 127.0.0.1)
  --check           ask the API as pages would, and fail unless all is as it must be
  --help            print this
";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let arguments = Arguments::parse(USAGE)?;
    let issuer = Issuer::start().await?;
    let clock = CheckClock::default();
    let handled = Arc::<AtomicUsize>::default();
    let api = api(issuer.address, clock.clone(), Arc::clone(&handled))?;

    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(async move { axum::serve(listener, api).await });
    if arguments.check {
        return check(address, issuer, clock, handled).await;
    }
    println!("its issuer listens on {}", issuer.address);
    println!("try: curl -i http://{address}/orders -H 'origin: {SHOP}' \\");
    println!("          -H 'authorization: Bearer {}'", Issuer::GOOD);
    Ok(server.await??)
}

/// The API: its orders may be read by the pages that the caller's token names.
fn api(issuer: SocketAddr, clock: CheckClock, handled: Arc<AtomicUsize>) -> Result<Router, Error> {
    let client = ReqwestIntrospectionClient::new(
        reqwest::Client::builder(),
        &format!("http://{issuer}/introspect"),
        ClientAuth::basic("orders-api", Issuer::SECRET),
    )?;
    let verifier = IntrospectionVerifier::builder(client)
        .token_type_hint("access_token")
        .audience(API)
        .clock(clock)
        .build()?;
    let claim = OriginsClaim::array("allowed-origins");
    let tokens = TokenOrigins::introspection(verifier, claim)
        // The verifier remembers what the issuer says, by the check's clock.
        .max_cache_bytes(0)
        .build()?;
    let cors = CorsLayer::builder()
        // A preflight carries no token: the request itself is judged.
        .origin_policy(tokens.clone().with_preflight(Optimistic::new()))
        .denied_requests(DeniedRequests::Refuse)
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION])
        .build()?;
    let orders = move |Caller(token): Caller| async move {
        handled.fetch_add(1, Ordering::SeqCst);
        Json(json!({"customer": token.claims().get("sub"), "orders": [1, 2, 3]}))
    };
    let router = Router::new().route("/orders", get(orders)).layer(cors);
    Ok(router.with_state(tokens))
}

/// The server that issued the tokens.
struct Issuer {
    address: SocketAddr,
    tokens: Arc<Tokens>,
    server: JoinHandle<()>,
}

/// What the issuer knows of its tokens.
type Tokens = Mutex<HashMap<&'static str, Value>>;

impl Issuer {
    const SECRET: &str = "only the two servers know this";
    const GOOD: &str = "2YotnFZFEjr1zCsicMWpAA";

    async fn start() -> Result<Self, Error> {
        let tokens = HashMap::from([
            (
                Self::GOOD,
                json!({"active": true, "sub": "jdoe", "aud": API, "allowed-origins": [SHOP]}),
            ),
            (
                "for-another-api",
                json!({"active": true, "aud": "https://mail.example", "allowed-origins": [SHOP]}),
            ),
            (
                "unclear",
                json!({"active": "true", "aud": API, "allowed-origins": [SHOP]}),
            ),
        ]);
        let tokens = Arc::new(Mutex::new(tokens));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/introspect", post(introspect))
            .with_state(Arc::clone(&tokens));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the issuer stopped: {error}");
            }
        });
        Ok(Self {
            address,
            tokens,
            server,
        })
    }

    fn revoke(&self, token: &str) {
        let mut tokens = self
            .tokens
            .lock()
            .expect("nothing panics while it is locked");
        tokens.remove(token);
    }
}

async fn introspect(
    State(tokens): State<Arc<Tokens>>,
    headers: HeaderMap,
    Form(question): Form<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    // base64("orders-api:only+the+two+servers+know+this"), as RFC 6749, section 2.3.1, has it.
    let expected = "Basic b3JkZXJzLWFwaTpvbmx5K3RoZSt0d28rc2VydmVycytrbm93K3RoaXM=";
    if headers.get(header::AUTHORIZATION) != Some(&HeaderValue::from_static(expected)) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let token = question.get("token").ok_or(StatusCode::BAD_REQUEST)?;
    let tokens = tokens.lock().expect("nothing panics while it is locked");
    let answer = tokens.get(token.as_str()).cloned();
    // RFC 7662, section 2.2: nothing more about a token that is not active.
    Ok(Json(answer.unwrap_or_else(|| json!({"active": false}))))
}

async fn check(
    api: SocketAddr,
    issuer: Issuer,
    clock: CheckClock,
    handled: Arc<AtomicUsize>,
) -> Result<(), Error> {
    let fetch = |page: &str, token: Option<&str>| page_check::fetch_orders(api, page, token);
    let good = Some(Issuer::GOOD);
    let mut table = Table::new(api, handled);
    for (page, step, token, expected) in [
        (SHOP, "a listed page with its token", good, Seen::LET_IN),
        (SHOP, "the same again, from memory", good, Seen::LET_IN),
        (
            EVIL,
            "a foreign page with that token",
            good,
            Seen::refused(403),
        ),
        (
            "null",
            "a sandboxed frame with that token",
            good,
            Seen::STOPPED,
        ),
        (
            SHOP,
            "a token that was never issued",
            Some("garbage"),
            Seen::refused(401),
        ),
        (
            SHOP,
            "a token for another API",
            Some("for-another-api"),
            Seen::refused(401),
        ),
        (
            SHOP,
            "the issuer says \"true\", not true",
            Some("unclear"),
            Seen::refused(503),
        ),
        (
            SHOP,
            "no token",
            None,
            Seen::refused(403).without_preflight(),
        ),
    ] {
        let fetch = fetch(page, token)?;
        table.play(page, step, &fetch, expected).await?;
    }

    // Other servers, and pages of the API itself, send no origin.
    table.call("a good token", good, 200).await?;
    table.call("garbage", Some("garbage"), 401).await?;
    table.call("no token", None, 401).await?;

    issuer.revoke(Issuer::GOOD);
    clock.advance(Duration::from_secs(61));
    let fetch = fetch(SHOP, good)?;
    let step = "revoked, a minute later";
    table.play(SHOP, step, &fetch, Seen::refused(401)).await?;

    issuer.server.abort();
    let _aborted = issuer.server.await;
    clock.advance(Duration::from_secs(6));
    let step = "the issuer is down";
    table.play(SHOP, step, &fetch, Seen::refused(503)).await?;
    table.call(step, good, 503).await?;
    table.finish()
}
