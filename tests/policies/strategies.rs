//! The preflight strategies through the whole layer: each one ready and waiting, with complete
//! header maps, and the threats that concern preflights.

use std::{
    collections::HashMap,
    future::{Future, Ready, ready},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
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
        DenyPreflights, Issued, IssuedIndex, Lookup, LookupFuture, Merged, Optimistic,
        RegisterError, UnionIndex, UrlKey,
    },
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

// --- UrlKey ---

fn projects() -> HashMap<String, OriginSet> {
    HashMap::from([
        ("one".to_owned(), set(&[PAGE])),
        ("two".to_owned(), set(&[OTHER])),
    ])
}

fn project_of<'a>(request: &CorsRequest<'a>) -> Option<&'a str> {
    request
        .uri()
        .path()
        .strip_prefix("/api/")?
        .split('/')
        .next()
}

#[test]
fn url_key_answers_for_the_key() {
    let lists = projects();
    let policy = UrlKey::new(project_of, move |key| lists.get(key).cloned());
    let policy = Arc::new(policy.max_age_at_most(Duration::from_secs(30)));
    let long = |b| listed(b).max_age(Duration::from_secs(600));

    let ask = |uri: &'static str, page: &'static str| {
        ask_both(&policy, long, move || preflight(uri, page, "content-type"))
    };
    assert_eq!(ask("/api/one/x", PAGE), passed(PAGE, Some("30")));
    assert_eq!(ask("/api/two/x", OTHER), passed(OTHER, Some("30")));
    let foreign = refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask("/api/two/x", PAGE), foreign);
    assert_eq!(
        ask("/api/one/x", "null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    // No key: another policy may answer.
    assert_eq!(
        ask("/other", PAGE),
        refused(PREFLIGHT_VARY, DenialKind::NoPolicy)
    );

    let granted = ask_both(&policy, long, || actual("/api/one/x", PAGE, &[]));
    assert_eq!(
        granted,
        Answer {
            status: 200,
            headers: headers(&[("access-control-allow-origin", PAGE), ("vary", "origin")]),
            ran: true,
            denial: None,
        }
    );
}

#[test]
fn url_key_waits_for_its_lookup() {
    let policy = |outcome: fn(&str) -> Lookup| {
        UrlKey::new(project_of, move |key: &str| {
            let outcome = outcome(key);
            LookupFuture::new(async move {
                later().await;
                outcome
            })
        })
    };
    let known = policy(|key| projects().get(key).cloned().into());
    let layer = |policy| {
        listed(CorsLayer::builder())
            .origin_policy(policy)
            .build()
            .unwrap()
    };
    let known = layer(Arc::new(known) as Arc<dyn OriginPolicy>);
    assert_eq!(
        ask(&known, preflight("/api/one", PAGE, "")),
        passed(PAGE, None)
    );
    assert_eq!(
        ask(&known, preflight("/api/two", PAGE, "")),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    let down = layer(Arc::new(policy(|_| Lookup::Unavailable)));
    let answer = ask(&down, preflight("/api/one", PAGE, ""));
    assert_eq!(answer, refused(PREFLIGHT_VARY, DenialKind::Unavailable));
    let mut unavailable = refused("origin", DenialKind::Unavailable);
    unavailable.status = 503;
    assert_eq!(ask(&down, actual("/api/one", PAGE, &[])), unavailable);
}

#[test]
fn url_key_reads_the_host_and_the_query_without_a_copy() {
    let policy = UrlKey::new(
        |request| {
            let host = request.headers().get(header::HOST)?.to_str().ok()?;
            host.strip_suffix(".api.example")
        },
        |tenant| (tenant == "one").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let at = |host: &str| {
        let mut request = preflight("/", PAGE, "");
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        ask(&layer, request).status
    };
    assert_eq!(at("one.api.example"), 204);
    assert_eq!(at("two.api.example"), 403);
    assert_eq!(at("one.api.example.evil.example"), 403);

    let policy = UrlKey::new(
        |request| request.uri().query()?.strip_prefix("sentry_key="),
        |key| (key == "abc").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abc", PAGE, "")).status,
        204
    );
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abd", PAGE, "")).status,
        403
    );
}

// --- UnionIndex ---

#[test]
fn union_index_knows_that_somebody_trusts_the_origin() {
    let index = UnionIndex::new(10);
    index
        .set("one", [pattern(PAGE), pattern("https://*.contoso.com")])
        .unwrap();
    index.set("two", [pattern(PAGE)]).unwrap();
    let policy = token_policy().with_preflight(index.clone());
    let long = |b| listed(b).max_age(Duration::from_secs(600));
    let ask =
        |page: &'static str| ask_both(&policy, long, move || preflight("/", page, "authorization"));
    assert_eq!(ask(PAGE), passed(PAGE, Some("60")));
    assert_eq!(
        ask("https://a.contoso.com"),
        passed("https://a.contoso.com", Some("60"))
    );
    assert_eq!(
        ask(EVIL),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );

    // The layer has the index, not a copy of it.
    index.remove("one");
    assert_eq!(ask(PAGE).status, 204);
    assert_eq!(ask("https://a.contoso.com").status, 403);
    index.remove("two");
    assert_eq!(ask(PAGE).status, 403);

    // The page's preflight passed; its request is judged by itself.
    index.set("two", [pattern(EVIL)]).unwrap();
    assert_eq!(ask(EVIL).status, 204);
    let answer = ask_both(&policy, long, || {
        actual("/", EVIL, &[(header::AUTHORIZATION, "Bearer good")])
    });
    assert_eq!(answer, refused("origin", DenialKind::OriginNotAllowed));
}

#[test]
fn union_index_is_bounded() {
    let index = UnionIndex::new(2);
    index
        .set("one", [pattern(PAGE), pattern(PAGE), pattern(OTHER)])
        .unwrap();
    let error = index.set("two", [pattern(EVIL)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the index is full: it holds at most 2 entries"
    );
    assert!(index.contains(&origin(PAGE)) && !index.contains(&origin(EVIL)));
    let endless = (1_u16..).map(|port| pattern(&format!("http://localhost:{port}0")));
    assert!(index.set("one", endless).is_err());
    assert_eq!(index.len(), 2);
}

// --- IssuedIndex ---

#[test]
fn issued_index_knows_that_a_live_token_names_the_origin() {
    let clock = TestClock::new();
    let index = clock.index(100);
    index
        .register(&clock.token("a", &[PAGE, OTHER], 40))
        .unwrap();
    index.register(&clock.token("b", &[PAGE], 3600)).unwrap();
    let policy = token_policy().with_preflight(index.clone());
    let long = |b| listed(b).max_age(Duration::from_secs(600));
    let ask =
        |page: &'static str| ask_both(&policy, long, move || preflight("/", page, "authorization"));
    // No longer than the last token lives, and never longer than a minute.
    assert_eq!(ask(PAGE), passed(PAGE, Some("60")));
    assert_eq!(ask(OTHER), passed(OTHER, Some("40")));
    assert_eq!(
        ask(EVIL),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    clock.wait(39);
    assert_eq!(ask(OTHER), passed(OTHER, Some("1")));
    // Its page may come to read that it has expired, and no browser keeps the answer.
    clock.wait(1);
    assert_eq!(ask(OTHER), passed(OTHER, Some("0")));
    assert!(!index.contains(&origin(OTHER)) && index.len() == 3);
    let replica = clock.index(100);
    replica.merge(&index.snapshot());
    assert_eq!(replica.snapshot().tokens.len(), 2);
    clock.wait(65 * 60 - 1);
    assert_eq!(ask(OTHER), passed(OTHER, Some("0")));
    clock.wait(1);
    assert_eq!(
        ask(OTHER),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(ask(PAGE).status, 204);
    assert!(index.revoke("b").unwrap());
    assert_eq!(
        ask(PAGE),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
}

/// Nobody waits for room that is taken by what has expired.
#[test]
fn issued_index_keeps_expired_tokens_only_while_there_is_room() {
    let clock = TestClock::new();
    let index = clock.index(2);
    index.register(&clock.token("a", &[PAGE], 40)).unwrap();
    index.register(&clock.token("b", &[OTHER], 50)).unwrap();
    let full = index.register(&clock.token("c", &[EVIL], 60));
    assert_eq!(full, Err(RegisterError::Full { limit: 2 }));
    clock.wait(45);
    let replica = clock.index(1);
    replica.register(&clock.token("d", &[EVIL], 60)).unwrap();
    let merged = replica.merge(&index.snapshot());
    // The live one does not fit; the expired one is of no account.
    assert_eq!((merged.added, merged.refused), (0, 1));
    index.register(&clock.token("c", &[EVIL], 60)).unwrap();
    assert!(index.contains(&origin(EVIL)) && index.contains(&origin(OTHER)));
    let policy = token_policy().with_preflight(index);
    let status = |page: &'static str| {
        ask_both(&policy, listed, move || {
            preflight("/", page, "authorization")
        })
        .status
    };
    assert_eq!((status(PAGE), status(OTHER)), (403, 204));
}

#[test]
fn issued_index_is_no_judge_of_requests() {
    let clock = TestClock::new();
    let index = clock.index(100);
    index.register(&clock.token("a", &[PAGE], 40)).unwrap();
    let answer = ask_both(&index, listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
}

#[test]
fn replicas_agree_in_whatever_order_they_merge() {
    let clock = TestClock::new();
    let (one, two, three) = (clock.index(100), clock.index(100), clock.index(100));
    one.register(&clock.token("a", &[PAGE], 100).session("s"))
        .unwrap();
    one.register(&clock.token("b", &[OTHER], 200)).unwrap();
    // Revoked where nobody has heard of them.
    assert!(!two.revoke_session("s").unwrap());
    assert!(!three.revoke("b").unwrap());

    let merged = three.merge(&one.snapshot());
    let mut expected = Merged::default();
    expected.added = 1;
    assert_eq!(merged, expected);
    assert!(three.contains(&origin(PAGE)) && !three.contains(&origin(OTHER)));
    for _ in 0..2 {
        for (from, to) in [(&two, &three), (&one, &two), (&three, &one), (&two, &one)] {
            to.merge(&from.snapshot());
        }
    }
    for index in [&one, &two, &three] {
        assert!(!index.contains(&origin(PAGE)) && !index.contains(&origin(OTHER)));
        assert!(index.is_revoked("a", Some("s")) && index.is_revoked("b", None));
        assert!(!index.is_revoked("a", None));
        let again = clock.token("c", &[PAGE], 100).session("s");
        assert_eq!(index.register(&again), Err(RegisterError::Revoked));
    }
    // Nothing is kept for ever.
    clock.wait(2 * 24 * 60 * 60);
    for index in [&one, &two, &three] {
        index.purge();
        assert!(index.is_empty());
    }
}

#[test]
#[cfg(feature = "serde")]
fn a_snapshot_travels_as_json() {
    let clock = TestClock::new();
    let (here, there) = (clock.index(100), clock.index(100));
    here.register(&clock.token("a", &[PAGE], 100).session("s"))
        .unwrap();
    here.register(&clock.token("b", &[OTHER], 100)).unwrap();
    here.revoke("b").unwrap();
    let json = serde_json::to_string(&here.snapshot()).unwrap();
    let snapshot: tower_cors::preflight::IssuedSnapshot = serde_json::from_str(&json).unwrap();
    assert_eq!(snapshot, here.snapshot());
    there.merge(&snapshot);
    assert!(there.contains(&origin(PAGE)) && there.is_revoked("b", None));
    // Origins are parsed, not believed.
    let forged = json.replace(PAGE, "https://contoso.com/");
    assert!(serde_json::from_str::<tower_cors::preflight::IssuedSnapshot>(&forged).is_err());
}

// --- BearerOr ---

const SPLIT_VARY: &str = "origin,authorization,cookie";
const SPLIT_PREFLIGHT_VARY: &str = "origin,authorization,cookie,access-control-request-method,\
                                    access-control-request-headers";

fn split() -> BearerOr<OriginSet> {
    BearerOr::new(set(&[PAGE]))
}

fn with_credentials(builder: CorsLayerBuilder) -> CorsLayerBuilder {
    listed(builder).allow_credentials(true)
}

#[test]
fn acrh_split_tells_callers_apart_at_the_preflight() {
    let ask = |page: &'static str, names: &'static str| {
        ask_both(&split(), with_credentials, move || {
            preflight("/", page, names)
        })
    };
    let answer = |page, credentials: bool| {
        let mut expected = vec![
            ("access-control-allow-origin", page),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "authorization,content-type"),
            ("cache-control", "no-store"),
            ("vary", SPLIT_PREFLIGHT_VARY),
        ];
        expected.extend(credentials.then_some(("access-control-allow-credentials", "true")));
        Answer {
            status: 204,
            headers: headers(&expected),
            ran: false,
            denial: None,
        }
    };
    assert_eq!(ask(PAGE, "content-type"), answer(PAGE, true));
    assert_eq!(ask(PAGE, ""), answer(PAGE, true));
    assert_eq!(ask(PAGE, "authorization"), answer(PAGE, false));
    assert_eq!(
        ask(EVIL, "Authorization, content-type"),
        answer(EVIL, false)
    );
    let foreign = refused(SPLIT_PREFLIGHT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask(EVIL, "content-type"), foreign);
    let opaque = refused(SPLIT_PREFLIGHT_VARY, DenialKind::OpaqueOrigin);
    assert_eq!(ask("null", "authorization"), opaque);
}

#[test]
fn acrh_split_tells_callers_apart_at_the_request() {
    const BEARER: (HeaderName, &str) = (header::AUTHORIZATION, "Bearer x");
    const COOKIE: (HeaderName, &str) = (header::COOKIE, "session=1");
    let ask = |page: &'static str, sent: &'static [(HeaderName, &'static str)]| {
        ask_both(&split(), with_credentials, move || actual("/", page, sent))
    };
    let answer = |page, credentials: bool| {
        let mut expected = vec![("access-control-allow-origin", page), ("vary", SPLIT_VARY)];
        expected.extend(credentials.then_some(("access-control-allow-credentials", "true")));
        Answer {
            status: 200,
            headers: headers(&expected),
            ran: true,
            denial: None,
        }
    };
    assert_eq!(ask(PAGE, const { &[COOKIE] }), answer(PAGE, true));
    assert_eq!(ask(EVIL, const { &[BEARER] }), answer(EVIL, false));
    assert_eq!(ask(PAGE, const { &[BEARER] }), answer(PAGE, false));
    // Who sends both is a cookie caller.
    assert_eq!(ask(PAGE, const { &[BEARER, COOKIE] }), answer(PAGE, true));
    let foreign = || refused(SPLIT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask(EVIL, const { &[BEARER, COOKIE] }), foreign());
    assert_eq!(ask(EVIL, const { &[COOKIE] }), foreign());
    assert_eq!(ask(EVIL, &[]), foreign());
    // Browsers send these on their own.
    assert_eq!(
        ask(EVIL, const { &[(header::AUTHORIZATION, "Basic x")] }),
        foreign()
    );
    assert_eq!(ask(EVIL, const { &[BEARER, BEARER] }), foreign());
    let opaque = refused(SPLIT_VARY, DenialKind::OpaqueOrigin);
    assert_eq!(ask("null", const { &[BEARER] }), opaque);
}

#[test]
fn acrh_split_for_another_policy_is_a_broad_preflight() {
    let policy = || token_policy().with_preflight(split());
    assert!(
        listed(CorsLayer::builder())
            .origin_policy(policy())
            .build()
            .is_ok()
    );
    let errors = with_credentials(CorsLayer::builder())
        .origin_policy(policy())
        .build();
    assert_eq!(reasons(errors), [BroadPreflightReason::Credentials]);
    // By itself it judges what it lets pass.
    assert!(
        with_credentials(CorsLayer::builder())
            .origin_policy(split())
            .build()
            .is_ok()
    );
}

// --- Optimistic ---

fn reasons(built: Result<CorsLayer, tower_cors::ConfigErrors>) -> Vec<BroadPreflightReason> {
    let errors = built.err().into_iter().flatten();
    errors
        .map(|error| match error {
            ConfigError::BroadPreflight(reason) => reason,
            other => panic!("another mistake: {other}"),
        })
        .collect()
}

#[test]
fn optimistic_lets_any_well_formed_origin_pass() {
    let policy = token_policy().with_preflight(Optimistic::new());
    let minute = |b| listed(b).max_age(Duration::from_secs(60));
    let ask = |page: &'static str| {
        ask_both(&policy, minute, move || {
            preflight("/", page, "authorization")
        })
    };
    assert_eq!(ask(PAGE), passed(PAGE, Some("5")));
    assert_eq!(ask(EVIL), passed(EVIL, Some("5")));
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    assert_eq!(
        ask("https://EVIL.example"),
        refused(PREFLIGHT_VARY, DenialKind::MalformedOrigin)
    );

    let longer = Optimistic::new().max_age(Duration::from_secs(60)).unwrap();
    let policy = token_policy().with_preflight(longer);
    let answer = ask_both(&policy, minute, || preflight("/", EVIL, "authorization"));
    assert_eq!(answer, passed(EVIL, Some("60")));
    assert_eq!(
        Optimistic::new()
            .max_age(Duration::from_secs(61))
            .unwrap_err()
            .to_string(),
        "origin_policy: preflights are answered before the token is seen: set max_age to at most \
         60 seconds"
    );
}

#[test]
fn optimistic_is_no_judge_of_requests() {
    let answer = ask_both(&Optimistic::new(), listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
}

type Configure = fn(CorsLayerBuilder) -> CorsLayerBuilder;

#[test]
fn optimistic_does_not_build_with_what_makes_it_unsafe() {
    use BroadPreflightReason::{AnyHeader, AnyMethod, Credentials, Forwards, MaxAge};

    let rows: [(Configure, &[BroadPreflightReason]); 8] = [
        (|b| b, &[]),
        (|b| b.max_age(Duration::from_secs(60)), &[]),
        (|b| b.denied_requests(DeniedRequests::Forward), &[Forwards]),
        (|b| b.allow_credentials(true), &[Credentials]),
        (|b| b.allow_methods(["*"]), &[AnyMethod]),
        (|b| b.allow_headers(["*"]), &[AnyHeader]),
        (|b| b.max_age(Duration::from_secs(61)), &[MaxAge]),
        (
            |b| {
                b.denied_requests(DeniedRequests::Forward)
                    .allow_credentials(true)
                    .allow_methods(["*"])
                    .allow_headers(["*", "authorization"])
                    .max_age(Duration::from_secs(7200))
            },
            &[Forwards, Credentials, AnyMethod, AnyHeader, MaxAge],
        ),
    ];
    for (configure, expected) in rows {
        // Wherever in the policy it stands.
        let policies: [Arc<dyn OriginPolicy>; 4] = [
            Arc::new(Optimistic::new()),
            Arc::new(token_policy().with_preflight(Optimistic::new())),
            Arc::new(token_policy().with_preflight(set(&[PAGE]).fallback(Optimistic::new()))),
            Arc::new(BearerOr::new(
                token_policy().with_preflight(Optimistic::new()),
            )),
        ];
        for policy in policies {
            let text = format!("{policy:?}");
            let built = configure(CorsLayer::builder())
                .origin_policy(policy)
                .build();
            assert_eq!(reasons(built), expected, "{text}");
        }
    }
    // A list forwards denied requests by default.
    let list = set(&[PAGE]).with_preflight(Optimistic::new());
    let built = CorsLayer::builder().origin_policy(list.clone()).build();
    assert_eq!(reasons(built), [Forwards]);
}

/// Grants with credentials and with lists that let everything through.
#[derive(Clone, Debug)]
struct Generous {
    says_so: bool,
}

impl OriginPolicy for Generous {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        let terms = Terms::new()
            .methods(AllowMethods::list(["*"]).unwrap())
            .headers(AllowHeaders::list(["*"]).unwrap());
        VerdictFuture::ready(Grant::new().allow_credentials(true).terms(terms))
    }

    fn properties(&self) -> PolicyProperties {
        let properties = PolicyProperties::new().denied_requests(DeniedRequests::Refuse);
        if self.says_so {
            properties.grants_credentials()
        } else {
            properties
        }
    }
}

#[test]
fn no_grant_undoes_what_was_checked() {
    // A policy that says what it does is refused when the layer is built.
    let honest = Generous { says_so: true }.with_preflight(Optimistic::new());
    let built = listed(CorsLayer::builder()).origin_policy(honest).build();
    assert_eq!(reasons(built), [BroadPreflightReason::Credentials]);

    // One that does not gets the layer's terms, without credentials.
    let silent = Optimistic::new().fallback(Generous { says_so: false });
    let silent = Generous { says_so: false }.with_preflight(silent);
    let answer = ask_both(&silent, listed, || preflight("/", EVIL, "x-y"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"));
    let silent = Arc::new(Generous { says_so: false }.fallback(Optimistic::new()));
    let answer = ask_both(&silent, listed, || preflight("/", EVIL, "x-y"));
    let mut expected = passed(EVIL, None);
    expected.denial = Some(DenialKind::HeaderNotAllowed);
    assert_eq!(answer, expected);
}

// --- DenyPreflights ---

#[test]
fn deny_preflights_leaves_simple_requests() {
    let policy = set(&[PAGE]).with_preflight(DenyPreflights);
    let answer = ask_both(&policy, listed, || preflight("/", PAGE, ""));
    assert_eq!(
        answer,
        storable(refused(PREFLIGHT_VARY, DenialKind::PreflightNotAllowed))
    );
    let answer = ask_both(&policy, listed, || actual("/", PAGE, &[]));
    assert_eq!((answer.status, answer.ran), (200, true));
    let alone = ask_both(&DenyPreflights, listed, || actual("/", PAGE, &[]));
    assert_eq!(alone, storable(refused("origin", DenialKind::NoPolicy)));
}

// --- Composition ---

#[test]
fn the_first_strategy_that_answers_wins() {
    let clock = TestClock::new();
    let index = clock.index(10);
    index.register(&clock.token("a", &[EVIL], 100)).unwrap();
    let lists = projects();
    let by_key = Arc::new(UrlKey::new(project_of, move |key| lists.get(key).cloned()));
    let policy = token_policy().with_preflight(by_key.fallback(index));
    let ask = |uri: &'static str, page: &'static str| {
        ask_both(&policy, listed, move || {
            preflight(uri, page, "authorization")
        })
        .status
    };
    assert_eq!(ask("/api/one", PAGE), 204);
    // The key's list leaves it out, so that the index is not asked.
    assert_eq!(ask("/api/one", EVIL), 403);
    assert_eq!(ask("/other", EVIL), 204);
    assert_eq!(ask("/other", PAGE), 403);
}

#[test]
fn lookups_allocate_nothing() {
    let clock = TestClock::new();
    let issued = clock.index(1000);
    let union = UnionIndex::new(1000);
    for n in 0..100 {
        let page = format!("https://p{n}.example");
        issued
            .register(&clock.token(&n.to_string(), &[&page], 100).session("s"))
            .unwrap();
        let family = format!("https://*.f{n}.example");
        union
            .set(&n.to_string(), [pattern(&page), pattern(&family)])
            .unwrap();
    }
    issued.revoke("7").unwrap();
    let (known, unknown, family) = (
        origin("https://p9.example"),
        origin(EVIL),
        origin("https://a.f9.example"),
    );
    let counted = allocation_counter::measure(|| {
        assert!(issued.contains(&known) && !issued.contains(&unknown));
        assert!(issued.is_revoked("7", Some("s")) && !issued.is_revoked("8", Some("s")));
        assert!(union.contains(&known) && union.contains(&family) && !union.contains(&unknown));
    });
    assert_eq!(counted.count_total, 0);
}

// --- Threats (TOKEN_ORIGINS, section 4) ---

#[test]
fn t04_an_optimistic_preflight_never_opens_cookies() {
    for policy in [
        Arc::new(token_policy().with_preflight(Optimistic::new())) as Arc<dyn OriginPolicy>,
        Arc::new(BearerOr::new(set(&[PAGE]))),
    ] {
        let layer = listed(CorsLayer::builder())
            .origin_policy(policy)
            .build()
            .unwrap();
        let answer = ask(&layer, preflight("/", EVIL, "authorization"));
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        // Even if the request comes: the judgement is enforced before the inner service runs.
        let cookie = [(header::COOKIE, "session=1")];
        assert!(!ask(&layer, actual("/", EVIL, &cookie)).ran);
    }
}

#[test]
fn t07_no_cache_keeps_an_answer_to_a_preflight() {
    let clock = TestClock::new();
    let issued = clock.index(10);
    issued.register(&clock.token("a", &[PAGE], 100)).unwrap();
    let union = UnionIndex::new(10);
    union.set("one", [pattern(PAGE)]).unwrap();
    let policies: [Arc<dyn OriginPolicy>; 5] = [
        Arc::new(issued),
        Arc::new(union),
        Arc::new(UrlKey::new(
            |_| Some("one"),
            |key| projects().get(key).cloned(),
        )),
        Arc::new(split()),
        Arc::new(Optimistic::new()),
    ];
    for policy in policies {
        let text = format!("{policy:?}");
        // The other policy does not ask for it.
        let policy = policy_fn(|_| Verdict::Abstain).with_preflight(policy);
        for (page, status) in [(PAGE, 204), ("null", 403)] {
            let answer = ask_both(&Arc::new(policy.clone()), listed, || {
                preflight("/", page, "")
            });
            assert_eq!(answer.status, status, "{text} {page}");
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{text} {page}"
            );
        }
    }
}

#[test]
fn t08_no_answer_outlives_what_it_was_made_from() {
    let clock = TestClock::new();
    let issued = clock.index(10);
    issued.register(&clock.token("a", &[PAGE], 7)).unwrap();
    let union = UnionIndex::new(10);
    union.set("one", [pattern(PAGE)]).unwrap();
    let union = union.max_age_at_most(Duration::from_secs(9));
    let key = UrlKey::new(|_| Some("one"), |key| projects().get(key).cloned());
    let key = key.max_age_at_most(Duration::from_secs(3));
    let policies: [(Arc<dyn OriginPolicy>, &str); 4] = [
        (Arc::new(issued.clone()), "7"),
        (Arc::new(union), "9"),
        (Arc::new(key), "3"),
        (
            Arc::new(issued.clone().max_age_at_most(Duration::ZERO)),
            "0",
        ),
    ];
    for (policy, expected) in policies {
        let policy = token_policy().with_preflight(policy);
        let day = |b| listed(b).max_age(Duration::from_secs(86_400));
        let answer = ask_both(&policy, day, || preflight("/", PAGE, ""));
        assert_eq!(
            answer.header("access-control-max-age"),
            Some(expected),
            "{policy:?}"
        );
    }
    // A token about to expire also where the layer says nothing, and browsers take 5 seconds.
    clock.wait(6);
    let policy = token_policy().with_preflight(issued);
    let answer = ask_both(&policy, listed, || preflight("/", PAGE, ""));
    assert_eq!(answer, passed(PAGE, Some("1")));
}

#[test]
fn t09_a_passed_preflight_is_no_state() {
    // A preflight passed on the strength of one token; the request carries another one.
    let clock = TestClock::new();
    let index = clock.index(10);
    index
        .register(&clock.token("a", &[PAGE, OTHER], 100))
        .unwrap();
    let layer = listed(CorsLayer::builder())
        .origin_policy(token_policy().with_preflight(index))
        .build()
        .unwrap();
    assert_eq!(
        ask(&layer, preflight("/", OTHER, "authorization")).status,
        204
    );
    for token in ["Bearer good", "Bearer other"] {
        let answer = ask(
            &layer,
            actual("/", OTHER, &[(header::AUTHORIZATION, token)]),
        );
        assert_eq!(answer, refused("origin", DenialKind::OriginNotAllowed));
    }
    let good = [(header::AUTHORIZATION, "Bearer good")];
    assert!(ask(&layer, actual("/", PAGE, &good)).ran);
}

#[test]
fn t13_an_unknown_key_looks_like_a_refused_one() {
    let lists = projects();
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let policy = UrlKey::new(project_of, move |key| {
        seen.lock().unwrap().push(key.to_owned());
        lists.get(key).cloned()
    });
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let long = format!("/api/{}", "x".repeat(UrlKey::MAX_KEY_LEN + 1));
    for page in [EVIL, "null"] {
        let known = ask(&layer, preflight("/api/one", page, ""));
        let known_actual = ask(&layer, actual("/api/one", page, &[]));
        for unknown in ["/api/none", "/api/", "/api/%6fne", &long] {
            let answer = ask(&layer, preflight(unknown, page, ""));
            assert_eq!(answer.seen(), known.seen(), "{unknown}");
            let answer = ask(&layer, actual(unknown, page, &[]));
            assert_eq!(answer.seen(), known_actual.seen(), "{unknown}");
        }
    }
    // Nothing boundless reaches the lookup.
    let keys = keys.lock().unwrap();
    assert!(keys.iter().all(|key| key.len() <= UrlKey::MAX_KEY_LEN));
}

#[test]
fn t13_every_strategy_refuses_alike() {
    let refuse = policy_fn(|_| Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)));
    let policies: [Arc<dyn OriginPolicy>; 5] = [
        Arc::new(refuse),
        Arc::new(UnionIndex::new(1)),
        Arc::new(TestClock::new().index(1)),
        Arc::new(DenyPreflights),
        Arc::new(UrlKey::new(|_| Some("none"), |_| None::<OriginSet>)),
    ];
    for policy in policies {
        let text = format!("{policy:?}");
        let policy = token_policy().with_preflight(policy);
        for page in [EVIL, "null"] {
            let answer = ask_both(&policy, listed, || preflight("/", page, "authorization"));
            assert_eq!(
                answer.seen(),
                refused(PREFLIGHT_VARY, DenialKind::NoPolicy).seen(),
                "{text}"
            );
        }
    }
}
