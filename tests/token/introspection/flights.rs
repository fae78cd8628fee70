//! Many requests at once, and clients that hang up.

use super::*;

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
