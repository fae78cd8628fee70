//! What a repeated token costs, what many that wait cost, and what a flood leaves behind.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use serde_json::json;
use tokio::sync::Semaphore;
use tower::{Layer, Service, service_fn};
use tower_cors::{
    CorsLayer, OriginPolicy, OriginSet,
    time::Clock,
    token::{
        TokenOrigins, TokenOriginsBuilder, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{
            FetchFuture, KeySetFetcher, TokenRequest, VerifyError, VerifyFuture, jwks::JwksVerifier,
        },
    },
};

use crate::support::tokens::{self, *};

fn opaque(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
    TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'))
}

fn good() -> VerifiedToken {
    let claims = json!({"ao": LIST, "asi": "session-1"}).to_string();
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_token_is_verified_once() {
    let issuer = Scripted::new(|token| match token {
        "good" => Ok(good()),
        _ => Err(VerifyError::NotAuthentic("test")),
    });
    let policy = opaque(issuer.clone()).refusal_ttl(Duration::from_secs(3600));
    let service = service(policy.build().unwrap());
    for _ in 0..10 {
        assert_eq!(
            service.send(bearer(CONTOSO, "good")).await.status,
            StatusCode::OK
        );
        let other_page = service.send(bearer(EVIL, "good")).await;
        assert_eq!(other_page.status, StatusCode::FORBIDDEN);
        let refused = service.send(bearer(CONTOSO, "bad")).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn an_authentic_token_that_says_nothing_of_use_is_verified_once() {
    // As a JWT verifier answers once the signature was right, and there is no exp.
    let issuer = Scripted::new(|_| Err(VerifyError::Malformed("it has no exp")));
    let policy = opaque(issuer.clone()).refusal_ttl(Duration::from_secs(3600));
    let service = service(policy.build().unwrap());
    for _ in 0..10 {
        let refused = service.send(bearer(CONTOSO, "endless")).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(issuer.calls(), 1);
}

#[tokio::test]
async fn a_result_is_not_believed_for_ever() {
    let issuer = Scripted::new(|_| Ok(good()));
    let service = service(
        opaque(issuer.clone())
            .cache_ttl(Duration::ZERO)
            .build()
            .unwrap(),
    );
    for calls in 1..=3 {
        service.send(bearer(CONTOSO, "good")).await;
        assert_eq!(issuer.calls(), calls);
    }
    let off = tokens::service(opaque(issuer.clone()).max_cache_bytes(0).build().unwrap());
    for calls in 4..=6 {
        assert_eq!(
            off.send(bearer(CONTOSO, "good")).await.status,
            StatusCode::OK
        );
        assert_eq!(issuer.calls(), calls);
    }
}

/// An issuer that answers when it is let, and from then on.
#[derive(Clone, Debug)]
struct Issuer {
    polled: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
    is_down: bool,
}

impl Issuer {
    fn new(is_down: bool) -> Self {
        Self {
            polled: Arc::default(),
            answers: Arc::new(Semaphore::new(0)),
            is_down,
        }
    }
}

impl TokenVerifier for Issuer {
    fn verify(&self, _token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        let issuer = self.clone();
        VerifyFuture::new(async move {
            issuer.polled.fetch_add(1, Ordering::SeqCst);
            let _may_answer = issuer.answers.acquire().await.unwrap();
            if issuer.is_down {
                Err(VerifyError::Unavailable("test".into()))
            } else {
                Ok(good())
            }
        })
    }
}

#[tokio::test]
async fn of_many_that_wait_one_asks() {
    for is_down in [false, true] {
        let issuer = Issuer::new(is_down);
        let policy = opaque(issuer.clone()).build().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..100 {
            let service = service(policy.clone());
            let send = async move { service.send(bearer(CONTOSO, "opaque")).await.status };
            waiting.push(tokio::spawn(send));
        }
        while issuer.polled.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let answered_at = Instant::now();
        issuer.answers.add_permits(1);
        let status = if is_down {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        for request in waiting {
            assert_eq!(request.await.unwrap(), status);
        }
        // On a machine that stands still for that long, "down" is old when it is looked at.
        let is_old = is_down && answered_at.elapsed() >= Duration::from_secs(1);
        assert!(is_old || issuer.polled.load(Ordering::SeqCst) == 1);
    }
}

#[tokio::test]
async fn when_the_one_that_asks_gives_up_the_next_one_does() {
    let issuer = Issuer::new(false);
    let policy = opaque(issuer.clone()).build().unwrap();
    let spawn = || {
        let service = service(policy.clone());
        tokio::spawn(async move { service.send(bearer(CONTOSO, "opaque")).await.status })
    };
    let (first, second) = (spawn(), spawn());
    while issuer.polled.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    while issuer.polled.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    issuer.answers.add_permits(1);
    assert_eq!(second.await.unwrap(), StatusCode::OK);
}

type Inner = fn(Request<()>) -> Ready<Result<Response<()>, Infallible>>;

/// Sends a request without a runtime: what is ready has no need of one.
fn send(layer: &CorsLayer, request: Request<()>) -> Response<()> {
    let inner: Inner = |_| ready(Ok(Response::new(())));
    let response = layer.layer(service_fn(inner)).call(request);
    response
        .now_or_never()
        .expect("what is known is ready")
        .unwrap()
}

fn layer(policy: impl OriginPolicy) -> CorsLayer {
    CorsLayer::builder().origin_policy(policy).build().unwrap()
}

#[test]
fn a_known_token_costs_no_allocation() {
    let token = token(LIST);
    let request = || {
        let request = bearer(CONTOSO, &format!("psat={token}"));
        request.extension("another").body(()).unwrap()
    };
    let allocations = |layer: &CorsLayer| {
        let request = request();
        let send = || drop(send(layer, request));
        allocation_counter::measure(send).count_total
    };
    let skype = TokenOrigins::skype(verifier()).build().unwrap();
    let by_token = layer(skype);
    let by_list = layer(OriginSet::parse([CONTOSO]).unwrap());
    // It is verified now.
    assert_eq!(send(&by_token, request()).status(), StatusCode::OK);
    // What it costs to leave something in the extensions, is not ours to save.
    let mut extended = request();
    let found = Arc::new(good());
    let extend = || drop(extended.extensions_mut().insert(found));
    let extension = allocation_counter::measure(extend).count_total;
    assert_eq!(allocations(&by_token), allocations(&by_list) + extension);
}

#[test]
fn garbage_tokens_leave_no_more_than_the_capacity() {
    const CAPACITY: i64 = 16 << 20; // the default
    // Without the variable, six times as many as find room.
    let all: usize = std::env::var("GARBAGE_TOKENS").map_or(400_000, |n| n.parse().unwrap());
    let issuer = Scripted::new(|_| Err(VerifyError::NotAuthentic("test")));
    let policy = opaque(issuer.clone()).build().unwrap();
    let request = bearer(CONTOSO, "garbage").body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let mut flood = |tokens: Range<usize>| {
        for i in tokens {
            let credentials = format!("Bearer garbage-{i}").try_into().unwrap();
            parts.headers.insert(AUTHORIZATION, credentials);
            let refused = policy.authenticate(&parts).now_or_never().unwrap();
            assert!(matches!(refused, Err(VerifyError::NotAuthentic(_))));
        }
    };
    let first = allocation_counter::measure(|| flood(0..200_000)).bytes_current;
    let others = allocation_counter::measure(|| flood(200_000..all)).bytes_current;
    assert_eq!(issuer.calls(), all);
    println!("held after 200,000 tokens: {first} bytes; after {all}: {others} more");
    assert!(first > CAPACITY / 4, "it has filled the cache: {first}");
    assert!(
        first <= CAPACITY && others <= CAPACITY / 16,
        "{first} and {others} more"
    );
}

/// The largest claims that fit into a token, in the shape that takes the most memory.
#[test]
fn claims_count_for_what_they_hold() {
    const CAPACITY: u64 = 1 << 20;
    let nested = format!(
        r#"{{"ao": "{LIST}", "x": [{}]}}"#,
        vec!["[1]"; 1_400].join(",")
    );
    let issuer = Scripted::new(move |_| {
        Ok(VerifiedToken::new(
            Claims::parse(nested.as_bytes()).unwrap(),
        ))
    });
    let policy = opaque(issuer).max_cache_bytes(CAPACITY).build().unwrap();
    let layer = layer(policy);
    let held = allocation_counter::measure(|| {
        for i in 0..500 {
            let request = bearer(CONTOSO, &format!("token-{i}")).body(()).unwrap();
            assert_eq!(send(&layer, request).status(), StatusCode::OK);
        }
    });
    let held = held.bytes_current;
    assert!(held <= i64::try_from(CAPACITY).unwrap(), "{held}");
}

/// What an issuer publishes, on this side of the wire.
#[derive(Clone, Debug)]
struct Published(Arc<Mutex<Bytes>>);

impl KeySetFetcher for Published {
    fn fetch(&self) -> FetchFuture {
        let keys = self.0.lock().unwrap().clone();
        Box::pin(ready(Ok(keys)))
    }
}

#[tokio::test]
async fn a_removed_key_verifies_nothing_from_memory() {
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(RSA).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::RS256);
    let mut jwk = serde_json::to_value(jwk.unwrap()).unwrap();
    jwk["x5t"] = THUMBPRINT.into();
    let set = |keys: &[&serde_json::Value]| Bytes::from(json!({"keys": keys}).to_string());
    let issuer = Published(Arc::new(Mutex::new(set(&[&jwk]))));
    let clock = TestClock::default();
    let verifier = JwksVerifier::builder(issuer.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    let policy = TokenOrigins::skype(verifier.clone()).cache_ttl(Duration::from_secs(3600));
    let service = service(policy.build().unwrap());
    let credentials = format!("psat={}", token(LIST));
    let status = async || service.send(bearer(CONTOSO, &credentials)).await.status;
    assert_eq!(status().await, StatusCode::OK);
    jwk["x5t"] = "another".into();
    *issuer.0.lock().unwrap() = set(&[&jwk]);
    assert_eq!(status().await, StatusCode::OK);
    clock.0.fetch_add(60, Ordering::SeqCst);
    verifier.refresh().await.unwrap();
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
}

/// The machine's clock, set forward by so many seconds.
#[derive(Clone, Debug, Default)]
struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}
