//! An API for pages, whose callers carry access tokens of a Keycloak realm: signed tokens with the
//! client's web origins in the claim `allowed-origins`. The realm is played by a second HTTP server
//! on this machine, which publishes its keys where Keycloak does.
//!
//! ```text
//! cargo run --example keycloak_resource_server --features jwt-rust-crypto,reqwest,test-util -- --check
//! cargo run --example keycloak_resource_server --features jwt-rust-crypto,reqwest,test-util -- --listen 127.0.0.1:0
//! ```
//!
//! `--check` plays pages over real sockets, prints what they see, and fails if that is not as it
//! should be.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod caller;
mod page_check;
mod usage;

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, routing::get};
use http::{Method, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use rsa::rand_core::{OsRng, RngCore};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use tower_cors::{
    CorsLayer, DeniedRequests, OriginPolicy,
    preflight::Optimistic,
    time::Clock,
    token::{
        TokenOrigins,
        verify::{jwks::JwksVerifier, reqwest::ReqwestKeySetFetcher},
    },
};

use self::{
    caller::Caller,
    page_check::{Arguments, CheckClock, Error, Seen, Table},
};

const SHOP: &str = "https://shop.example.com";
const EVIL: &str = "https://evil.example";
const CERTS: &str = "/realms/shop/protocol/openid-connect/certs";
const AUDIENCE: &str = "orders-api";

const USAGE: &str = "\
Usage: keycloak_resource_server [OPTIONS]

Serves an API whose callers have tokens of a Keycloak realm, and a small realm beside it.

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
    let clock = CheckClock::default();
    let handled = Arc::<AtomicUsize>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}/realms/shop", listener.local_addr()?);
    let fetcher = ReqwestKeySetFetcher::new(
        reqwest::Client::builder(),
        &format!("http://{}{CERTS}", listener.local_addr()?),
    )?;
    // Before the realm signs anything: the first builder finds out about the cryptography.
    let verifier = JwksVerifier::builder(fetcher)
        .issuer(issuer.as_str())
        .audience(AUDIENCE)
        .clock(clock.clone())
        .build()?;
    let realm = Realm::start(listener, issuer, clock.clone())?;
    // So that no page waits for the keys.
    verifier.refresh().await?;
    let api = api(verifier, Arc::clone(&handled))?;

    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(async move { axum::serve(listener, api).await });
    if arguments.check {
        return check(address, realm, clock, handled).await;
    }
    let token = realm.token(json!([SHOP]), json!({}))?;
    println!("its issuer is {}", realm.issuer);
    println!("try: curl -i http://{address}/orders -H 'origin: {SHOP}' \\");
    println!("          -H 'authorization: Bearer {token}'");
    Ok(server.await??)
}

/// The API: its orders may be read by the pages that the caller's token names.
fn api(verifier: JwksVerifier, handled: Arc<AtomicUsize>) -> Result<Router, Error> {
    let tokens = TokenOrigins::keycloak(verifier).build()?;
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

/// A realm: its keys, where it publishes them, and the tokens that it signs.
struct Realm {
    issuer: String,
    clock: CheckClock,
    keys: Arc<Mutex<Vec<Key>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Key {
    kid: String,
    private: EncodingKey,
}

impl Realm {
    fn start(listener: TcpListener, issuer: String, clock: CheckClock) -> Result<Self, Error> {
        let keys = Arc::new(Mutex::new(vec![Key::generate("2026-11")]));
        let router = Router::new()
            .route(CERTS, get(certs))
            .with_state(Arc::clone(&keys));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the realm stopped: {error}");
            }
        });
        Ok(Self {
            issuer,
            clock,
            keys,
            server,
        })
    }

    /// Replaces the key, as after a leak: tokens of the old one are not good any more.
    fn replace_key(&self, kid: &str) {
        let mut keys = self.keys.lock().expect("nothing panics while it is locked");
        *keys = vec![Key::generate(kid)];
    }

    /// An access token as Keycloak writes it, with some claims changed.
    fn token(&self, allowed_origins: Value, changed: Value) -> Result<String, Error> {
        let key = self.keys.lock().expect("nothing panics while it is locked")[0].clone();
        key.sign(self.claims(allowed_origins, changed))
    }

    fn claims(&self, allowed_origins: Value, changed: Value) -> Value {
        let now = self.now();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": [AUDIENCE, "account"],
            "azp": "shop-frontend",
            "sub": "f3e2d1",
            "iat": now,
            "exp": now + 300,
            "allowed-origins": allowed_origins,
        });
        for (name, value) in changed.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    }

    fn now(&self) -> u64 {
        let since = self.clock.now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    }
}

impl Key {
    /// A new Ed25519 key. `rsa`, which keys of realms are more often for, takes minutes in a debug
    /// build.
    fn generate(kid: &str) -> Self {
        // PKCS #8 (RFC 8410, section 7) around 32 bytes of randomness.
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        der.extend(seed);
        Self {
            kid: kid.to_owned(),
            private: EncodingKey::from_ed_der(&der),
        }
    }

