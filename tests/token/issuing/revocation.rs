//! What is revoked is refused, by the preflight and by the request.

use super::*;

#[tokio::test]
async fn a_revoked_token_is_refused_where_it_is_presented() {
    let key = key(JwtAlgorithm::EdDsa);
    let revocations = Revocations::builder(100).session_claim("asi").build();
    let index = IssuedIndex::sharing(100, &revocations);
    let minter = builder().index(index.clone()).build().unwrap();
    let mint = |session: &str| minter.mint(&order().session(session)).unwrap();
    let (one, two, three) = (mint("s"), mint("s"), mint("t"));
    let revocable = Revocable::new(verifier(&key), revocations);
    let policy = TokenOrigins::builder()
        .verifier(revocable)
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(index.clone()));
    let good = [(&one, "s"), (&two, "s"), (&three, "t")];
    for (token, session) in good {
        let outcome = send(&layer, actual("/", PAGE, Some(token))).await;
        assert_eq!(outcome, granted(PAGE, session));
    }
    let revoked = refused(401, DenialKind::InvalidToken);
    index.revoke(one.id()).unwrap();
    assert_eq!(send(&layer, actual("/", PAGE, Some(&one))).await, revoked);
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&two))).await,
        granted(PAGE, "s")
    );
    // Another replica hears of it.
    let replica = IssuedIndex::new(100);
    replica.revoke_session("s").unwrap();
    index.merge(&replica.changes_since(IssuedCursor::default()));
    assert_eq!(send(&layer, actual("/", PAGE, Some(&two))).await, revoked);
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&three))).await,
        granted(PAGE, "t")
    );
}

#[tokio::test]
async fn what_was_revoked_stays_so_when_it_has_expired() {
    // Within the leeway, in which it would be granted; and then, when its 401 could be read.
    for ago in [0, 10, 25, 60, 300, 600] {
        for by_session in [false, true] {
            let past = Past::new();
            let token = past.mint_expired(ago);
            if by_session {
                past.index.revoke_session("s").unwrap()
            } else {
                past.index.revoke(token.id()).unwrap()
            };
            past.set(0);
            past.index.purge();
            let outcome = send(&past.layer, actual("/", PAGE, Some(&token))).await;
            let expected = refused(401, DenialKind::InvalidToken);
            assert_eq!(outcome, expected, "{ago} {by_session}");
        }
    }
}

#[tokio::test]
async fn a_revocation_is_heeded_at_once_and_costs_the_others_nothing() {
    let index = IssuedIndex::new(100);
    let key = key(JwtAlgorithm::EdDsa);
    let minter = builder().index(index.clone()).build().unwrap();
    let mint = || minter.mint(&order().claim("asi", "s")).unwrap();
    let (one, two) = (mint(), mint());
    let verifications = Arc::new(AtomicUsize::new(0));
    let counting = Counting(verifier(&key), Arc::clone(&verifications));
    let policy = TokenOrigins::builder()
        .verifier(Arc::new(Revocable::new(counting, index.clone())))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(index.clone()));
    for _ in 0..3 {
        for token in [&one, &two] {
            let outcome = send(&layer, actual("/", PAGE, Some(token))).await;
            assert_eq!(outcome, granted(PAGE, "s"));
        }
    }
    index.revoke(one.id()).unwrap();
    for _ in 0..3 {
        let outcome = send(&layer, actual("/", PAGE, Some(&one))).await;
        assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
        let outcome = send(&layer, actual("/", PAGE, Some(&two))).await;
        assert_eq!(outcome, granted(PAGE, "s"));
    }
    assert_eq!(verifications.load(Ordering::SeqCst), 2);
}

/// Step 5 of the guide, to the letter: what is minted for a session and revoked with it is refused,
/// by its preflight *and* by its request.
#[tokio::test]
async fn a_session_that_is_revoked_is_over_for_preflights_and_requests() {
    let key = key(JwtAlgorithm::EdDsa);
    let revocations = Revocations::new(10_000);
    let issued = IssuedIndex::sharing(100_000, &revocations);
    let minter = builder().index(issued.clone()).build().unwrap();
    let policy = TokenOrigins::builder()
        .verifier(Revocable::new(verifier(&key), revocations.clone()))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(issued));
    let token = minter.mint(&order().session("7")).unwrap();
    let (_, claims) = decoded(&token);
    assert_eq!(claims["sid"], "7");
    assert_eq!(send(&layer, preflight("/", PAGE)).await.status, 204);
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&token))).await.status,
        200
    );

    revocations.revoke_session("7").unwrap();
    let closed = send(&layer, preflight("/", PAGE)).await;
    assert_eq!(closed, refused(403, DenialKind::OriginNotAllowed));
    let outcome = send(&layer, actual("/", PAGE, Some(&token))).await;
    assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    assert_eq!(
        minter.mint(&order().session("7")).unwrap_err(),
        MintError::Revoked
    );
}

