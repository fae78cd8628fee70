//! Opaque tokens, with an issuer over real sockets.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use http::header;
use serde_json::{Value, json};
use tower_cors::{
    time::Clock,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        verify::{
            ClaimRuleError, FetchError, FetchFuture, TokenRequest, VerifyError, VerifyFuture,
            introspection::{
                IntrospectionClient, IntrospectionConfigError, IntrospectionRequest,
                IntrospectionVerifier, IntrospectionVerifierBuilder,
            },
            reqwest::{ClientAuth, ReqwestIntrospectionClient},
        },
    },
};

use crate::support::issuer::{Answer, Issuer, TestClock, client};
use crate::support::token_request::any_request;

fn introspection(issuer: &Issuer) -> ReqwestIntrospectionClient {
    let auth = ClientAuth::basic("my api", "s3cr3t:%");
    ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap()
}

fn builder(issuer: &Issuer, clock: &TestClock) -> IntrospectionVerifierBuilder {
    IntrospectionVerifier::builder(introspection(issuer)).clock(clock.clone())
}

async fn outcome(verifier: &IntrospectionVerifier, token: &str) -> String {
    let outcome = match verifier.verify(token, &any_request()).await {
        Ok(_) => "good",
        Err(VerifyError::Revoked) => "revoked",
        Err(VerifyError::WrongIssuer(_) | VerifyError::WrongAudience(_)) => "misdirected",
        Err(VerifyError::NotYetValid) => "not yet valid",
        Err(VerifyError::Expired(_)) => "expired",
        Err(VerifyError::Malformed(_)) => "malformed",
        Err(VerifyError::Unavailable(reason)) => return reason.into_owned(),
        Err(_) => "other",
    };
    outcome.to_owned()
}

#[tokio::test]
async fn the_question_is_a_form_with_the_clients_credentials() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "sub": "me"}"#)).await;
    let clock = TestClock::new();
    let verifier = builder(&issuer, &clock)
        .token_type_hint("access_token")
        .build()
        .unwrap();
    let token = verifier.verify("a+b/c=", &any_request()).await.unwrap();
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
        assert_eq!(issuer.last().form, "token=a");
    }
}

#[tokio::test]
async fn a_secret_in_the_form_and_one_that_changes() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true}"#)).await;
    let secret = Arc::new(Mutex::new("s3cr3t"));
    let current = Arc::clone(&secret);
    let auth = ClientAuth::rotating(move || ClientAuth::post("my api", *current.lock().unwrap()));
    assert_eq!(
        format!("{auth:?} {:?}", ClientAuth::post("me", "s3cr3t")),
        "Rotating Post"
    );

    let client =
        ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap();
    let verifier = IntrospectionVerifier::builder(client).build().unwrap();
    assert_eq!(outcome(&verifier, "a").await, "good");
    assert_eq!(
        issuer.last().form,
        "token=a&client_id=my+api&client_secret=s3cr3t"
    );
    assert!(!issuer.last().headers.contains_key(header::AUTHORIZATION));

    *secret.lock().unwrap() = "n&w";
    assert_eq!(outcome(&verifier, "b").await, "good");
    assert_eq!(
        issuer.last().form,
        "token=b&client_id=my+api&client_secret=n%26w"
    );
}

