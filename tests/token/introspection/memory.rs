//! What is remembered, and for how long.

use super::*;

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
