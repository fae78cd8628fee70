//! The preflight strategies through the whole layer: each one ready and waiting, with complete
//! header maps, and the threats that concern preflights.

mod bearer_or;
mod composition;
mod deny_preflights;
mod issued_index;
mod optimistic;
mod threats;
mod union_index;
mod url_key;

use std::{
    collections::HashMap,
    future::{Future, Ready, ready},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{HeaderName, Method, Request, Response, header};
use tower::{Layer, Service};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, CorsRequest, Denial, DenialKind, DeniedRequests, Grant, Origin,
    OriginPolicy, OriginSet, Verdict, VerdictFuture,
    error::{BroadPreflightReason, ConfigError},
    lists::{AllowHeaders, AllowMethods},
    origin::OriginPattern,
    policy::{BearerOr, PolicyProperties, Terms},
    policy_fn,
    preflight::{
        DenyPreflights, Issued, IssuedCursor, IssuedIndex, Lookup, LookupFuture, Merged,
        Optimistic, RegisterError, RequestUrl, UnionIndex, UrlKey,
    },
    revocation::TokenIdentity,
    time::Clock,
};

const PAGE: &str = "https://contoso.com";
const OTHER: &str = "https://litware.com";
const EVIL: &str = "https://evil.example";

/// Answers, and counts how often it was called.
#[derive(Clone, Default)]
struct Spy(Arc<AtomicUsize>);

impl Service<Request<()>> for Spy {
    type Response = Response<()>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Response<()>, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new(())))
    }
}

/// Polls to the end a future that nothing but polling brings on.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Waits for being polled once more.
async fn later() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Whatever the policy says, said later.
#[derive(Clone, Debug)]
struct Late<P>(Arc<P>);

impl<P: OriginPolicy> OriginPolicy for Late<P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        delay(self.0.judge(request))
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        delay(self.0.judge_preflight(request))
    }

    fn properties(&self) -> PolicyProperties {
        self.0.properties()
    }
}

fn delay(verdict: VerdictFuture) -> VerdictFuture {
    VerdictFuture::new(async move {
        later().await;
        verdict.await
    })
}

/// The answer as text: status, all headers in order, what was recorded, and whether the inner
/// service ran.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    ran: bool,
    denial: Option<DenialKind>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What a client sees.
    fn seen(&self) -> (u16, &[(String, String)], bool) {
        (self.status, &self.headers, self.ran)
    }
}

fn ask(layer: &CorsLayer, request: Request<()>) -> Answer {
    let spy = Spy::default();
    let mut service = layer.layer(spy.clone());
    let response = run(service.call(request)).expect("infallible");
    let mut headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    Answer {
        status: response.status().as_u16(),
        headers,
        ran: spy.0.load(Ordering::Relaxed) > 0,
        denial: response.extensions().get::<Denial>().map(Denial::kind),
    }
}

/// The same answer from the policy as it is, and from the policy when it has to be waited for.
fn ask_both<P: OriginPolicy + Clone>(
    policy: &P,
    configure: impl Fn(CorsLayerBuilder) -> CorsLayerBuilder,
    request: impl Fn() -> Request<()>,
) -> Answer {
    let builder = || configure(CorsLayer::builder());
    let at_once = builder().origin_policy(policy.clone()).build().unwrap();
    let late = Late(Arc::new(policy.clone()));
    let late = builder().origin_policy(late).build().unwrap();
    let answer = ask(&at_once, request());
    assert_eq!(ask(&late, request()), answer);
    answer
}

fn preflight(uri: &str, origin: &str, names: &str) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::OPTIONS)
        .uri(uri)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT");
    if !names.is_empty() {
        request = request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, names);
    }
    request.body(()).unwrap()
}

fn actual(uri: &str, origin: &str, headers: &[(HeaderName, &str)]) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(uri)
        .header(header::ORIGIN, origin);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(()).unwrap()
}

/// As most layers here are configured.
fn listed(builder: CorsLayerBuilder) -> CorsLayerBuilder {
    builder
        .allow_methods([Method::PUT])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .denied_requests(DeniedRequests::Refuse)
}

fn set(origins: &[&str]) -> OriginSet {
    OriginSet::parse(origins).unwrap()
}

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

fn pattern(text: &str) -> OriginPattern {
    text.parse().unwrap()
}

fn headers(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    headers.sort();
    headers
}

const PREFLIGHT_VARY: &str = "origin,access-control-request-method,access-control-request-headers";

/// Caches may keep what never changes.
fn storable(mut answer: Answer) -> Answer {
    answer.headers.retain(|(name, _)| name != "cache-control");
    answer
}

/// A passed preflight on the terms of `listed`.
fn passed(origin: &str, max_age: Option<&str>) -> Answer {
    let mut expected = vec![
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "authorization,content-type"),
        ("cache-control", "no-store"),
        ("vary", PREFLIGHT_VARY),
    ];
    expected.extend(max_age.map(|seconds| ("access-control-max-age", seconds)));
    Answer {
        status: 204,
        headers: headers(&expected),
        ran: false,
        denial: None,
    }
}

fn refused(vary: &str, denial: DenialKind) -> Answer {
    Answer {
        status: 403,
        headers: headers(&[("cache-control", "no-store"), ("vary", vary)]),
        ran: false,
        denial: Some(denial),
    }
}

/// A policy that needs a token in a header, as far as preflights are concerned.
fn token_policy() -> impl OriginPolicy + Clone {
    Arc::new(TokenInHeader)
}

#[derive(Debug)]
struct TokenInHeader;

impl OriginPolicy for TokenInHeader {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let token = request.headers().get(header::AUTHORIZATION);
        let is_listed = request.origin().tuple() == Some(&origin(PAGE));
        VerdictFuture::ready(match token.map(|token| token.as_bytes()) {
            Some(b"Bearer good") if is_listed => Verdict::Allow(Grant::new()),
            Some(_) => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
            None => Verdict::Abstain,
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .no_store()
    }
}

/// A clock that the test moves.
#[derive(Clone, Debug)]
struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl TestClock {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }

    fn wait(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn index(&self, max_entries: usize) -> IssuedIndex {
        IssuedIndex::with_clock(max_entries, self.clone())
    }

    fn token(&self, id: &str, origins: &[&str], life: u64) -> Issued {
        let expires_at = self.now() + Duration::from_secs(life);
        Issued::new(id, origins.iter().map(|text| origin(text)), expires_at)
    }
}

#[test]
fn a_preflight_without_a_strategy_is_refused() {
    let answer = ask_both(&token_policy(), listed, || {
        preflight("/", PAGE, "authorization")
    });
    assert_eq!(answer, refused(PREFLIGHT_VARY, DenialKind::NoPolicy));
}

fn projects() -> HashMap<String, OriginSet> {
    HashMap::from([
        ("one".to_owned(), set(&[PAGE])),
        ("two".to_owned(), set(&[OTHER])),
    ])
}

fn project_of<'a>(url: &'a RequestUrl<'_>) -> Option<&'a str> {
    url.path().strip_prefix("/api/")?.split('/').next()
}

fn split() -> BearerOr<OriginSet> {
    BearerOr::new(set(&[PAGE]))
}

fn with_credentials(builder: CorsLayerBuilder) -> CorsLayerBuilder {
    listed(builder).allow_credentials(true)
}

fn reasons(built: Result<CorsLayer, tower_cors::ConfigErrors>) -> Vec<BroadPreflightReason> {
    let errors = built.err().into_iter().flatten();
    errors
        .map(|error| match error {
            ConfigError::BroadPreflight(reason) => reason,
            other => panic!("another mistake: {other}"),
        })
        .collect()
}