#[tokio::test]
async fn every_answer_is_read_strictly() {
    let issuer = Issuer::start(Answer::status(500)).await;
    let clock = TestClock::new();
    let now = clock.unix();
    let html = "the issuer's answer has another media type than JSON";
    let status = |code: u16| format!("the issuer answered with status {code}").leak() as &str;
    let no_object = "the issuer's answer is not a JSON object, or has a key twice";
    let no_active = "the issuer's answer has no boolean \"active\"";
    let no_time = "the issuer's answer has an \"exp\" or \"nbf\" that is not a time";
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
        (
            Answer::status(401),
            "the issuer answered with status 401: it does not accept this service's own credentials",
        ),
        (Answer::status(500), status(500)),
        (Answer::status(204), status(204)),
        (
            Answer::status(307).location(elsewhere.url("/introspect")),
            status(307),
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
    let token = verifier.verify("t", &any_request()).await.unwrap();
    let fresh_until = token.freshness().unwrap();
    assert_eq!(fresh_until, clock.now() + Duration::from_secs(60));
    assert_eq!(
        token.expiry(),
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(exp))
    );
    // What is remembered is ready, and the same.
    let ready = verifier
        .verify("t", &any_request())
        .into_ready()
        .unwrap()
        .unwrap();
    assert_eq!(ready.freshness(), Some(fresh_until));

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
    let results = join_all((0..100).map(|_| verifier.verify("one", &any_request()))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(issuer.calls(), 1);

    // The one that asks may go away; the others get the answer.
    let first = verifier.verify("two", &any_request());
    let second = tokio::spawn(verifier.verify("two", &any_request()));
    let gone = tokio::time::timeout(Duration::from_millis(20), first).await;
    assert!(
        gone.is_err(),
        "it has been answered before it could go away"
    );
    assert!(second.await.unwrap().is_ok());
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn a_failure_is_shared_and_soon_forgotten() {
    let answer = Answer::status(503).delay(Duration::from_millis(50));
    let issuer = Issuer::start(answer).await;
    let clock = TestClock::new();
    let verifier = builder(&issuer, &clock).build().unwrap();
    let results = join_all((0..20).map(|_| verifier.verify("t", &any_request()))).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(VerifyError::Unavailable(_))))
    );
    assert_eq!(issuer.calls(), 1);
    issuer.set(Answer::json(r#"{"active": true}"#));
    clock.advance(1);
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
    let results =
        join_all((0..200).map(|n| verifier.verify(&format!("token-{n}"), &any_request()))).await;
    let full = |result: &&Result<_, VerifyError>| {
        matches!(
            result,
            Err(VerifyError::Unavailable(reason))
                if reason == "too many questions to the issuer are under way"
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

/// An issuer in memory, and what happens when it is asked.
#[derive(Clone, Debug, Default)]
struct Played {
    next: Arc<Mutex<Next>>,
    calls: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Next {
    #[default]
    Never,
    Panic,
    Unreachable,
    Says(&'static str),
    /// Says so when it is looked for the second time.
    SaysLater(&'static str),
}

const YES: &str = r#"{"active": true}"#;
const NO: &str = r#"{"active": false}"#;

impl IntrospectionClient for Played {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let next = *self.next.lock().unwrap();
        Box::pin(async move {
            match next {
                Next::Never => pending().await,
                Next::Panic => panic!("a client with a bug"),
                Next::Unreachable => Err(FetchError::Unreachable),
                Next::Says(body) => Ok(Bytes::from(body)),
                Next::SaysLater(body) => {
                    tokio::task::yield_now().await;
                    Ok(Bytes::from(body))
                }
            }
        })
    }
}

impl Played {
    fn new(next: Next) -> Self {
        let played = Self::default();
        played.set(next);
        played
    }

    fn set(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn verifier(&self, clock: &TestClock) -> IntrospectionVerifierBuilder {
        IntrospectionVerifier::builder(self.clone()).clock(clock.clone())
    }
}

/// A client that hangs up as soon as its token is asked about.
fn hang_up(verifier: &IntrospectionVerifier, token: &str) {
    assert!(
        verifier
            .verify(token, &any_request())
            .now_or_never()
            .is_none(),
        "{token}"
    );
}

#[tokio::test]
async fn an_answer_beyond_its_bound_is_not_read() {
    for (bytes, expected) in [
        (YES.len(), "good"),
        (YES.len() - 1, "the issuer's answer is too large"),
    ] {
        let verifier = Played::new(Next::Says(YES))
            .verifier(&TestClock::new())
            .max_response_bytes(bytes)
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, "one").await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn what_is_remembered_keeps_to_its_bound() {
    const BOUND: u64 = 64 * 1024;
    let long = json!({"active": true, "about": "x".repeat(1024)}).to_string();
    let played = Played::new(Next::Says(long.leak()));
    let verifier = played
        .verifier(&TestClock::new())
        .max_cache_bytes(BOUND)
        .build()
        .unwrap();
    assert_eq!(verifier.cached_bytes(), 0);
    assert_eq!(outcome(&verifier, "first").await, "good");
    let one = verifier.cached_bytes();
    assert!((1024..BOUND / 8).contains(&one), "{one}");
    for token in 0..500 {
        assert_eq!(outcome(&verifier, &token.to_string()).await, "good");
        assert!(verifier.cached_bytes() <= BOUND);
    }
    let tokens = verifier.cached_tokens() as u64;
    assert!((8..=BOUND / 1024).contains(&tokens), "{tokens}");
}

#[tokio::test]
async fn clients_that_hang_up_ask_no_more_questions() {
    let clock = TestClock::new();
    let played = Played::new(Next::SaysLater(NO));
    let verifier = played.verifier(&clock).build().unwrap();
    hang_up(&verifier, "garbage");
    for _ in 0..100 {
        let waiting = verifier.verify("garbage", &any_request());
        // It hangs up, or learns what the last one found out.
        let answer = tokio::time::timeout(Duration::ZERO, waiting).await;
        assert!(matches!(answer, Err(_) | Ok(Err(VerifyError::Revoked))));
    }
    // What the last of them found out is remembered.
    assert_eq!(outcome(&verifier, "garbage").await, "revoked");
    assert_eq!(played.calls(), 1);
    clock.advance(5);
    hang_up(&verifier, "garbage");
    assert_eq!(played.calls(), 2);
}

#[tokio::test]
async fn a_question_that_is_left_is_not_waited_for_in_vain() {
    let clock = TestClock::new();
    let played = Played::new(Next::Never);
    let verifier = played.verifier(&clock).build().unwrap();
    hang_up(&verifier, "t");
    played.set(Next::Says(YES));
    hang_up(&verifier, "t");
    clock.advance(5);
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(played.calls(), 2);
}

#[tokio::test]
async fn clients_that_hang_up_take_no_place_from_others() {
    let clock = TestClock::new();
    let played = Played::new(Next::SaysLater(NO));
    let verifier = played.verifier(&clock).max_outstanding(4).build().unwrap();
    for n in 0..40 {
        hang_up(&verifier, &format!("garbage-{n}"));
    }
    assert_eq!(played.calls(), 40);
    // An answer that was there when its place was taken is not lost.
    assert_eq!(outcome(&verifier, "garbage-0").await, "revoked");
    assert_eq!(played.calls(), 40);

    // Who waits keeps the place.
    played.set(Next::Never);
    let waiting: Vec<_> = (0..4)
        .map(|n| tokio::spawn(verifier.verify(&format!("waiting-{n}"), &any_request())))
        .collect();
    while played.calls() < 44 {
        tokio::task::yield_now().await;
    }
    let full = "too many questions to the issuer are under way";
    assert_eq!(outcome(&verifier, "another").await, full);
    waiting[0].abort();
    while !waiting[0].is_finished() {
        tokio::task::yield_now().await;
    }
    played.set(Next::Says(YES));
    assert_eq!(outcome(&verifier, "another").await, "good");
}

#[tokio::test]
async fn garbage_is_asked_about_at_a_bounded_rate() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played
        .verifier(&clock)
        .max_refused_per_second(10)
        .stale_if_error(Duration::from_secs(60))
        .build()
        .unwrap();
    for n in 0..1000 {
        assert_eq!(outcome(&verifier, &format!("good-{n}")).await, "good");
    }
    let spent = "too many tokens lately were not good";
    let mut outcomes = Vec::new();
    for (n, next) in [
        Next::Says(NO),
        Next::Unreachable,
        Next::Says(NO),
        Next::Says(""),
    ]
    .into_iter()
    .cycle()
    .take(400)
    .enumerate()
    {
        played.set(next);
        outcomes.push(outcome(&verifier, &format!("garbage-{n}")).await);
    }
    assert_eq!(played.calls(), 1100);
    assert!(outcomes[..100].iter().all(|outcome| outcome != spent));
    assert!(outcomes[100..].iter().all(|outcome| outcome == spent));
    // What is known is not asked about.
    assert_eq!(outcome(&verifier, "good-999").await, "good");
    assert_eq!(outcome(&verifier, "garbage-98").await, "revoked");

    // Clients that hang up do not get around it.
    clock.advance(2);
    played.set(Next::Never);
    for n in 0..400 {
        let answer = verifier
            .verify(&format!("left-{n}"), &any_request())
            .now_or_never();
        let has_left = matches!(answer, None | Some(Err(VerifyError::Unavailable(_))));
        assert!(has_left, "{n}");
    }
    // 64 are under way, and 20 have given way.
    assert_eq!(played.calls(), 1184);

    // Once there is another question to ask, any number of good tokens is.
    clock.advance(7);
    played.set(Next::Says(YES));
    for n in 0..1000 {
        assert_eq!(outcome(&verifier, &format!("new-{n}")).await, "good");
    }
    // And a token that was good before is asked about, whatever garbage has used up.
    clock.advance(52);
    played.set(Next::Says(NO));
    for n in 0..100 {
        let refused = outcome(&verifier, &format!("more-{n}")).await;
        assert!(refused == "revoked" || refused == spent, "{n}: {refused}");
    }
    assert_eq!(outcome(&verifier, "unknown").await, spent);
    assert_eq!(outcome(&verifier, "good-999").await, "revoked");
}

#[tokio::test]
async fn garbage_that_is_asked_about_at_once_keeps_to_the_rate() {
    let clock = TestClock::new();
    let played = Played::new(Next::SaysLater(NO));
    let verifier = played
        .verifier(&clock)
        .max_refused_per_second(10)
        .build()
        .unwrap();
    // The first answer comes when as many as may be are under way.
    let flood = async |round: u64| {
        let ask = |n| verifier.verify(&format!("garbage-{round}-{n}"), &any_request());
        let results = join_all((0..64).map(ask)).await;
        assert!(results.iter().all(Result::is_err));
    };
    for round in 0..2 {
        flood(round).await;
    }
    assert_eq!(played.calls(), 128);
    for second in 1..=60 {
        clock.advance(1);
        flood(1 + second).await;
        let seconds = usize::try_from(second).unwrap();
        let most = 100 + 10 * seconds + 64;
        assert!(played.calls() <= most, "{second}: {}", played.calls());
    }
    assert!(played.calls() >= 600, "{}", played.calls());
}

#[tokio::test]
async fn what_is_forgotten_is_asked_about_again() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played
        .verifier(&clock)
        .stale_if_error(Duration::from_secs(600))
        .build()
        .unwrap();
    for token in ["revoked", "other"] {
        assert_eq!(outcome(&verifier, token).await, "good");
    }
    played.set(Next::Says(NO));
    let epoch = verifier.epoch();
    verifier.forget("revoked");
    assert_ne!(verifier.epoch(), epoch);
    assert_eq!(outcome(&verifier, "revoked").await, "revoked");
    assert_eq!(outcome(&verifier, "other").await, "good");
    assert_eq!(played.calls(), 3);

    // An answer from before is no answer for those who come after.
    played.set(Next::SaysLater(YES));
    clock.advance(5);
    let mut before = verifier.verify("revoked", &any_request());
    assert!((&mut before).now_or_never().is_none());
    verifier.forget("revoked");
    assert_eq!(verifier.cached_tokens(), 1);
    played.set(Next::Says(NO));
    assert_eq!(outcome(&verifier, "revoked").await, "revoked");
    assert!(before.await.is_ok());
    assert_eq!(outcome(&verifier, "revoked").await, "revoked");

    let epoch = verifier.epoch();
    verifier.clear();
    assert_ne!(verifier.epoch(), epoch);
    assert_eq!(verifier.cached_tokens(), 0);
    assert_eq!(outcome(&verifier, "other").await, "revoked");

    // Nor is what was forgotten good when the issuer gives no answer.
    played.set(Next::Says(YES));
    assert_eq!(outcome(&verifier, "stale").await, "good");
    verifier.forget("stale");
    played.set(Next::Unreachable);
    assert_eq!(
        outcome(&verifier, "stale").await,
        "the issuer is out of reach"
    );
}

#[tokio::test]
async fn a_revocation_is_not_lost_when_another_token_is_forgotten_meanwhile() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played
        .verifier(&clock)
        .stale_if_error(Duration::from_secs(600))
        .build()
        .unwrap();
    assert_eq!(outcome(&verifier, "t").await, "good");
    clock.advance(60);
    played.set(Next::SaysLater(NO));
    let mut asked = verifier.verify("t", &any_request());
    assert!((&mut asked).now_or_never().is_none());
    verifier.forget("another");
    assert!(matches!(asked.await, Err(VerifyError::Revoked)));
    played.set(Next::Unreachable);
    let down = "the issuer is out of reach";
    assert_eq!(outcome(&verifier, "t").await, down);

    // Silence is no refusal, and what was found out afterwards stands.
    played.set(Next::Says(YES));
    clock.advance(1);
    assert_eq!(outcome(&verifier, "t").await, "good");
    clock.advance(60);
    played.set(Next::SaysLater(""));
    let mut asked = verifier.verify("t", &any_request());
    assert!((&mut asked).now_or_never().is_none());
    verifier.forget("another");
    assert!(asked.await.is_ok(), "it is stale");
    played.set(Next::Unreachable);
    assert_eq!(outcome(&verifier, "t").await, "good", "still");
    clock.advance(5);
    played.set(Next::SaysLater(NO));
    let mut asked = verifier.verify("t", &any_request());
    assert!((&mut asked).now_or_never().is_none());
    verifier.forget("t");
    clock.advance(1);
    played.set(Next::Says(YES));
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert!(matches!(asked.await, Err(VerifyError::Revoked)));
    assert!(
        verifier
            .verify("t", &any_request())
            .into_ready()
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn a_revocation_is_noticed_although_a_question_was_under_way() {
    let clock = TestClock::new();
    for (ttl, seconds, expected, calls) in [
        (0, 0, "good", 1),
        (0, 1, "revoked", 2),
        (0, 4, "revoked", 2),
        (3, 3, "good", 1),
        (3, 4, "revoked", 2),
    ] {
        let played = Played::new(Next::SaysLater(YES));
        let verifier = played
            .verifier(&clock)
            .cache_ttl(Duration::from_secs(ttl))
            .build()
            .unwrap();
        hang_up(&verifier, "t");
        played.set(Next::Says(NO));
        clock.advance(seconds);
        let context = format!("{seconds} seconds, remembered for {ttl}");
        assert_eq!(outcome(&verifier, "t").await, expected, "{context}");
        assert_eq!(played.calls(), calls, "{context}");
    }
}

#[tokio::test]
async fn what_is_forgotten_is_forgotten_by_the_policy() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played.verifier(&clock).build().unwrap();
    let policy =
        TokenOrigins::introspection(verifier.clone(), OriginsClaim::array("allowed-origins"))
            .build()
            .unwrap();
    let request = http::Request::get("/").header(header::AUTHORIZATION, "Bearer t");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    assert!(policy.authenticate(&parts).await.is_ok());
    played.set(Next::Says(NO));
    assert!(policy.authenticate(&parts).await.is_ok());
    verifier.forget("t");
    assert!(matches!(
        policy.authenticate(&parts).await,
        Err(VerifyError::Revoked)
    ));
}

/// Counts how often it is asked.
#[derive(Clone, Debug)]
struct Counted {
    verifier: IntrospectionVerifier,
    calls: Arc<AtomicUsize>,
}

impl Counted {
    fn new(verifier: IntrospectionVerifier) -> Self {
        let calls = Arc::default();
        Self { verifier, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl TokenVerifier for Counted {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify(token, request)
    }

    fn epoch(&self) -> u64 {
        self.verifier.epoch()
    }
}

#[tokio::test]
async fn a_stale_token_is_remembered_by_the_policy() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played.verifier(&clock).cache_ttl(Duration::ZERO);
    let verifier = verifier
        .stale_if_error(Duration::from_secs(3600))
        .build()
        .unwrap();
    let counted = Counted::new(verifier);
    let policy =
        TokenOrigins::introspection(counted.clone(), OriginsClaim::array("allowed-origins"))
            .build()
            .unwrap();
    let request = http::Request::get("/").header(header::AUTHORIZATION, "Bearer t");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    assert!(policy.authenticate(&parts).await.is_ok());
    played.set(Next::Unreachable);
    // The policy reads the machine's clock: for that one, what is stale is so for half an hour.
    clock.advance(1800);
    for _ in 0..50 {
        assert!(policy.authenticate(&parts).await.is_ok());
    }
    assert_eq!(counted.calls(), 2);
}

#[tokio::test]
async fn a_client_that_panics_gives_no_answer() {
    let clock = TestClock::new();
    let played = Played::new(Next::Panic);
    let verifier = played.verifier(&clock).build().unwrap();
    let panicked = "the client of the issuer panicked";
    assert_eq!(outcome(&verifier, "t").await, panicked);
    played.set(Next::Says(YES));
    clock.advance(1);
    assert_eq!(outcome(&verifier, "t").await, "good");
}

#[tokio::test]
async fn a_dead_issuer_is_not_asked_with_every_request() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let closed = played.verifier(&clock).build().unwrap();
    let stale = played
        .verifier(&clock)
        .stale_if_error(Duration::from_secs(600))
        .build()
        .unwrap();
    assert_eq!(outcome(&closed, "t").await, "good");
    assert_eq!(outcome(&stale, "t").await, "good");
    played.set(Next::Unreachable);
    clock.advance(60);
    for _ in 0..50 {
        assert_eq!(outcome(&closed, "t").await, "the issuer is out of reach");
    }
    assert_eq!(played.calls(), 3);
    for _ in 0..50 {
        let token = stale.verify("t", &any_request()).await.unwrap();
        // So that whoever else remembers tokens remembers this one.
        let soon = clock.now() + Duration::from_secs(5);
        assert_eq!(token.freshness(), Some(soon));
    }
    assert_eq!(played.calls(), 4);

    clock.advance(1);
    assert_eq!(outcome(&closed, "t").await, "the issuer is out of reach");
    assert_eq!(outcome(&stale, "t").await, "good");
    assert_eq!(played.calls(), 5);
    clock.advance(4);
    assert_eq!(outcome(&stale, "t").await, "good");
    assert_eq!(played.calls(), 6);
    // Failures do not prolong what may be stale: 660 seconds after the answer it is over.
    for seconds in (70..=665).step_by(5) {
        clock.advance(5);
        assert_eq!(
            stale.verify("t", &any_request()).await.is_ok(),
            seconds < 660,
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn a_known_token_is_good_while_too_many_questions_are_under_way() {
    let clock = TestClock::new();
    let exp = clock.unix() + 62;
    let good: &'static str = json!({"active": true, "exp": exp}).to_string().leak();
    let played = Played::new(Next::Says(good));
    let verifier = played
        .verifier(&clock)
        .max_outstanding(1)
        .stale_if_error(Duration::from_secs(600))
        .build()
        .unwrap();
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(outcome(&verifier, "another good one").await, "good");
    clock.advance(60);
    played.set(Next::Never);
    // Each takes the one place of its kind.
    let waiting = ["garbage", "another good one"]
        .map(|token| tokio::spawn(verifier.verify(token, &any_request())));
    while played.calls() < 4 {
        tokio::task::yield_now().await;
    }
    let token = verifier.verify("t", &any_request()).await.unwrap();
    assert_eq!(
        token.freshness(),
        Some(clock.now() + Duration::from_secs(1))
    );
    let full = "too many questions to the issuer are under way";
    assert_eq!(outcome(&verifier, "unknown").await, full);
    clock.advance(2);
    assert_eq!(outcome(&verifier, "t").await, full);
    assert_eq!(played.calls(), 4);
    waiting.iter().for_each(|waiting| waiting.abort());
}

#[test]
fn settings_have_bounds() {
    use IntrospectionConfigError::*;
    let builder = || IntrospectionVerifier::builder(Played::default());
    let seconds = Duration::from_secs;
    let longest = builder()
        .refusal_ttl(seconds(10))
        .cache_ttl(seconds(3600))
        .stale_if_error(seconds(3600));
    assert!(longest.build().is_ok());
    for (builder, error, text) in [
        (
            builder().refusal_ttl(seconds(11)),
            RefusalTtl(seconds(11)),
            "refusal_ttl: 11s: at most 10s, so that a token that becomes good is soon accepted",
        ),
        (
            builder().cache_ttl(seconds(3601)),
            CacheTtl(seconds(3601)),
            "cache_ttl: 3601s: at most 1h, because a revocation is noticed as late as this",
        ),
        (
            builder().stale_if_error(seconds(3601)),
            StaleIfError(seconds(3601)),
            "stale_if_error: 3601s: at most 1h, because no revocation is noticed meanwhile",
        ),
        (
            builder().leeway(seconds(301)),
            Rules(ClaimRuleError::Leeway(seconds(301))),
            "leeway: 301s: at most 5min; set the clocks by NTP",
        ),
        (
            builder().max_outstanding(0),
            MaxOutstanding,
            "max_outstanding: 0: at least 1, or no token can be verified",
        ),
        (
            builder().max_refused_per_second(0),
            MaxRefusedPerSecond,
            "max_refused_per_second: 0: at least 1, or a few bad tokens stop all others",
        ),
    ] {
        let refused = builder.build().unwrap_err();
        assert_eq!(refused.iter().collect::<Vec<_>>(), [&error]);
        assert_eq!(refused.to_string(), text);
    }
}

#[tokio::test]
async fn no_token_and_no_secret_is_printed_or_logged() {
    let log = crate::support::issuer::log::capture();
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "exp": 1}"#)).await;
    let client = introspection(&issuer);
    let verifier = IntrospectionVerifier::builder(client.clone())
        .build()
        .unwrap();
    let future = verifier.verify("T0KEN", &any_request());
    let mut printed = format!("{verifier:?} {client:?} {future:?}");
    let error = future.await.unwrap_err();
    printed += &format!("{error} {error:?} {verifier:?}");
    issuer.stop().await;
    let error = verifier
        .verify("T0KEN-2", &any_request())
        .await
        .unwrap_err();
    printed += &format!("{error} {error:?} {}", log.text());
    for secret in ["T0KEN", "s3cr3t", "Basic b", "czNjcjN0"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(log.text().contains("the log is listened to"));
    for shown in [
        "IntrospectionVerifier { shared: Shared { client: ReqwestIntrospectionClient",
        "budget: FailureBudget { price: 10ms, .. }",
        "renewals: SingleFlight { limit: 64, .. }",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
}

/// Garbage uses up the budget, and then all places, while tokens that were good come again.
#[tokio::test]
async fn garbage_does_not_lock_out_tokens_that_were_good() {
    let clock = TestClock::new();
    let played = Played::new(Next::Says(YES));
    let verifier = played.verifier(&clock).max_outstanding(4).build().unwrap();
    for n in 0..50 {
        assert_eq!(outcome(&verifier, &format!("good-{n}")).await, "good");
    }
    clock.advance(60);
    played.set(Next::Says(NO));
    let mut refused = 0;
    while outcome(&verifier, &format!("garbage-{refused}")).await == "revoked" {
        refused += 1;
    }
    played.set(Next::Says(YES));
    for n in 0..25 {
        assert_eq!(
            outcome(&verifier, &format!("good-{n}")).await,
            "good",
            "{n}"
        );
    }
    // A failure to get an answer does not make them unknown.
    clock.advance(60);
    played.set(Next::Unreachable);
    let down = "the issuer is out of reach";
    assert_eq!(outcome(&verifier, "good-0").await, down);
    clock.advance(1);
    played.set(Next::Says(NO));
    while outcome(&verifier, &format!("garbage-{refused}")).await == "revoked" {
        refused += 1;
    }
    played.set(Next::Says(YES));
    assert_eq!(outcome(&verifier, "good-0").await, "good");

    // Places: garbage that the issuer never answers takes all of its own.
    clock.advance(600);
    played.set(Next::Never);
    let waiting: Vec<_> = (0..4)
        .map(|n| tokio::spawn(verifier.verify(&format!("waiting-{n}"), &any_request())))
        .collect();
    let calls = played.calls();
    while played.calls() < calls + 4 {
        tokio::task::yield_now().await;
    }
    let full = "too many questions to the issuer are under way";
    assert_eq!(outcome(&verifier, "another").await, full);
    played.set(Next::Says(YES));
    assert_eq!(outcome(&verifier, "good-1").await, "good");
    waiting.iter().for_each(|waiting| waiting.abort());

    // One that is not good any more has to be asked about like others.
    clock.advance(60);
    played.set(Next::Says(NO));
    assert_eq!(outcome(&verifier, "good-1").await, "revoked");
}

#[tokio::test]
async fn a_token_that_was_good_and_is_inactive_after_its_exp_has_expired() {
    let clock = TestClock::new();
    let issuer = Issuer::start(Answer::json("{}")).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let good = || {
        Answer::json(format!(
            r#"{{"active": true, "exp": {}}}"#,
            clock.unix() + 90
        ))
    };
    let inactive = || Answer::json(r#"{"active": false}"#);
    issuer.set(good());
    assert_eq!(outcome(&verifier, "t").await, "good");
    assert_eq!(outcome(&verifier, "revoked in time").await, "good");
    clock.advance(89);
    issuer.set(inactive());
    assert_eq!(outcome(&verifier, "revoked in time").await, "revoked");
    clock.advance(1);
    for _ in 0..3 {
        assert_eq!(outcome(&verifier, "t").await, "expired");
        assert_eq!(outcome(&verifier, "revoked in time").await, "revoked");
        assert_eq!(outcome(&verifier, "never seen").await, "revoked");
        clock.advance(6);
    }
    verifier.forget("t");
    assert_eq!(outcome(&verifier, "t").await, "revoked");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors = IntrospectionVerifier::builder(Played::default())
        .cache_ttl(Duration::from_secs(3601))
        .leeway(Duration::from_secs(301))
        .max_outstanding(0)
        .build()
        .unwrap_err();
    assert_eq!(errors.len(), 3);
    let lines = "leeway: 301s: at most 5min; set the clocks by NTP\n\
                 cache_ttl: 3601s: at most 1h, because a revocation is noticed as late as this\n\
                 max_outstanding: 0: at least 1, or no token can be verified";
    assert_eq!(errors.to_string(), lines);
}
