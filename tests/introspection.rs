//! Opaque tokens, with an issuer over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which the lint does not know for such"
)]

mod issuer_support;

use std::time::Duration;

use futures_util::future::join_all;
use http::header;
use serde_json::{Value, json};
use tower_cors::token::{
    ClientAuth, FetchFuture, IntrospectionClient, IntrospectionConfigError, IntrospectionRequest,
    IntrospectionVerifier, IntrospectionVerifierBuilder, ReqwestIntrospectionClient, TokenVerifier,
    VerifyError,
};

use self::issuer_support::{Answer, Issuer, TestClock, client};

fn introspection(issuer: &Issuer) -> ReqwestIntrospectionClient {
    let auth = ClientAuth::basic("my api", "s3cr3t:%");
    ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap()
}

fn builder(issuer: &Issuer, clock: &TestClock) -> IntrospectionVerifierBuilder {
    IntrospectionVerifier::builder(introspection(issuer)).clock(clock.clone())
}

async fn outcome(verifier: &IntrospectionVerifier, token: &str) -> &'static str {
    match verifier.verify(token).await {
        Ok(_) => "good",
        Err(VerifyError::Revoked) => "revoked",
        Err(VerifyError::Misdirected) => "misdirected",
        Err(VerifyError::NotYetValid) => "not yet valid",
        Err(VerifyError::Expired(_)) => "expired",
        Err(VerifyError::Malformed(_)) => "malformed",
        Err(VerifyError::Unavailable(what)) => what,
        Err(_) => "other",
    }
}

