//! An issuer that is slow, down or broken.

use super::*;

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
