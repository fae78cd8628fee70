//! The issuing side: what may be asked for, what is minted, and that readers take it.

mod minting;
mod preflights;
mod reading;
mod remote;
mod requests;
mod revocation;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, Request, Response, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, Denial, DenialKind, Origin, OriginPolicy, OriginSet,
    origin::OriginPattern,
    preflight::{Issued, IssuedCursor, IssuedIndex, RegisterError},
    revocation::{ChangeCursor, RevocationChanges, Revocations, TokenIdentity},
    time::Clock,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, EntryErrorKind, FormatError, ListRules, OriginsClaim, OriginsFormat},
        issue::{
            AllowedOrigins, IssueRules, MintError, MintedToken, MinterConfigError,
            MinterConfigErrors, RequestedEntryErrorKind as Kind, RequestedOriginsError, Revocable,
            SigningKey, TokenMinter, TokenMinterBuilder, TokenOrder,
        },
        source::TokenSource,
        verify::{
            TokenRequest, VerifyError, VerifyFuture,
            jwt::{JwtAlgorithm, JwtVerifier},
        },
    },
};

const SEMICOLONS: OriginsFormat = OriginsFormat::Delimited(';');
const PAGE: &str = "https://contoso.com";
const OTHER: &str = "https://litware.com";
const EVIL: &str = "https://evil.example";

const RSA: &str = include_str!("../../data/rsa.pem");
const P_256: &str = include_str!("../../data/p-256.pem");
const P_384: &str = include_str!("../../data/p-384.pem");
const ED25519: &str = include_str!("../../data/ed25519.pem");

fn parse(text: &str) -> Result<AllowedOrigins, RequestedOriginsError> {
    AllowedOrigins::parse_request(text, SEMICOLONS, &IssueRules::new())
}

fn texts(origins: &AllowedOrigins) -> Vec<&str> {
    origins.iter().map(OriginPattern::as_str).collect()
}

/// The mistakes, as entry and kind.
fn mistakes(text: &str) -> Vec<(usize, Kind)> {
    let error = parse(text).expect_err(text);
    error.entries().iter().map(|e| (e.index, e.kind)).collect()
}

const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

fn key(algorithm: JwtAlgorithm) -> SigningKey {
    let pem = match algorithm.name() {
        "ES256" => P_256,
        "ES384" => P_384,
        "EdDSA" => ED25519,
        _ => RSA,
    };
    SigningKey::from_pem(pem.as_bytes(), algorithm, "2026-11").unwrap()
}

fn builder() -> TokenMinterBuilder {
    TokenMinter::builder(key(JwtAlgorithm::EdDsa), "https://id.example", "chat").prefix("psat=")
}

fn order() -> TokenOrder {
    TokenOrder::new(parse("https://contoso.com;https://litware.com").unwrap())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Header and claims, without a check of anything.
fn decoded(token: &MintedToken) -> (Value, Value) {
    let mut parts = token.jwt().split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

fn verifier(key: &SigningKey) -> JwtVerifier {
    JwtVerifier::builder()
        .key(key.to_public())
        .issuer("https://id.example")
        .audience("chat")
        .leeway(Duration::ZERO)
        .build()
        .unwrap()
}

fn in_header(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn in_url(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn in_both(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(TokenSource::bearer().prefix("psat="))
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn layer(policy: impl tower_cors::OriginPolicy) -> CorsLayer {
    CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods([Method::PUT])
        .allow_headers([header::AUTHORIZATION])
        .max_age(Duration::from_secs(7200))
        .build()
        .unwrap()
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    origin: Option<String>,
    max_age: Option<u64>,
    denial: Option<DenialKind>,
    /// The session of the token that the inner service found, if it ran.
    inner: Option<String>,
}

async fn send(layer: &CorsLayer, request: Request<()>) -> Outcome {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |request: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let token = request.extensions().get::<Arc<VerifiedToken>>();
        let session = token.and_then(|token| token.claims().get("asi")?.as_str());
        let mut response = Response::new(());
        let session = session.unwrap_or("none").to_owned();
        response.extensions_mut().insert(session);
        std::future::ready(Ok::<_, std::convert::Infallible>(response))
    });
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let inner = response.extensions().get::<String>().cloned();
    assert_eq!(calls.load(Ordering::Relaxed), usize::from(inner.is_some()));
    Outcome {
        status: response.status().as_u16(),
        origin: header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        max_age: header(header::ACCESS_CONTROL_MAX_AGE).map(|seconds| seconds.parse().unwrap()),
        denial: response.extensions().get::<Denial>().map(Denial::kind),
        inner,
    }
}

fn preflight(uri: &str, origin: &str) -> Request<()> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(uri)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        .body(())
        .unwrap()
}

fn actual(uri: &str, origin: &str, token: Option<&MintedToken>) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(uri)
        .header(header::ORIGIN, origin);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.as_str()));
    }
    request.body(()).unwrap()
}

fn granted(origin: &str, session: &str) -> Outcome {
    Outcome {
        status: 200,
        origin: Some(origin.to_owned()),
        max_age: None,
        denial: None,
        inner: Some(session.to_owned()),
    }
}

fn refused(status: u16, denial: DenialKind) -> Outcome {
    Outcome {
        status,
        origin: None,
        max_age: None,
        denial: Some(denial),
        inner: None,
    }
}

/// A clock that the test sets.
#[derive(Clone, Debug)]
struct Moving(Arc<AtomicU64>);

impl Clock for Moving {
    fn now(&self) -> SystemTime {
        at(self.0.load(Ordering::SeqCst))
    }
}

/// An issuer whose clock is set, and what judges its tokens by the real time.
struct Past {
    clock: Moving,
    index: IssuedIndex,
    minter: TokenMinter,
    layer: CorsLayer,
}

impl Past {
    fn new() -> Self {
        let key = key(JwtAlgorithm::EdDsa);
        let clock = Moving(Arc::default());
        let revocations = Revocations::builder(100)
            .session_claim("asi")
            .clock(clock.clone());
        let index = IssuedIndex::sharing(100, &revocations.build());
        let minter = builder().clock(clock.clone()).index(index.clone());
        let jwt = JwtVerifier::builder()
            .key(key.to_public())
            .issuer("https://id.example")
            .audience("chat")
            .build()
            .unwrap();
        let policy = TokenOrigins::builder()
            .verifier(Revocable::new(jwt, index.clone()))
            .source(TokenSource::bearer().prefix("psat="))
            .claim(OriginsClaim::delimited("ao", ';'))
            .build()
            .unwrap();
        Self {
            clock,
            minter: minter.build().unwrap(),
            layer: layer(policy.with_preflight(index.clone())),
            index,
        }
    }

    fn set(&self, ago: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.clock.0.store(now.as_secs() - ago, Ordering::SeqCst);
    }

    /// A token that has expired so long ago, minted two minutes before.
    fn mint_expired(&self, ago: u64) -> MintedToken {
        self.set(ago + 120);
        let order = order().session("s");
        let lifetime = Duration::from_secs(120);
        self.minter.mint(&order.lifetime(lifetime)).unwrap()
    }
}

/// Counts what it lets the inner verifier do.
#[derive(Debug)]
struct Counting(JwtVerifier, Arc<AtomicUsize>);

impl TokenVerifier for Counting {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.verify(token, request)
    }
}