/// A session may be written as a claim by hand; readers see no difference.
#[test]
fn a_session_written_as_a_claim_is_one() {
    let revocations = Revocations::builder(10).session_claim("asi").build();
    let issued = IssuedIndex::sharing(10, &revocations);
    let minter = builder().index(issued.clone()).build().unwrap();
    minter.mint(&order().claim("asi", 7)).unwrap();
    assert!(!issued.is_empty());
    revocations.revoke_session("7").unwrap();
    assert!(issued.is_empty());
    assert_eq!(
        minter.mint(&order().claim("asi", 7)).unwrap_err(),
        MintError::Revoked
    );
    let twice = order().session("8").claim("asi", "9");
    assert_eq!(
        minter.mint(&twice).unwrap_err(),
        MintError::ReservedClaim("asi".to_owned())
    );
}

/// A verifier that finds every token good, whose text is its claims.
#[derive(Debug)]
struct Believing;

impl TokenVerifier for Believing {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(believed(token)))
    }
}

fn believed(claims: &str) -> VerifiedToken {
    let claims = Claims::parse(claims.as_bytes()).unwrap();
    let expiry = claims.get("exp").and_then(Value::as_u64);
    let token = VerifiedToken::new(claims);
    match expiry {
        Some(expiry) => token.expires_at(at(expiry)),
        None => token,
    }
}

/// Whether the token is good: when it is verified, and when it is remembered.
fn is_good(verifier: &Revocable<Believing>, claims: &Value) -> bool {
    let (request, text) = (Request::new(()), claims.to_string());
    let verified = verifier
        .verify(&text, &TokenRequest::from(&request))
        .into_ready();
    match verified.unwrap() {
        Err(VerifyError::UnmetRequirement(_)) => false,
        result => {
            let is_revoked = verifier.is_revoked(&believed(&text));
            assert_eq!(result.is_ok(), !is_revoked, "{claims}");
            !is_revoked
        }
    }
}

#[test]
fn ids_are_compared_as_scalars() {
    let revocations = Revocations::new(10);
    let verifier = Revocable::new(Believing, revocations.clone());
    for claims in [
        json!({"jti": 7}),
        json!({"jti": "x", "sid": 8}),
        json!({"sid": 8.0}),
    ] {
        assert!(is_good(&verifier, &claims));
    }
    revocations.revoke("7").unwrap();
    revocations.revoke_session("8").unwrap();
    for claims in [
        json!({"jti": 7}),
        json!({"jti": "7"}),
        json!({"jti": "x", "sid": 8}),
        json!({"jti": "x", "sid": "8"}),
        json!({"sid": 8.0}),
    ] {
        assert!(!is_good(&verifier, &claims), "{claims}");
    }
    assert!(is_good(&verifier, &json!({"jti": 8, "sid": 7})));
}

/// One layer of revocations around another: what either has revoked is over, also for those who
/// remember that the token was good.
#[test]
fn the_inner_verifiers_revocations_are_heeded() {
    let (inner, outer) = (Revocations::new(10), Revocations::new(10));
    let both = Revocable::new(Revocable::new(Believing, inner.clone()), outer.clone());
    let request = Request::new(());
    let is_good = |id: &str| {
        let text = json!({"jti": id}).to_string();
        let verified = both
            .verify(&text, &TokenRequest::from(&request))
            .into_ready();
        let is_revoked = both.is_revoked(&believed(&text));
        assert_eq!(verified.unwrap().is_ok(), !is_revoked, "{id}");
        !is_revoked
    };
    assert!(is_good("1") && is_good("2"));
    inner.revoke("1").unwrap();
    outer.revoke("2").unwrap();
    assert!(!is_good("1") && !is_good("2") && is_good("3"));
}

