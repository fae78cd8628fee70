//! Tokens whose issuer publishes its keys, with an issuer over real sockets.

use std::{
    fmt,
    future::pending,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_cors::{
    time::Clock,
    token::{
        TokenVerifier,
        verify::{
            ClaimRuleError, FetchError, FetchFuture, KeySetFetcher, VerifyError,
            jwks::{JwksConfigError, JwksVerifier, JwksVerifierBuilder, RefreshError},
            reqwest::ReqwestKeySetFetcher,
        },
    },
};

use crate::support::issuer::{Answer, Issuer, TestClock, client};
use crate::support::token_request::any_request;

const RSA: &[u8] = include_bytes!("../data/rsa.pem");
const OTHER_RSA: &[u8] = include_bytes!("../data/other_rsa.pem");

/// A public key as an issuer publishes it.
fn jwk(pem: &[u8], more: Value) -> Value {
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    let mut jwk = json!(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap());
    for (name, value) in more.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn set(keys: &[Value]) -> Answer {
    Answer::json(json!({"keys": keys}).to_string())
}

fn old() -> Value {
    jwk(RSA, json!({"kid": "old", "use": "sig"}))
}

fn new() -> Value {
    jwk(OTHER_RSA, json!({"kid": "new", "use": "sig"}))
}

fn sign(header: Value, pem: &[u8], clock: &TestClock) -> String {
    let mut full = json!(Header::new(Algorithm::RS256));
    for (name, value) in header.as_object().unwrap() {
        full[name] = value.clone();
    }
    let header: Header = serde_json::from_value(full).unwrap();
    let claims = json!({"exp": clock.unix() + 10_000_000, "sub": "me"});
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

fn token(kid: &str, pem: &[u8], clock: &TestClock) -> String {
    sign(json!({"kid": kid}), pem, clock)
}

/// A token that only looks like one.
fn garbage(kid: &str) -> String {
    use base64::Engine;
    let header = json!({"alg": "RS256", "kid": kid}).to_string();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
    format!("{header}.e30.AAAA")
}

fn fetcher(issuer: &Issuer) -> ReqwestKeySetFetcher {
    ReqwestKeySetFetcher::new(client(), &issuer.url("/keys")).unwrap()
}

fn builder(issuer: &Issuer, clock: &TestClock) -> JwksVerifierBuilder {
    JwksVerifier::builder(fetcher(issuer))
        .dangerously_any_audience()
        .clock(clock.clone())
}

async fn outcome(verifier: &JwksVerifier, token: &str) -> String {
    match verifier.verify(token, &any_request()).await {
        Ok(_) => "good".to_owned(),
        Err(VerifyError::NotAuthentic(reason)) => reason.to_owned(),
        Err(VerifyError::Unavailable(reason)) => reason.into_owned(),
        Err(error) => error.to_string(),
    }
}

const UNKNOWN: &str = "its key is unknown";
const DOWN: &str = "the issuer is out of reach";

#[tokio::test]
async fn keys_are_chosen_by_their_names_and_used_with_their_algorithm() {
    let clock = TestClock::new();
    let keys = [
        jwk(
            RSA,
            json!({"kid": "k", "x5t": "sha1", "x5t#S256": "sha256"}),
        ),
        jwk(OTHER_RSA, json!({"kid": "ps", "alg": "PS256"})),
        jwk(OTHER_RSA, json!({"kid": "enc", "use": "enc"})),
        json!({"kty": "oct", "kid": "secret", "k": "AAAA"}),
        jwk(OTHER_RSA, json!({"kid": "k"})),
    ];
    let issuer = Issuer::start(set(&keys)).await;
    let trap = Issuer::start(set(&[jwk(OTHER_RSA, json!({"kid": "theirs"}))])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let pinned = "its alg is not its key's";
    for (header, pem, expected) in [
        (json!({"kid": "k"}), RSA, "good"),
        (json!({"x5t#S256": "sha256"}), RSA, "good"),
        (json!({"x5t": "sha1"}), RSA, "good"),
        (json!({"kid": "k"}), OTHER_RSA, "its signature is wrong"),
        (json!({"kid": "other", "x5t": "sha1"}), RSA, UNKNOWN),
        (json!({}), RSA, UNKNOWN),
        (json!({"kid": "ps"}), OTHER_RSA, pinned),
        (json!({"kid": "ps", "alg": "PS256"}), OTHER_RSA, "good"),
        (json!({"kid": "k", "alg": "RS512"}), RSA, pinned),
        (json!({"kid": "enc"}), OTHER_RSA, UNKNOWN),
        (json!({"kid": "secret"}), RSA, UNKNOWN),
        // Whoever writes a token does not say where its key is.
        (
            json!({"kid": "theirs", "jku": trap.url("/keys")}),
            OTHER_RSA,
            UNKNOWN,
        ),
        (
            json!({"kid": "theirs", "x5u": trap.url("/keys")}),
            OTHER_RSA,
            UNKNOWN,
        ),
        (
            json!({"kid": "theirs", "jwk": jwk(OTHER_RSA, json!({}))}),
            OTHER_RSA,
            UNKNOWN,
        ),
    ] {
        let token = sign(header.clone(), pem, &clock);
        assert_eq!(outcome(&verifier, &token).await, expected, "{header}");
    }
    assert_eq!(trap.calls(), 0);
    let status = verifier.status();
    assert_eq!((status.keys, status.left_out), (2, 3));
    assert_eq!(issuer.last().path, "/keys");
}

#[tokio::test]
async fn a_token_may_mean_the_only_key_of_its_algorithm_where_that_is_chosen() {
    let clock = TestClock::new();
    let only = "none of the issuer's keys can verify a token";
    let unnamed = || jwk(RSA, json!({"use": "sig"}));
    let others = || {
        [
            jwk(OTHER_RSA, json!({"alg": "PS256"})),
            jwk(OTHER_RSA, json!({"kid": "enc", "use": "enc"})),
        ]
    };
    let [ps256, encryption] = others();
    for (keys, header, expected, by_default) in [
        (vec![unnamed()], json!({}), "good", only),
        (vec![unnamed()], json!({"kid": "new"}), UNKNOWN, only),
        (vec![unnamed()], json!({"alg": "RS512"}), UNKNOWN, only),
        (vec![old()], json!({}), "good", UNKNOWN),
        (vec![old()], json!({"kid": "new"}), UNKNOWN, UNKNOWN),
        (vec![unnamed(), ps256], json!({}), "good", only),
        (vec![encryption, unnamed()], json!({}), "good", only),
        (vec![unnamed(), old()], json!({}), UNKNOWN, UNKNOWN),
        (
            vec![unnamed(), new()],
            json!({"kid": "new"}),
            "its signature is wrong",
            "its signature is wrong",
        ),
        (vec![new()], json!({}), "its signature is wrong", UNKNOWN),
    ] {
        let issuer = Issuer::start(set(&keys)).await;
        let token = sign(header.clone(), RSA, &clock);
        let chosen = builder(&issuer, &clock).accept_unnamed_key();
        for (builder, expected) in [(chosen, expected), (builder(&issuer, &clock), by_default)] {
            let verifier = builder.build().unwrap();
            assert_eq!(
                outcome(&verifier, &token).await,
                expected,
                "{header} {keys:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_that_changes_under_its_name_is_looked_up_once_in_an_interval() {
    let clock = TestClock::new();
    let named = |pem| jwk(pem, json!({"kid": "k"}));
    for (keys, accept_unnamed, header) in [
        (named as fn(_) -> _, false, json!({"kid": "k"})),
        (|pem| jwk(pem, json!({})), true, json!({})),
    ] {
        let issuer = Issuer::start(set(&[keys(RSA)])).await;
        let builder = builder(&issuer, &clock);
        let builder = if accept_unnamed {
            builder.accept_unnamed_key()
        } else {
            builder
        };
        let verifier = builder.build().unwrap();
        let token = |pem| sign(header.clone(), pem, &clock);
        assert_eq!(outcome(&verifier, &token(RSA)).await, "good");

        // Anybody can send wrong signatures: one fetch in the interval, and the keys stay.
        let wrong = "its signature is wrong";
        for interval in 1..4 {
            for _ in 0..30 {
                assert_eq!(outcome(&verifier, &token(OTHER_RSA)).await, wrong);
                assert_eq!(outcome(&verifier, &token(RSA)).await, "good");
                clock.advance(1);
            }
            assert_eq!(issuer.calls(), interval);
        }

        // The issuer is down: the last good keys are kept, and the refusal is one of the token.
        issuer.set(Answer::status(503));
        assert_eq!(outcome(&verifier, &token(OTHER_RSA)).await, wrong);
        assert_eq!(outcome(&verifier, &token(RSA)).await, "good");
        assert_eq!(issuer.calls(), 4);

        clock.advance(30);
        issuer.set(set(&[keys(OTHER_RSA)]).delay(Duration::from_millis(50)));
        let token_now = token(OTHER_RSA);
        let at_once = (0..20).map(|_| verifier.verify(&token_now, &any_request()));
        let results = join_all(at_once).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(issuer.calls(), 5);
        assert_eq!(outcome(&verifier, &token(RSA)).await, wrong);
    }
}

/// The key says the algorithm, so that a token of the new key does not even get to the signature.
#[tokio::test]
async fn a_key_that_changes_its_algorithm_under_its_name_is_looked_up() {
    let clock = TestClock::new();
    let ec = EncodingKey::from_ec_pem(include_bytes!("../data/p-256.pem")).unwrap();
    let claims = json!({"exp": clock.unix() + 10_000_000, "sub": "me"});
    let of_ec = |kid: Option<&str>| {
        let mut key = json!(Jwk::from_encoding_key(&ec, Algorithm::ES256).unwrap());
        let mut header = Header::new(Algorithm::ES256);
        if let Some(kid) = kid {
            key["kid"] = json!(kid);
            header.kid = Some(kid.to_owned());
        }
        (key, jsonwebtoken::encode(&header, &claims, &ec).unwrap())
    };
    let of_rsa = |kid: Option<&str>| {
        let named = kid.map_or_else(|| json!({}), |kid| json!({"kid": kid}));
        (jwk(RSA, named.clone()), sign(named, RSA, &clock))
    };
    let pinned = "its alg is not its key's";
    for (old, new, accept_unnamed, refused) in [
        (of_rsa(Some("k")), of_ec(Some("k")), false, pinned),
        (of_ec(Some("k")), of_rsa(Some("k")), false, pinned),
        (of_rsa(None), of_ec(None), true, UNKNOWN),
    ] {
        let ((old_key, old_token), (new_key, new_token)) = (old, new);
        let issuer = Issuer::start(set(&[old_key])).await;
        let builder = builder(&issuer, &clock);
        let builder = if accept_unnamed {
            builder.accept_unnamed_key()
        } else {
            builder
        };
        let verifier = builder.build().unwrap();
        assert_eq!(outcome(&verifier, &old_token).await, "good");
        issuer.set(set(&[new_key]));
        // The least interval holds here, too, whoever asks.
        assert_eq!(outcome(&verifier, &new_token).await, refused);
        clock.advance(30);
        assert_eq!(outcome(&verifier, &new_token).await, "good");
        for _ in 0..30 {
            assert_eq!(outcome(&verifier, &old_token).await, refused);
        }
        assert_eq!(issuer.calls(), 2);
    }
}

#[tokio::test]
async fn tokens_without_a_name_make_one_fetch_in_an_interval() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[jwk(RSA, json!({}))])).await;
    let verifier = builder(&issuer, &clock)
        .accept_unnamed_key()
        .build()
        .unwrap();
    let token = |pem| sign(json!({}), pem, &clock);
    assert_eq!(outcome(&verifier, &token(RSA)).await, "good");
    issuer.set(set(&[jwk(OTHER_RSA, json!({}))]));
    clock.advance(29);
    assert_eq!(
        outcome(&verifier, &token(OTHER_RSA)).await,
        "its signature is wrong"
    );
    assert_eq!(issuer.calls(), 1);
    clock.advance(1);
    assert_eq!(outcome(&verifier, &token(OTHER_RSA)).await, "good");
    assert_eq!(
        outcome(&verifier, &token(RSA)).await,
        "its signature is wrong"
    );
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_found_when_a_token_names_it() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    assert_eq!(outcome(&verifier, &token("old", RSA, &clock)).await, "good");

    issuer.set(set(&[old(), new()]));
    clock.advance(30);
    assert_eq!(
        outcome(&verifier, &token("new", OTHER_RSA, &clock)).await,
        "good"
    );
    assert_eq!(outcome(&verifier, &token("old", RSA, &clock)).await, "good");
    assert_eq!(issuer.calls(), 2);

    // Removed keys die with the next fetch.
    issuer.set(set(&[new()]));
    clock.advance(30);
    assert_eq!(outcome(&verifier, &garbage("no such")).await, UNKNOWN);
    assert_eq!(
        outcome(&verifier, &token("old", RSA, &clock)).await,
        UNKNOWN
    );
    assert_eq!(
        outcome(&verifier, &token("new", OTHER_RSA, &clock)).await,
        "good"
    );
    assert_eq!(issuer.calls(), 3);
}

/// Silence is no answer: the issuer is asked about the name again as soon as it may be asked at all.
#[tokio::test]
async fn a_name_is_unknown_only_where_the_issuer_has_said_so() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    assert_eq!(outcome(&verifier, &token("old", RSA, &clock)).await, "good");
    let named = token("new", OTHER_RSA, &clock);
    issuer.set(Answer::status(500));
    clock.advance(30);
    assert_eq!(outcome(&verifier, &named).await, UNKNOWN);
    issuer.set(set(&[old(), new()]));
    clock.advance(30);
    assert_eq!(outcome(&verifier, &named).await, "good");
    assert_eq!(issuer.calls(), 3);
}

#[tokio::test]
async fn a_removed_key_dies_by_time_where_no_token_names_another() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old(), new()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let token = token("old", RSA, &clock);
    assert_eq!(outcome(&verifier, &token).await, "good");
    issuer.set(set(&[new()]));
    clock.advance(2879);
    assert_eq!(outcome(&verifier, &token).await, "good");
    assert_eq!(issuer.calls(), 1);
    clock.advance(1);
    assert_eq!(outcome(&verifier, &token).await, UNKNOWN);
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_one_fetch_per_interval() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock)
        .min_refresh_interval(Duration::from_secs(10))
        .build()
        .unwrap();
    let good = token("old", RSA, &clock);
    let mut kid = 0;
    for interval in 0..3 {
        for _ in 0..10 {
            let flood = (0..200).map(|_| {
                kid += 1;
                verifier.verify(&garbage(&format!("kid-{kid}")), &any_request())
            });
            for result in join_all(flood).await {
                assert!(matches!(result, Err(VerifyError::NotAuthentic(UNKNOWN))));
            }
            assert_eq!(outcome(&verifier, &good).await, "good");
            clock.advance(1);
        }
        assert_eq!(issuer.calls(), interval + 1);
    }

    // A name that was unknown is not asked about again for a minute, ten intervals or not.
    let calls = issuer.calls();
    assert_eq!(outcome(&verifier, &garbage("same")).await, UNKNOWN);
    assert_eq!(issuer.calls(), calls + 1);
    for _ in 0..5 {
        clock.advance(11);
        assert_eq!(outcome(&verifier, &garbage("same")).await, UNKNOWN);
    }
    assert_eq!(issuer.calls(), calls + 1);
    clock.advance(5);
    assert_eq!(outcome(&verifier, &garbage("same")).await, UNKNOWN);
    assert_eq!(issuer.calls(), calls + 2);

    // But that hides no key that is there.
    issuer.set(set(&[old(), jwk(OTHER_RSA, json!({"kid": "same"}))]));
    clock.advance(11);
    assert_eq!(outcome(&verifier, &garbage("another")).await, UNKNOWN);
    assert_eq!(
        outcome(&verifier, &token("same", OTHER_RSA, &clock)).await,
        "good"
    );
}

#[tokio::test]
async fn fetching_the_same_keys_again_makes_nobody_verify_again() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    assert_eq!(outcome(&verifier, &token("old", RSA, &clock)).await, "good");
    let epoch = verifier.epoch();
    // Anybody can name unknown keys.
    for n in 1..=5 {
        clock.advance(30);
        let forged = garbage(&format!("kid-{n}"));
        assert_eq!(outcome(&verifier, &forged).await, UNKNOWN);
        assert_eq!(issuer.calls(), 1 + n);
        assert_eq!(verifier.epoch(), epoch);
    }

    issuer.set(set(&[old(), new()]));
    clock.advance(30);
    assert_eq!(outcome(&verifier, &garbage("another")).await, UNKNOWN);
    assert_ne!(verifier.epoch(), epoch);

    // What was believed before the keys' time was over is verified again after it.
    let epoch = verifier.epoch();
    clock.advance(3600);
    assert_ne!(verifier.epoch(), epoch);
    assert_eq!(outcome(&verifier, &token("old", RSA, &clock)).await, "good");
    assert_ne!(verifier.epoch(), epoch);
}

