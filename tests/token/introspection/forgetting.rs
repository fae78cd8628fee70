//! Tokens that are withdrawn while they are remembered or asked about.

use super::*;

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