#[test]
fn what_nothing_could_revoke_is_refused_unless_told_otherwise() {
    let revocations = Revocations::new(10);
    let strict = Revocable::new(Believing, revocations.clone());
    let lenient = Revocable::new(Believing, revocations.clone()).dangerously_accept_irrevocable();
    for claims in [
        json!({}),
        json!({"jti": "", "sid": null}),
        json!({"jti": ["7"], "sid": {}}),
        json!({"jti": "x".repeat(257)}),
    ] {
        assert!(!is_good(&strict, &claims), "{claims}");
        // Also where another layer has verified it.
        assert!(strict.is_revoked(&believed(&claims.to_string())));
        assert!(is_good(&lenient, &claims), "{claims}");
    }
    // Its time revokes it all the same.
    revocations.revoke_issued_until(at(NOW));
    assert!(!is_good(&lenient, &json!({"iat": NOW})));
    assert!(is_good(&lenient, &json!({"iat": NOW + 1})));
    assert!(!is_good(&lenient, &json!({})));
}

/// No revocation is ever lost for want of room: everything issued until then is revoked instead.
#[tokio::test]
async fn a_full_list_revokes_more_and_never_less() {
    let key = key(JwtAlgorithm::EdDsa);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let clock = Moving(Arc::new(AtomicU64::new(now)));
    let revocations = Revocations::builder(2).clock(clock.clone()).build();
    let issued = IssuedIndex::sharing(100, &revocations);
    let minter = builder()
        .clock(clock.clone())
        .index(issued.clone())
        .build()
        .unwrap();
    let policy = TokenOrigins::builder()
        .verifier(Revocable::new(verifier(&key), revocations.clone()))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(issued.clone()));
    let tokens: Vec<_> = (0..4).map(|_| minter.mint(&order()).unwrap()).collect();
    // Of another replica, so that nothing is known of them here.
    for id in ["a", "b"] {
        revocations.revoke(id).unwrap();
    }
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&tokens[0])))
            .await
            .status,
        200
    );
    assert_eq!(revocations.issued_until(), None);
    revocations.revoke(tokens[0].id()).unwrap();
    for token in &tokens {
        let outcome = send(&layer, actual("/", PAGE, Some(token))).await;
        assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    }
    assert!(issued.is_empty());
    assert_eq!(revocations.issued_until(), Some(clock.now()));
    for id in ["a", "b"] {
        let identity = TokenIdentity::new().id(id).issued_at(clock.now());
        assert!(revocations.is_revoked(&identity), "{id}");
    }
    // What is issued from here on is good, in the same second, too.
    let next = minter.mint(&order()).unwrap();
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&next))).await.status,
        200
    );
    assert_eq!(send(&layer, preflight("/", PAGE)).await.status, 204);
}

/// However many tokens fill the index, a revocation has its place.
#[test]
fn a_full_index_keeps_no_revocation_out() {
    let revocations = Revocations::new(10);
    let issued = IssuedIndex::sharing(2, &revocations);
    let minter = builder().index(issued.clone()).build().unwrap();
    let one = TokenOrder::new(parse(PAGE).unwrap());
    minter.mint(&one).unwrap();
    assert!(matches!(
        minter.mint(&one),
        Err(MintError::Index(RegisterError::Full { .. }))
    ));
    let replica = IssuedIndex::new(10);
    replica.revoke("of another replica").unwrap();
    replica.revoke_session("7").unwrap();
    let merged = issued.merge(&replica.changes_since(IssuedCursor::default()));
    assert_eq!((merged.revoked, merged.refused), (2, 0));
    let verifier = Revocable::new(Believing, revocations);
    assert!(!is_good(&verifier, &json!({"jti": "of another replica"})));
    assert!(!is_good(&verifier, &json!({"jti": "x", "sid": "7"})));
}

/// A clock that is ahead for a while purges nothing that matters when it has been set back.
#[test]
fn a_clock_that_is_ahead_revives_nothing() {
    let clock = Moving(Arc::new(AtomicU64::new(NOW)));
    for max_entries in [1, 2, 100] {
        clock.0.store(NOW, Ordering::SeqCst);
        let revocations = Revocations::builder(max_entries)
            .clock(clock.clone())
            .build();
        let issued = IssuedIndex::sharing(3, &revocations);
        let verifier = Revocable::new(Believing, revocations.clone());
        let register = |id: &str| {
            let origin: Origin = PAGE.parse().unwrap();
            let expiry = clock.now() + Duration::from_secs(3600);
            issued.register(&Issued::new(id, [origin], expiry))
        };
        register("known").unwrap();
        issued.revoke("known").unwrap();
        revocations.revoke("unknown").unwrap();
        revocations.revoke_session("session").unwrap();
        clock.0.fetch_add(40 * 24 * 3600, Ordering::SeqCst);
        for id in ["a", "b", "c", "d"] {
            // Places run out: for the tokens, or for the revocations, which then revoke everybody.
            assert!(matches!(
                register(id),
                Ok(()) | Err(RegisterError::Full { .. } | RegisterError::Revoked)
            ));
            revocations.revoke(&format!("{id}, ahead")).unwrap();
        }
        issued.purge();
        revocations.purge();
        clock.0.store(NOW + 60, Ordering::SeqCst);
        for id in ["known", "unknown", "session"] {
            let dated = json!({"jti": id, "sid": id, "iat": NOW - 60, "exp": NOW + 3540});
            assert!(!is_good(&verifier, &dated), "{max_entries} {id}");
            // Also a token that does not say when it was issued.
            let undated = json!({"jti": id, "sid": id, "exp": NOW + 3600});
            assert!(!is_good(&verifier, &undated), "{max_entries} {id}");
        }
    }
}