#[tokio::test]
async fn many_requests_without_keys_make_one_fetch() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()]).delay(Duration::from_millis(100))).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let token = token("old", RSA, &clock);
    let results = join_all((0..50).map(|_| verifier.verify(&token, &any_request()))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(issuer.calls(), 1);
}

#[tokio::test]
async fn a_server_that_is_down_at_start_is_asked_again_after_the_interval() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let address = issuer.stop().await;
    let token = token("old", RSA, &clock);
    assert_eq!(outcome(&verifier, &token).await, DOWN);
    let error = verifier.refresh().await.unwrap_err();
    assert!(matches!(error, VerifyError::Unavailable(reason) if reason == DOWN));

    let issuer = Issuer::start_at(address, set(&[old()])).await;
    clock.advance(29);
    assert_eq!(outcome(&verifier, &token).await, DOWN);
    assert_eq!(issuer.calls(), 0);
    clock.advance(1);
    assert_eq!(outcome(&verifier, &token).await, "good");
    let status = verifier.status();
    assert_eq!(
        (status.fetches, status.failures, status.last_failure),
        (2, 1, None)
    );
}

#[tokio::test]
async fn a_server_that_goes_down_fails_closed_at_the_bound() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let closed = builder(&issuer, &clock).build().unwrap();
    let stale = builder(&issuer, &clock)
        .stale_if_error(Duration::from_secs(1800))
        .build()
        .unwrap();
    let token = token("old", RSA, &clock);
    assert_eq!(outcome(&closed, &token).await, "good");
    assert_eq!(outcome(&stale, &token).await, "good");
    let address = issuer.stop().await;

    // Renewal fails from 48 minutes on, and the keys are good for an hour.
    clock.advance(3000);
    assert_eq!(outcome(&closed, &token).await, "good");
    let unreachable = RefreshError::Fetch(FetchError::Unreachable);
    assert_eq!(closed.status().last_failure, Some(unreachable));
    clock.advance(599);
    assert_eq!(outcome(&closed, &token).await, "good");
    clock.advance(1);
    assert_eq!(outcome(&closed, &token).await, DOWN);
    assert_eq!(outcome(&stale, &token).await, "good");
    assert_eq!(stale.status().failures, 1);
    clock.advance(1799);
    assert_eq!(outcome(&stale, &token).await, "good");
    clock.advance(1);
    assert_eq!(outcome(&stale, &token).await, DOWN);

    let _issuer = Issuer::start_at(address, set(&[old()])).await;
    clock.advance(30);
    assert_eq!(outcome(&closed, &token).await, "good");
    assert_eq!(outcome(&stale, &token).await, "good");
}

