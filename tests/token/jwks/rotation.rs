//! Keys that come, change and go.

use super::*;

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
    let ec = EncodingKey::from_ec_pem(include_bytes!("../../data/p-256.pem")).unwrap();
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