#[tokio::test]
async fn the_question_is_a_form_with_the_clients_credentials() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "sub": "me"}"#)).await;
    let clock = TestClock::new();
    let verifier = builder(&issuer, &clock)
        .token_type_hint("access_token")
        .build()
        .unwrap();
    let token = verifier.verify("a+b/c=").await.unwrap();
    assert_eq!(token.claims().get("sub"), Some(&json!("me")));

    let seen = issuer.last();
    assert_eq!(seen.path, "/introspect");
    assert_eq!(seen.form, "token=a%2Bb%2Fc%3D&token_type_hint=access_token");
    assert_eq!(
        seen.headers[header::CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(seen.headers[header::ACCEPT], "application/json");
    // base64("my+api:s3cr3t%3A%25")
    assert_eq!(
        seen.headers[header::AUTHORIZATION],
        "Basic bXkrYXBpOnMzY3IzdCUzQSUyNQ=="
    );

    for (auth, expected) in [
        (ClientAuth::bearer("mine"), Some("Bearer mine")),
        (ClientAuth::none(), None),
    ] {
        let client =
            ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap();
        let verifier = IntrospectionVerifier::builder(client).build().unwrap();
        assert_eq!(outcome(&verifier, "a").await, "good");
        let sent = issuer.last().headers.get(header::AUTHORIZATION).cloned();
        assert_eq!(sent.as_ref().map(|value| value.to_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn every_answer_is_read_strictly() {
    let issuer = Issuer::start(Answer::status(500)).await;
    let clock = TestClock::new();
    let now = clock.unix();
    let html = "the issuer's answer has another media type than JSON";
    let status = "the issuer answered with an error";
    let no_object = "the issuer's answer is not a JSON object, or has a key twice";
    let no_active = "the issuer's answer has no boolean \"active\"";
    let no_time = "the issuer's answer has an \"exp\" or \"nbf\" that is no time";
    let json = |value: Value| Answer::json(value.to_string());
    let active = || Answer::json(r#"{"active": true}"#);
    let elsewhere = Issuer::start(active()).await;
    for (answer, expected) in [
        (active(), "good"),
        (
            active().content_type(Some("Application/JSON;charset=UTF-8")),
            "good",
        ),
        (json(json!({"active": false})), "revoked"),
        (json(json!({"active": "true"})), no_active),
        (json(json!({"active": 1})), no_active),
        (json(json!({})), no_active),
        (json(json!({"error": "invalid_client"})), no_active),
        (
            Answer::json(r#"{"active": false, "active": true}"#),
            no_object,
        ),
        (Answer::json(r#"{"active": true"#), no_object),
        (Answer::json(""), no_object),
        (Answer::json("null"), no_object),
        (json(json!({"active": true, "exp": now + 1})), "good"),
        (json(json!({"active": true, "exp": now})), "expired"),
        (
            json(json!({"active": true, "exp": (now + 1).to_string()})),
            no_time,
        ),
        (json(json!({"active": true, "nbf": now + 30})), "good"),
        (
            json(json!({"active": true, "nbf": now + 32})),
            "not yet valid",
        ),
        (active().content_type(Some("text/html")), html),
        (
            active().content_type(Some("application/token-introspection+jwt")),
            html,
        ),
        (active().content_type(None), html),
        (Answer::status(401), status),
        (Answer::status(500), status),
        (Answer::status(204), status),
        (
            Answer::status(307).location(elsewhere.url("/introspect")),
            status,
        ),
        (
            Answer::json(" ".repeat(70_000)),
            "the issuer's answer is too large",
        ),
    ] {
        issuer.set(answer.clone());
        let verifier = builder(&issuer, &clock).build().unwrap();
        assert_eq!(outcome(&verifier, "token").await, expected, "{answer:?}");
    }
    assert_eq!(elsewhere.calls(), 0, "a redirect would hand the token on");
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_set() {
    let issuer = Issuer::start(Answer::status(500)).await;
    let clock = TestClock::new();
    for (claims, expected) in [
        (
            json!({"active": true, "iss": "https://id", "aud": "api"}),
            "good",
        ),
        (
            json!({"active": true, "iss": "https://id", "aud": ["x", "api"]}),
            "good",
        ),
        (
            json!({"active": true, "iss": "https://id", "aud": "apis"}),
            "misdirected",
        ),
        (
            json!({"active": true, "iss": "https://id/", "aud": "api"}),
            "misdirected",
        ),
        (json!({"active": true, "iss": "https://id"}), "misdirected"),
        (json!({"active": true, "aud": "api"}), "misdirected"),
    ] {
        issuer.set(Answer::json(claims.to_string()));
        let verifier = builder(&issuer, &clock)
            .issuer("https://id")
            .audience("api")
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, "token").await, expected, "{claims}");
    }
}

#[tokio::test]
async fn garbage_that_is_no_token_is_not_asked_about() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true}"#)).await;
    let verifier = builder(&issuer, &TestClock::new()).build().unwrap();
    for token in ["", "a\nb", "ü", "\u{7f}"] {
        assert_eq!(outcome(&verifier, token).await, "malformed", "{token:?}");
    }
    assert_eq!(issuer.calls(), 0);
}

#[tokio::test]
async fn answers_are_remembered_as_long_as_they_may() {
    let clock = TestClock::new();
    let exp = clock.unix() + 70;
    let good = Answer::json(json!({"active": true, "exp": exp}).to_string());
    let issuer = Issuer::start(good).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let expiry = verifier.verify("t").await.unwrap().expiry().unwrap();
    assert_eq!(
        expiry,
        tower_cors::Clock::now(&clock) + Duration::from_secs(60)
    );
    // What is remembered is ready, and the same.
    let ready = verifier.verify("t").into_ready().unwrap().unwrap();
    assert_eq!(ready.expiry(), Some(expiry));

    // The revocation is noticed when the time is over, not before and not later.
    issuer.set(Answer::json(r#"{"active": false}"#));
    clock.advance(59);
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(issuer.calls(), 1);
    clock.advance(1);
    assert_eq!(outcome(&verifier, "t").await, "revoked");
    assert_eq!(issuer.calls(), 2);

    // A refusal is remembered for 5 seconds.
    issuer.set(Answer::json(
        json!({"active": true, "exp": exp}).to_string(),
    ));
    clock.advance(4);
    assert_eq!(outcome(&verifier, "t").await, "revoked");
    clock.advance(1);
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(issuer.calls(), 3);

    // The token's own end comes before the end of the minute.
    clock.advance(5);
    assert_eq!(outcome(&verifier, "t").await, "expired");
    assert_eq!(issuer.calls(), 4);
}

#[tokio::test]
async fn a_clock_that_is_set_back_forgets() {
    let clock = TestClock::new();
    let issuer = Issuer::start(Answer::json(r#"{"active": true}"#)).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    assert_eq!(outcome(&verifier, "t").await, "good");
    issuer.set(Answer::json(r#"{"active": false}"#));
    clock.set_back(3600);
    assert_eq!(outcome(&verifier, "t").await, "revoked");
}

#[tokio::test]
async fn many_requests_with_one_token_ask_once() {
    let answer = Answer::json(r#"{"active": true}"#).delay(Duration::from_millis(100));
    let issuer = Issuer::start(answer).await;
    let verifier = builder(&issuer, &TestClock::new()).build().unwrap();
    let results = join_all((0..100).map(|_| verifier.verify("one"))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(issuer.calls(), 1);

    // The one that asks may go away; the others get the answer.
    let first = verifier.verify("two");
    let second = tokio::spawn(verifier.verify("two"));
    let _gone = tokio::time::timeout(Duration::from_millis(20), first).await;
    assert!(second.await.unwrap().is_ok());
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn a_failure_is_shared_and_not_remembered() {
    let answer = Answer::status(503).delay(Duration::from_millis(50));
    let issuer = Issuer::start(answer).await;
    let verifier = builder(&issuer, &TestClock::new()).build().unwrap();
    let results = join_all((0..20).map(|_| verifier.verify("t"))).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(VerifyError::Unavailable(_))))
    );
    assert_eq!(issuer.calls(), 1);
    issuer.set(Answer::json(r#"{"active": true}"#));
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(verifier.cached_tokens(), 1);
}

#[tokio::test]
async fn no_more_questions_than_the_limit_are_under_way() {
    let answer = Answer::json(r#"{"active": true}"#).delay(Duration::from_millis(200));
    let issuer = Issuer::start(answer).await;
    let verifier = builder(&issuer, &TestClock::new())
        .max_outstanding(8)
        .build()
        .unwrap();
    let results = join_all((0..200).map(|n| verifier.verify(&format!("token-{n}")))).await;
    let full = |result: &&Result<_, VerifyError>| {
        matches!(
            result,
            Err(VerifyError::Unavailable(
                "too many questions to the issuer are under way"
            ))
        )
    };
    assert_eq!(results.iter().filter(full).count(), 192);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 8);
    assert_eq!(issuer.calls(), 8);
    // The places are free again.
    assert_eq!(outcome(&verifier, "token-9").await, "good");
}

#[tokio::test]
async fn a_slow_issuer_is_not_waited_for() {
    let answer = Answer::json(r#"{"active": true}"#).delay(Duration::from_secs(60));
    let issuer = Issuer::start(answer).await;
    let client = introspection(&issuer).timeout(Duration::from_millis(100));
    let verifier = IntrospectionVerifier::builder(client).build().unwrap();
    assert_eq!(
        outcome(&verifier, "t").await,
        "the issuer did not answer in time"
    );
}

#[tokio::test]
async fn a_dead_issuer_fails_closed_unless_stale_answers_are_asked_for() {
    let clock = TestClock::new();
    let exp = clock.unix() + 200;
    let good = Answer::json(json!({"active": true, "exp": exp}).to_string());
    let issuer = Issuer::start(good.clone()).await;
    let closed = builder(&issuer, &clock).build().unwrap();
    let stale = builder(&issuer, &clock)
        .stale_if_error(Duration::from_secs(600))
        .build()
        .unwrap();
    assert_eq!(outcome(&closed, "t").await, "good");
    assert_eq!(outcome(&stale, "t").await, "good");
    let address = issuer.stop().await;

    clock.advance(61);
    let down = "the issuer is out of reach";
    assert_eq!(outcome(&closed, "t").await, down);
    assert_eq!(outcome(&stale, "t").await, "good");
    assert_eq!(outcome(&stale, "unknown").await, down);
    // The token's own end stands, whatever the issuer does.
    clock.advance(139);
    assert_eq!(outcome(&stale, "t").await, down);

    let issuer = Issuer::start_at(address, Answer::json(r#"{"active": true}"#)).await;
    assert_eq!(outcome(&closed, "t").await, "good");
    assert_eq!(issuer.calls(), 1);
}

/// An issuer that is never asked.
#[derive(Debug)]
struct Silent;

impl IntrospectionClient for Silent {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        Box::pin(std::future::pending())
    }
}

#[test]
fn settings_have_bounds() {
    use IntrospectionConfigError::*;
    let builder = || IntrospectionVerifier::builder(Silent);
    let seconds = Duration::from_secs;
    assert!(builder().negative_ttl(seconds(10)).build().is_ok());
    for (builder, error, text) in [
        (
            builder().negative_ttl(seconds(11)),
            NegativeTtl(seconds(11)),
            "negative_ttl: 11s: at most 10s, so that a token that becomes good is soon let in",
        ),
        (
            builder().positive_ttl(seconds(3601)),
            PositiveTtl(seconds(3601)),
            "positive_ttl: 3601s: at most 1h, because a revocation is noticed as late as this",
        ),
        (
            builder().stale_if_error(seconds(3601)),
            StaleIfError(seconds(3601)),
            "stale_if_error: 3601s: at most 1h, because no revocation is noticed meanwhile",
        ),
        (
            builder().leeway(seconds(301)),
            Leeway(seconds(301)),
            "leeway: 301s: at most 5min; set the clocks by NTP",
        ),
        (
            builder().max_outstanding(0),
            MaxOutstanding,
            "max_outstanding: 0: at least 1, or no token can be verified",
        ),
    ] {
        let refused = builder.build().unwrap_err();
        assert_eq!(refused, error);
        assert_eq!(refused.to_string(), text);
    }
}

#[tokio::test]
async fn no_token_and_no_secret_is_printed_or_logged() {
    let log = issuer_support::log::capture();
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "exp": 1}"#)).await;
    let client = introspection(&issuer);
    let verifier = IntrospectionVerifier::builder(client.clone())
        .build()
        .unwrap();
    let future = verifier.verify("T0KEN");
    let mut printed = format!("{verifier:?} {client:?} {future:?}");
    let error = future.await.unwrap_err();
    printed += &format!("{error} {error:?} {verifier:?}");
    issuer.stop().await;
    let error = verifier.verify("T0KEN-2").await.unwrap_err();
    printed += &format!("{error} {error:?} {}", log.text());
    for secret in ["T0KEN", "s3cr3t", "Basic b", "czNjcjN0"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(log.text().contains("the log is listened to"));
}
