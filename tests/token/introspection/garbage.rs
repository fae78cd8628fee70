//! Texts that are no tokens of the issuer, in bulk.

use super::*;

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