/// Replicas of two versions understand each other.
#[test]
#[cfg(feature = "serde")]
fn fields_of_a_newer_version_are_passed_over() {
    let here = Revocations::new(10);
    here.revoke("1").unwrap();
    here.revoke_session("7").unwrap();
    here.revoke_issued_until(at(NOW));
    let changes = here.changes_since(ChangeCursor::default());
    let mut json = serde_json::to_value(&changes).unwrap();
    let same: RevocationChanges = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(same, changes);
    json["of_a_newer_version"] = json!([1]);
    json["revocations"][0]["reason"] = json!("stolen");
    // An older one says less.
    json["revocations"][1]
        .as_object_mut()
        .unwrap()
        .remove("since");
    json.as_object_mut().unwrap().remove("next");
    let there = Revocations::new(10);
    let changes: RevocationChanges = serde_json::from_value(json).unwrap();
    assert_eq!(there.merge(&changes), 2);
    assert_eq!(there.merge(&changes), 0);
    let verifier = Revocable::new(Believing, there);
    for claims in [
        json!({"jti": "1", "iat": NOW + 10}),
        json!({"sid": "7", "iat": NOW + 10}),
        json!({"jti": "2", "iat": NOW}),
    ] {
        assert!(!is_good(&verifier, &claims), "{claims}");
    }
    assert!(is_good(&verifier, &json!({"jti": "2", "iat": NOW + 10})));
}

/// A replica of a newer version may revoke by what this one does not know. It revokes more then, and
/// takes over the rest.
#[test]
#[cfg(feature = "serde")]
fn revocations_of_a_newer_version_fail_closed() {
    let clock = Moving(Arc::new(AtomicU64::new(NOW)));
    let list = || Revocations::builder(10).clock(clock.clone()).build();
    let here = list();
    for id in ["1", "2", "3"] {
        here.revoke(id).unwrap();
    }
    let changes = here.changes_since(ChangeCursor::default());
    let with = |kind: Value, since: Option<u64>| {
        let mut json = serde_json::to_value(&changes).unwrap();
        json["revocations"][1]["revoked"] = kind;
        let secs = |secs| json!({"secs_since_epoch": secs, "nanos_since_epoch": 0});
        json["revocations"][1]["since"] = since.map_or(Value::Null, secs);
        serde_json::from_value::<RevocationChanges>(json).unwrap()
    };
    for (kind, since, until) in [
        (
            json!({"issuer": "https://id.example"}),
            Some(NOW - 5),
            NOW - 5,
        ),
        (json!({"user": {"id": 7}}), Some(NOW), NOW),
        // A kind that needs no more words.
        (json!("everything"), Some(NOW - 5), NOW - 5),
        (json!({"everything": null}), Some(NOW - 5), NOW - 5),
        (json!({"user": [7]}), None, NOW),
        // From the future, as where its clock is ahead: what is issued later stays good.
        (json!({"user": [7]}), Some(NOW + 500), NOW),
    ] {
        let there = list();
        let changes = with(kind.clone(), since);
        assert_eq!(there.merge(&changes), 2, "{kind}");
        assert_eq!(there.issued_until(), Some(at(until)), "{kind}");
        let is_revoked = |id, issued| {
            let token = TokenIdentity::new().id(id).issued_at(at(issued));
            there.is_revoked(&token)
        };
        for id in ["1", "3"] {
            assert!(is_revoked(id, NOW + 10), "{kind}");
        }
        assert!(is_revoked("other", until) && !is_revoked("other", until + 1));
        // Merged again later, it revokes nothing more.
        if until == since.unwrap_or(NOW) {
            clock.0.store(NOW + 100, Ordering::SeqCst);
            there.merge(&changes);
            assert_eq!(there.issued_until(), Some(at(until)), "{kind}");
            clock.0.store(NOW, Ordering::SeqCst);
        }
        // It can be handed on, as from a store.
        let json = serde_json::to_string(&changes).unwrap();
        let again = list();
        again.merge(&serde_json::from_str(&json).unwrap());
        assert_eq!(again.issued_until(), Some(at(until)), "{kind}");
    }
}

