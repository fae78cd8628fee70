//! Many requests at once, and clients that hang up.

use super::*;

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