    fn sign(&self, claims: Value) -> Result<String, Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        Ok(jsonwebtoken::encode(&header, &claims, &self.private)?)
    }

    fn public(&self) -> Result<Value, Error> {
        let mut jwk = Jwk::from_encoding_key(&self.private, Algorithm::EdDSA)?;
        jwk.common.key_id = Some(self.kid.clone());
        let mut jwk = serde_json::to_value(jwk)?;
        jwk["use"] = "sig".into();
        Ok(jwk)
    }
}

async fn certs(State(keys): State<Arc<Mutex<Vec<Key>>>>) -> Result<Json<Value>, String> {
    let keys = keys
        .lock()
        .expect("nothing panics while it is locked")
        .clone();
    let keys: Result<Vec<Value>, Error> = keys.iter().map(Key::public).collect();
    let keys = keys.map_err(|error| error.to_string())?;
    Ok(Json(json!({"keys": keys})))
}

async fn check(
    api: SocketAddr,
    realm: Realm,
    clock: CheckClock,
    handled: Arc<AtomicUsize>,
) -> Result<(), Error> {
    let fetch = |page: &str, token: Option<&str>| page_check::fetch_orders(api, page, token);
    let now = realm.now();
    let good = realm.token(json!([SHOP]), json!({}))?;
    let forged = Key::generate("2026-11").sign(realm.claims(json!([EVIL]), json!({})))?;
    let expired = realm.token(json!([SHOP]), json!({"exp": now - 60}))?;
    let early = realm.token(json!([SHOP]), json!({"nbf": now + 60}))?;
    let misdirected = realm.token(json!([SHOP]), json!({"aud": "account"}))?;
    let star = realm.token(json!(["*"]), json!({}))?;
    let plus = realm.token(json!(["+"]), json!({}))?;
    let text = realm.token(json!(SHOP), json!({}))?;
    let mut table = Table::new(api, handled);
    for (page, step, token, expected) in [
        (
            SHOP,
            "a listed page with its token",
            Some(&good),
            Seen::LET_IN,
        ),
        (
            EVIL,
            "a foreign page with that token",
            Some(&good),
            Seen::refused(403),
        ),
        (
            "null",
            "a sandboxed frame with that token",
            Some(&good),
            Seen::STOPPED,
        ),
        (
            EVIL,
            "a token that the page made itself",
            Some(&forged),
            Seen::refused(401),
        ),
        (
            SHOP,
            "an expired token: the page learns of it",
            Some(&expired),
            Seen::refused(401).readable(),
        ),
        (
            EVIL,
            "an expired token in a foreign page",
            Some(&expired),
            Seen::refused(401),
        ),
        (
            SHOP,
            "a token that is not valid yet",
            Some(&early),
            Seen::refused(401),
        ),
        (
            SHOP,
            "a token for another API",
            Some(&misdirected),
            Seen::refused(401),
        ),
        (
            SHOP,
            "allowed-origins [\"*\"]",
            Some(&star),
            Seen::refused(403),
        ),
        (
            SHOP,
            "allowed-origins [\"+\"], not expanded",
            Some(&plus),
            Seen::refused(403),
        ),
        (
            SHOP,
            "allowed-origins a text, no array",
            Some(&text),
            Seen::refused(403),
        ),
        (
            SHOP,
            "no token",
            None,
            Seen::refused(403).without_preflight(),
        ),
    ] {
        let fetch = fetch(page, token.map(String::as_str))?;
        table.play(page, step, &fetch, expected).await?;
    }

    // Other servers, and pages of the API itself, send no origin.
    table.call("a good token", Some(&good), 200).await?;
    table.call("a forged token", Some(&forged), 401).await?;
    table.call("an expired token", Some(&expired), 401).await?;
    table.call("no token", None, 401).await?;

    realm.replace_key("2026-12");
    let rotated = realm.token(json!([SHOP]), json!({}))?;
    let early = fetch(SHOP, Some(&rotated))?;
    let step = "a new key, too soon to ask again";
    table.play(SHOP, step, &early, Seen::refused(401)).await?;
    clock.advance(Duration::from_secs(31));
    let rotated = realm.token(json!([SHOP]), json!({}))?;
    let later = fetch(SHOP, Some(&rotated))?;
    let step = "a new key, 30 seconds later";
    table.play(SHOP, step, &later, Seen::LET_IN).await?;
    let step = "a token of the key that was replaced";
    let replaced = fetch(SHOP, Some(&good))?;
    table
        .play(SHOP, step, &replaced, Seen::refused(401))
        .await?;

    realm.server.abort();
    clock.advance(Duration::from_secs(3000));
    let token = realm.token(json!([SHOP]), json!({"exp": realm.now() + 7200}))?;
    let late = fetch(SHOP, Some(&token))?;
    let step = "the realm is down for 50 minutes";
    table.play(SHOP, step, &late, Seen::LET_IN).await?;
    clock.advance(Duration::from_secs(600));
    let step = "the realm is down for an hour";
    table.play(SHOP, step, &late, Seen::refused(503)).await?;
    let step = "the realm is down for an hour";
    table.call(step, Some(&token), 503).await?;
    table.finish()
}