#[test]
fn changes_come_in_pages_and_survive_a_restart() {
    let (here, there) = (Revocations::new(10_000), Revocations::new(10_000));
    for id in 0..2500 {
        here.revoke(&id.to_string()).unwrap();
    }
    let exchange = |from: &Revocations, mut cursor: ChangeCursor| {
        let mut news = Vec::new();
        loop {
            let changes = from.changes_since(cursor);
            news.push(there.merge(&changes));
            cursor = changes.next;
            if !changes.has_more {
                return (news, cursor);
            }
        }
    };
    let (news, cursor) = exchange(&here, ChangeCursor::default());
    assert_eq!(news, [1024, 1024, 452]);
    here.revoke("new").unwrap();
    let (news, cursor) = exchange(&here, cursor);
    assert_eq!(news, [1]);
    assert_eq!(exchange(&here, cursor).0, [0]);
    // After a restart the numbers begin anew, and a cursor of before is none.
    let restarted = Revocations::new(10_000);
    restarted.revoke("after the restart").unwrap();
    assert_eq!(exchange(&restarted, cursor).0, [1]);
}

/// 40,000 tokens in a session once held the lock for half a minute.
#[test]
fn a_session_of_many_tokens_ends_in_short_steps() {
    const TOKENS: usize = 40_000;
    let issued = IssuedIndex::new(100_000);
    let origin: Origin = PAGE.parse().unwrap();
    let expiry = SystemTime::now() + Duration::from_secs(3600);
    let started = Instant::now();
    for id in 0..TOKENS {
        let token = Issued::new(id.to_string(), [origin.clone()], expiry).session("s");
        issued.register(&token).unwrap();
    }
    assert_eq!(issued.len(), TOKENS + 1);
    // Others go on meanwhile: the longest that one of them waits for the lock.
    let is_over = AtomicBool::new(false);
    let longest = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !is_over.load(Ordering::SeqCst) {
                let asked = Instant::now();
                issued.contains(&origin);
                longest = longest.max(asked.elapsed());
            }
            longest
        });
        issued.revoke_session("s").unwrap();
        is_over.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    assert!(issued.is_empty() && !issued.contains(&origin));
    println!(
        "{TOKENS} tokens: {:?}, longest wait {longest:?}",
        started.elapsed()
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

/// 1,562 tokens of 64 origins once filled an index of 100,000 entries for everybody.
#[test]
fn one_customer_does_not_fill_the_index_for_the_others() {
    let expiry = SystemTime::now() + Duration::from_secs(3600);
    let token = |id: usize, list: usize| {
        let origin = |n| {
            format!("https://o{n}.t{list}.example")
                .parse::<Origin>()
                .unwrap()
        };
        Issued::new(id.to_string(), (0..64).map(origin), expiry)
    };
    // One list counts once.
    let issued = IssuedIndex::new(100_000);
    for id in 0..1562 {
        issued.register(&token(id, 0).tenant("one")).unwrap();
    }
    assert_eq!(issued.len(), 1562 + 64);

    // Lists of their own fill the share of the customer, and nobody else's.
    let issued = IssuedIndex::new(100_000);
    let error = (0..1562).find_map(|id| issued.register(&token(id, id).tenant("one")).err());
    let full = RegisterError::TenantFull {
        tenant: "one".into(),
        limit: 25_000,
    };
    assert_eq!(error, Some(full));
    assert!(issued.len() <= 25_000);
    issued.register(&token(9999, 9999).tenant("two")).unwrap();
    issued.register(&token(9998, 9998)).unwrap();
    // Another share, and a minter that says whose a token is.
    let narrow = IssuedIndex::new(100).max_entries_per_tenant(3);
    let minter = builder().index(narrow).build().unwrap();
    minter.mint(&order().tenant("one")).unwrap();
    let error = minter.mint(&order().tenant("one")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the share of the tenant \"one\" is full: it holds at most 3 entries"
    );
    minter.mint(&order().tenant("two")).unwrap();
}