#[tokio::test]
async fn answers_that_are_no_key_set_are_failures() {
    let clock = TestClock::new();
    let none = "the issuer's keys are not a JWK set, or have a JSON key twice";
    let media_type = "the issuer's answer has another media type than JSON";
    let status = |code: u16| format!("the issuer answered with status {code}").leak() as &str;
    let too_large = "the issuer's answer is too large";
    let elsewhere = Issuer::start(set(&[old()])).await;
    let issuer = Issuer::start(Answer::status(500)).await;
    let twice = format!(r#"{{"keys": [], "keys": [{}]}}"#, old());
    let large = format!(r#"{{"keys": [{}], "x": "{}"}}"#, old(), "x".repeat(300_000));
    for (answer, expected) in [
        (set(&[old()]), "good"),
        (
            set(&[old()]).content_type(Some("application/jwk-set+json")),
            "good",
        ),
        (set(&[old()]).content_type(Some("text/html")), media_type),
        (set(&[old()]).content_type(None), media_type),
        (Answer::json(twice), none),
        (Answer::json("{"), none),
        (Answer::json(""), none),
        (Answer::json(r#"{"keys": "none"}"#), none),
        (set(&[]), "none of the issuer's keys can verify a token"),
        (
            set(&vec![old(); 65]),
            "the issuer's keys are more than the bound",
        ),
        (Answer::json(large), too_large),
        (Answer::status(404), status(404)),
        (
            Answer::status(302).location(elsewhere.url("/keys")),
            status(302),
        ),
        (Answer::status(302).location("/keys"), status(302)),
    ] {
        issuer.set(answer.clone());
        let verifier = builder(&issuer, &clock).build().unwrap();
        let token = token("old", RSA, &clock);
        assert_eq!(outcome(&verifier, &token).await, expected, "{answer:?}");
    }
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_same_origin() {
    use axum::{Router, response::Redirect, routing::get};

    let keys = json!({"keys": [old()]});
    let router = Router::new()
        .route("/keys", get(async || Redirect::temporary("/moved")))
        .route("/moved", get(async move || axum::Json(keys)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let fetcher = ReqwestKeySetFetcher::new(client(), &url).unwrap();
    let verifier = JwksVerifier::builder(fetcher)
        .dangerously_any_audience()
        .build()
        .unwrap();
    let token = token("old", RSA, &TestClock::new());
    assert_eq!(outcome(&verifier, &token).await, "good");
}

#[tokio::test]
async fn a_slow_server_is_not_waited_for() {
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()]).delay(Duration::from_secs(60))).await;
    let fetcher = fetcher(&issuer).timeout(Duration::from_millis(100));
    let verifier = JwksVerifier::builder(fetcher)
        .dangerously_any_audience()
        .build()
        .unwrap();
    let token = token("old", RSA, &clock);
    assert_eq!(
        outcome(&verifier, &token).await,
        "the issuer did not answer in time"
    );
}

/// Keys in memory, and what happens when they are asked for.
#[derive(Clone, Debug, Default)]
struct Played {
    next: Arc<Mutex<Next>>,
    calls: Arc<AtomicUsize>,
}

#[derive(Clone, Debug, Default)]
enum Next {
    #[default]
    Never,
    Panic,
    Unreachable,
    Keys(String),
}

impl KeySetFetcher for Played {
    fn fetch(&self) -> FetchFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let next = self.next.lock().unwrap().clone();
        Box::pin(async move {
            match next {
                Next::Never => pending().await,
                Next::Panic => panic!("a fetcher with a bug"),
                Next::Unreachable => Err(FetchError::Unreachable),
                Next::Keys(keys) => {
                    tokio::task::yield_now().await;
                    Ok(Bytes::from(keys))
                }
            }
        })
    }
}

impl Played {
    fn set(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    fn keys(keys: &[Value]) -> Next {
        Next::Keys(json!({"keys": keys}).to_string())
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_document_beyond_its_bound_is_not_read() {
    let clock = TestClock::new();
    let document = json!({"keys": [old()]}).to_string();
    let token = token("old", RSA, &clock);
    for (bytes, expected) in [
        (document.len(), "good"),
        (document.len() - 1, "the issuer's answer is too large"),
    ] {
        let played = Played::default();
        played.set(Next::Keys(document.clone()));
        let verifier = JwksVerifier::builder(played)
            .dangerously_any_audience()
            .clock(clock.clone())
            .max_document_bytes(bytes)
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, &token).await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_not_read() {
    let issuer = Issuer::start(Answer::json("x".repeat(1000))).await;
    for (bytes, expected) in [
        (1000, Ok(1000)),
        (999, Err(FetchError::TooLarge)),
        (10, Err(FetchError::TooLarge)),
    ] {
        let fetched = fetcher(&issuer).max_body_bytes(bytes).fetch().await;
        assert_eq!(fetched.map(|body| body.len()), expected, "{bytes}");
    }
}

#[tokio::test]
async fn one_request_renews_the_keys_and_others_go_on() {
    let clock = TestClock::new();
    let played = Played::default();
    played.set(Played::keys(&[old()]));
    let verifier = JwksVerifier::builder(played.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    let named = token("new", OTHER_RSA, &clock);
    let token = token("old", RSA, &clock);
    assert_eq!(outcome(&verifier, &token).await, "good");
    let first = verifier.status().fetched_at;

    clock.advance(2880);
    played.set(Played::keys(&[old(), new()]));
    let renewing = verifier
        .verify(&token, &any_request())
        .into_ready()
        .unwrap_err();
    for _ in 0..10 {
        assert!(
            verifier
                .verify(&token, &any_request())
                .into_ready()
                .unwrap()
                .is_ok()
        );
    }
    // The client of the one hangs up: the next takes over where it stopped.
    drop(renewing);
    let renewing = verifier
        .verify(&token, &any_request())
        .into_ready()
        .unwrap_err();
    // A key that only the new document may have is waited for.
    let waiting = verifier
        .verify(&named, &any_request())
        .into_ready()
        .unwrap_err();
    assert!(
        verifier
            .verify(&token, &any_request())
            .into_ready()
            .unwrap()
            .is_ok()
    );
    assert!(renewing.await.is_ok() && waiting.await.is_ok());
    assert_eq!(played.calls(), 2);
    assert_eq!(verifier.status().fetched_at, Some(clock.now()));
    assert_ne!(verifier.status().fetched_at, first);
}

#[tokio::test]
async fn clients_that_hang_up_make_no_more_fetches() {
    let clock = TestClock::new();
    let played = Played::default();
    let verifier = JwksVerifier::builder(played.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = token("old", RSA, &clock);
    for _ in 0..100 {
        let waiting = verifier.verify(&token, &any_request());
        let gone = tokio::time::timeout(Duration::from_millis(1), waiting).await;
        assert!(gone.is_err(), "the fetcher never answers");
    }
    assert_eq!(played.calls(), 1);
}

#[tokio::test]
async fn a_fetch_that_was_left_is_not_waited_for_in_vain() {
    let clock = TestClock::new();
    let played = Played::default();
    let verifier = JwksVerifier::builder(played.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = token("old", RSA, &clock);
    let hang_up = || {
        assert!(
            verifier
                .verify(&token, &any_request())
                .now_or_never()
                .is_none()
        )
    };
    hang_up();
    played.set(Played::keys(&[old()]));
    clock.advance(29);
    hang_up();
    assert_eq!(played.calls(), 1);
    clock.advance(1);
    let mut waiting = verifier.verify(&token, &any_request());
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(played.calls(), 2);
    // What somebody waits for stays, however long it takes.
    clock.advance(60);
    let results = join_all([waiting, verifier.verify(&token, &any_request())]).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(played.calls(), 2);
}

/// Whose fetches come to nothing, and look at the verifier when they are dropped.
#[derive(Clone, Default)]
struct Looking {
    verifier: Arc<OnceLock<JwksVerifier>>,
    seen: Arc<AtomicU64>,
}

impl fmt::Debug for Looking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looking")
    }
}

impl KeySetFetcher for Looking {
    fn fetch(&self) -> FetchFuture {
        let looks = Looks(self.clone());
        Box::pin(async move {
            let _looks = looks;
            pending().await
        })
    }
}

struct Looks(Looking);

impl Drop for Looks {
    fn drop(&mut self) {
        let verifier = self.0.verifier.get().unwrap();
        let seen = verifier.status().fetches;
        self.0.seen.store(seen, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_fetch_that_is_given_up_may_look_at_the_verifier() {
    let clock = TestClock::new();
    let looking = Looking::default();
    let verifier = JwksVerifier::builder(looking.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    looking.verifier.set(verifier.clone()).unwrap();
    let token = token("old", RSA, &clock);
    for seen in [0, 2] {
        assert!(
            verifier
                .verify(&token, &any_request())
                .now_or_never()
                .is_none()
        );
        assert_eq!(looking.seen.load(Ordering::Relaxed), seen);
        clock.advance(30);
    }
}

#[tokio::test]
async fn a_fetcher_that_panics_has_failed() {
    let clock = TestClock::new();
    let played = Played::default();
    played.set(Next::Panic);
    let verifier = JwksVerifier::builder(played.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = token("old", RSA, &clock);
    let panicked = "the fetcher of the issuer's keys panicked";
    assert_eq!(outcome(&verifier, &token).await, panicked);
    assert_eq!(outcome(&verifier, &token).await, panicked);
    played.set(Played::keys(&[old()]));
    clock.advance(30);
    assert_eq!(outcome(&verifier, &token).await, "good");
}

#[tokio::test]
async fn keys_are_fetched_before_the_first_request_and_now_and_then() {
    let clock = TestClock::new();
    let played = Played::default();
    let verifier = JwksVerifier::builder(played.clone())
        .dangerously_any_audience()
        .clock(clock.clone())
        .build()
        .unwrap();
    played.set(Played::keys(&[old()]));
    assert!(verifier.refresh().await.is_ok());
    assert!(verifier.refresh().await.is_ok());
    assert_eq!(played.calls(), 1, "not more often than the interval");
    let token = token("old", RSA, &clock);
    assert!(
        verifier
            .verify(&token, &any_request())
            .into_ready()
            .unwrap()
            .is_ok()
    );

    played.set(Next::Unreachable);
    clock.advance(30);
    let error = verifier.refresh().await.unwrap_err();
    assert!(matches!(error, VerifyError::Unavailable(reason) if reason == DOWN));
    assert!(
        verifier
            .verify(&token, &any_request())
            .into_ready()
            .unwrap()
            .is_ok()
    );
}

/// What happens to an issuer and its verifier.
#[derive(Clone, Copy, Debug)]
enum Happening {
    SecondsPass(u64),
    Publishes { old: bool, new: bool },
    GoesDown,
    IsAsked { kid: usize },
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        3 => prop_oneof![1..40_u64, 40..4000_u64].prop_map(Happening::SecondsPass),
        2 => any::<(bool, bool)>().prop_map(|(old, new)| Happening::Publishes { old, new }),
        1 => Just(Happening::GoesDown),
        6 => (0..3_usize).prop_map(|kid| Happening::IsAsked { kid }),
    ];
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever happens: fetches keep their distance, a key is accepted only if it was published
    /// within its time, and a key that is published is found once the interval is over.
    #[test]
    fn keys_live_as_long_as_a_plain_reader_says(happenings in happenings()) {
        const TTL: u64 = 300;
        const STALE: u64 = 100;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let clock = TestClock::new();
        let played = Played::default();
        played.set(Next::Unreachable);
        let verifier = JwksVerifier::builder(played.clone())
.dangerously_any_audience()
            .keys_ttl(Duration::from_secs(TTL))
            .stale_if_error(Duration::from_secs(STALE))
            .clock(clock.clone())
            .build()
            .unwrap();
        let tokens = [
            token("old", RSA, &clock),
            token("new", OTHER_RSA, &clock),
            garbage("none"),
        ];
        let mut published = [false; 2];
        let mut is_up = false;
        // When the published keys were last changed, or went out of reach.
        let mut last_published = [None; 2];
        let mut fetched_at: Option<u64> = None;
        // When the issuer was last asked for it in vain.
        let mut unknown_at: [Option<u64>; 2] = [None; 2];
        for happening in happenings {
            let now = clock.unix();
            match happening {
                Happening::SecondsPass(seconds) => clock.advance(seconds),
                Happening::Publishes { old: is_old, new: is_new } => {
                    published = [is_old, is_new];
                    is_up = true;
                    let keys = [is_old.then(old), is_new.then(new)];
                    let keys: Vec<Value> = keys.into_iter().flatten().collect();
                    played.set(Played::keys(&keys));
                }
                Happening::GoesDown => {
                    is_up = false;
                    played.set(Next::Unreachable);
                }
                Happening::IsAsked { kid } => {
                    let calls = played.calls();
                    let may_fetch = fetched_at.is_none_or(|last| now - last >= 30);
                    let is_good = runtime.block_on(verifier.verify(&tokens[kid], &any_request())).is_ok();
                    let fetches = played.calls() - calls;
                    prop_assert!(fetches <= usize::from(may_fetch), "one fetch per interval");
                    if fetches == 1 {
                        fetched_at = Some(now);
                        if is_up && published != [false; 2] {
                            let seen = |is: bool| is.then_some(now);
                            last_published = [seen(published[0]), seen(published[1])];
                        }
                    }
                    let live = |last: Option<u64>| last.is_some_and(|last| now - last < TTL + STALE);
                    let expected = kid < 2 && live(last_published[kid]);
                    // Between the two times, good only as long as new keys cannot be had.
                    prop_assert!(!is_good || expected, "a key that is dead is accepted");
                    let fresh = |last: Option<u64>| last.is_some_and(|last| now - last < TTL);
                    let must = kid < 2 && fresh(last_published[kid]);
                    prop_assert!(is_good || !must, "a key that is good is refused");
                    if kid == 2 {
                        continue;
                    }
                    let may_appear = unknown_at[kid].is_none_or(|last| now - last >= 60);
                    if may_fetch && may_appear && is_up && published[kid] {
                        prop_assert!(is_good, "a key that is published is not found");
                    }
                    if fetches == 1 && !is_good {
                        unknown_at[kid] = Some(now);
                    }
                }
            }
        }
    }
}

#[test]
fn settings_have_bounds() {
    let builder = || JwksVerifier::builder(Played::default()).dangerously_any_audience();
    let seconds = Duration::from_secs;
    let day = seconds(86_400);
    let longest = builder().keys_ttl(day).stale_if_error(day);
    assert!(longest.min_refresh_interval(seconds(60)).build().is_ok());
    for (builder, error) in [
        (
            builder().keys_ttl(seconds(59)),
            JwksConfigError::KeysTtl(seconds(59)),
        ),
        (
            builder().keys_ttl(seconds(86_401)),
            JwksConfigError::KeysTtl(seconds(86_401)),
        ),
        (
            builder().stale_if_error(seconds(86_401)),
            JwksConfigError::StaleIfError(seconds(86_401)),
        ),
        (
            builder().min_refresh_interval(seconds(9)),
            JwksConfigError::MinRefreshInterval(seconds(9)),
        ),
        (
            builder().min_refresh_interval(seconds(61)),
            JwksConfigError::MinRefreshInterval(seconds(61)),
        ),
        (
            builder().leeway(seconds(301)),
            JwksConfigError::Rules(ClaimRuleError::Leeway(seconds(301))),
        ),
    ] {
        let errors = builder.build().unwrap_err();
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), [error]);
    }
    // All mistakes at once.
    let errors = JwksVerifier::builder(Played::default())
        .keys_ttl(seconds(1))
        .issuer("https://a.example")
        .issuer("https://b.example")
        .build()
        .unwrap_err();
    let errors: Vec<_> = errors.into_iter().collect();
    assert_eq!(
        errors,
        [
            JwksConfigError::Rules(ClaimRuleError::MissingAudience),
            JwksConfigError::SeveralIssuers(2),
            JwksConfigError::KeysTtl(seconds(1)),
        ]
    );
    assert_eq!(
        JwksConfigError::MinRefreshInterval(seconds(1)).to_string(),
        "min_refresh_interval: 1s: 10s to 60s, because anybody can name unknown keys",
    );
}

#[tokio::test]
async fn no_token_is_printed_or_logged() {
    let log = crate::support::issuer::log::capture();
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let token = token("old", RSA, &clock);
    let future = verifier.verify(&token, &any_request());
    let mut printed = format!("{verifier:?} {future:?}");
    printed += &format!("{:?} {verifier:?}", future.await);
    let forged = token.replace('.', ".x");
    let error = verifier.verify(&forged, &any_request()).await.unwrap_err();
    printed += &format!("{error} {error:?} {}", log.text());
    for part in token.split('.') {
        assert!(!printed.contains(part), "{printed}");
    }
    for shown in [
        "JwksVerifier { store: Store { fetcher: ReqwestKeySetFetcher",
        "state: JwksStatus { keys: 1, left_out: 0",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
    assert!(log.text().contains("the log is listened to"));
}
