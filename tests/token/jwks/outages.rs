//! An issuer that is slow, down or broken.

use super::*;

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
