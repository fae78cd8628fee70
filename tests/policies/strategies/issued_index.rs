//! [`IssuedIndex`]: the origins of live tokens.

use super::*;

#[test]
fn issued_index_knows_that_a_live_token_names_the_origin() {
    let clock = TestClock::new();
    let index = clock.index(100);
    index
        .register(&clock.token("a", &[PAGE, OTHER], 40))
        .unwrap();
    index.register(&clock.token("b", &[PAGE], 3600)).unwrap();
    let policy = token_policy().with_preflight(index.clone());
    let long = |b| listed(b).max_age(Duration::from_secs(600));
    let ask =
        |page: &'static str| ask_both(&policy, long, move || preflight("/", page, "authorization"));
    // No longer than the last token lives, and never longer than a minute.
    assert_eq!(ask(PAGE), passed(PAGE, Some("60")));
    assert_eq!(ask(OTHER), passed(OTHER, Some("40")));
    assert_eq!(
        ask(EVIL),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    clock.wait(39);
    assert_eq!(ask(OTHER), passed(OTHER, Some("1")));
    // Its page may come to read that it has expired, and no browser keeps the answer.
    clock.wait(1);
    assert_eq!(ask(OTHER), passed(OTHER, Some("0")));
    assert!(!index.contains(&origin(OTHER)) && index.len() == 5);
    let replica = clock.index(100);
    replica.merge(&index.changes_since(IssuedCursor::default()));
    assert_eq!(
        replica.changes_since(IssuedCursor::default()).tokens.len(),
        2
    );
    clock.wait(65 * 60 - 1);
    assert_eq!(ask(OTHER), passed(OTHER, Some("0")));
    clock.wait(1);
    assert_eq!(
        ask(OTHER),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(ask(PAGE).status, 204);
    index.revoke("b").unwrap();
    assert_eq!(
        ask(PAGE),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
}

/// Nobody waits for room that is taken by what has expired.
#[test]
fn issued_index_keeps_expired_tokens_only_while_there_is_room() {
    let clock = TestClock::new();
    let index = clock.index(4);
    index.register(&clock.token("a", &[PAGE], 40)).unwrap();
    index.register(&clock.token("b", &[OTHER], 50)).unwrap();
    let full = index.register(&clock.token("c", &[EVIL], 60));
    assert_eq!(full, Err(RegisterError::Full { limit: 4 }));
    clock.wait(45);
    let replica = clock.index(2);
    replica.register(&clock.token("d", &[EVIL], 60)).unwrap();
    let merged = replica.merge(&index.changes_since(IssuedCursor::default()));
    // The live one does not fit; the expired one is of no account.
    assert_eq!((merged.added, merged.refused), (0, 1));
    index.register(&clock.token("c", &[EVIL], 60)).unwrap();
    assert!(index.contains(&origin(EVIL)) && index.contains(&origin(OTHER)));
    let policy = token_policy().with_preflight(index);
    let status = |page: &'static str| {
        ask_both(&policy, listed, move || {
            preflight("/", page, "authorization")
        })
        .status
    };
    assert_eq!((status(PAGE), status(OTHER)), (403, 204));
}

/// `Issued::new` takes any origin, so nothing has checked whether it may have credentials.
#[test]
fn issued_index_gives_no_credentials_to_origins_that_anybody_on_the_network_can_act_as() {
    let clock = TestClock::new();
    let index = clock.index(100);
    let origins = [
        PAGE,
        "http://localhost:3000",
        "app://-",
        "http://shop.example",
        "file://",
    ];
    index.register(&clock.token("a", &origins, 600)).unwrap();
    let credentials = |index: &IssuedIndex, page: &'static str| {
        let policy = token_policy().with_preflight(index.clone());
        let passed = ask_both(&policy, with_credentials, || {
            preflight("/", page, "authorization")
        });
        assert_eq!(passed.header("access-control-allow-origin"), Some(page));
        passed.header("access-control-allow-credentials").is_some()
    };
    // A setting of this clone: another replica's tokens come by `merge`, too.
    let with_http = index.clone().dangerously_allow_insecure_origins();
    for (page, by_default, by_choice) in [
        (PAGE, true, true),
        ("http://localhost:3000", true, true),
        ("app://-", true, true),
        ("http://shop.example", false, true),
        ("file://", false, false),
    ] {
        assert_eq!(credentials(&index, page), by_default, "{page}");
        assert_eq!(credentials(&with_http, page), by_choice, "{page}");
    }
    let policy = token_policy().with_preflight(index);
    let unlisted = ask_both(&policy, with_credentials, || {
        preflight("/", "http://evil.example", "authorization")
    });
    assert_eq!(unlisted.denial, Some(DenialKind::OriginNotAllowed));
}

#[test]
fn issued_index_is_no_judge_of_requests() {
    let clock = TestClock::new();
    let index = clock.index(100);
    index.register(&clock.token("a", &[PAGE], 40)).unwrap();
    let answer = ask_both(&index, listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
}

#[test]
fn replicas_agree_in_whatever_order_they_merge() {
    let clock = TestClock::new();
    let (one, two, three) = (clock.index(100), clock.index(100), clock.index(100));
    one.register(&clock.token("a", &[PAGE], 100).session("s"))
        .unwrap();
    one.register(&clock.token("b", &[OTHER], 200)).unwrap();
    // Revoked where nobody has heard of them.
    two.revoke_session("s").unwrap();
    three.revoke("b").unwrap();

    let merged = three.merge(&one.changes_since(IssuedCursor::default()));
    let mut expected = Merged::default();
    expected.added = 1;
    assert_eq!(merged, expected);
    assert!(three.contains(&origin(PAGE)) && !three.contains(&origin(OTHER)));
    for _ in 0..2 {
        for (from, to) in [(&two, &three), (&one, &two), (&three, &one), (&two, &one)] {
            to.merge(&from.changes_since(IssuedCursor::default()));
        }
    }
    for index in [&one, &two, &three] {
        assert!(!index.contains(&origin(PAGE)) && !index.contains(&origin(OTHER)));
        let is_revoked = |token| index.revocations().is_revoked(&token);
        let (a, b) = (TokenIdentity::new().id("a"), TokenIdentity::new().id("b"));
        assert!(is_revoked(a.session("s")) && is_revoked(b));
        assert!(!is_revoked(a));
        let again = clock.token("c", &[PAGE], 100).session("s");
        assert_eq!(index.register(&again), Err(RegisterError::Revoked));
    }
    // Nothing is kept for ever.
    clock.wait(2 * 24 * 60 * 60);
    for index in [&one, &two, &three] {
        index.purge();
        index.revocations().purge();
        assert!(index.is_empty() && index.revocations().is_empty());
    }
}

#[test]
fn a_token_may_live_for_a_day() {
    let clock = TestClock::new();
    let index = clock.index(100);
    let day = 24 * 60 * 60;
    let register = |id, life| index.register(&clock.token(id, &[PAGE], life));
    assert_eq!(register("a", day), Ok(()));
    assert_eq!(register("b", day + 1), Err(RegisterError::Lifetime));
}

#[test]
#[cfg(feature = "serde")]
fn changes_travel_as_json() {
    let clock = TestClock::new();
    let (here, there) = (clock.index(100), clock.index(100));
    let token = clock.token("a", &[PAGE], 100).session("s").tenant("t");
    here.register(&token).unwrap();
    here.register(&clock.token("b", &[OTHER], 100)).unwrap();
    here.revoke("b").unwrap();
    let changes = here.changes_since(IssuedCursor::default());
    let json = serde_json::to_string(&changes).unwrap();
    let same: tower_cors::preflight::IssuedChanges = serde_json::from_str(&json).unwrap();
    assert_eq!(same, changes);
    there.merge(&same);
    assert!(there.contains(&origin(PAGE)));
    assert!(
        there
            .revocations()
            .is_revoked(&TokenIdentity::new().id("b"))
    );
    assert_eq!(
        there.changes_since(IssuedCursor::default()).tokens,
        changes.tokens
    );
    // Nothing is told twice.
    let nothing = here.changes_since(changes.next);
    assert!(nothing.tokens.is_empty() && nothing.revocations.revocations.is_empty());
    // Fields of a newer version are passed over.
    let newer = json.replacen(r#"{"id""#, r#"{"newer":[1],"id""#, 1);
    assert_ne!(newer, json);
    assert!(serde_json::from_str::<tower_cors::preflight::IssuedChanges>(&newer).is_ok());
    // Origins are parsed, not believed. One that does not parse, as of a newer version, is left out,
    // and the rest is taken over.
    let strange = json.replace(PAGE, r#"https://contoso.com/","https://litware.com"#);
    let there = clock.index(100);
    let merged = there.merge(&serde_json::from_str(&strange).unwrap());
    assert_eq!((merged.added, merged.refused, merged.left_out), (1, 0, 1));
    assert!(there.contains(&origin(OTHER)) && !there.contains(&origin(PAGE)));
    // A token that is left without any cannot be taken.
    let strange = json.replace(PAGE, "https://contoso.com/");
    let there = clock.index(100);
    let merged = there.merge(&serde_json::from_str(&strange).unwrap());
    assert_eq!((merged.added, merged.refused, merged.left_out), (0, 1, 1));
    assert!(
        there
            .revocations()
            .is_revoked(&TokenIdentity::new().id("b"))
    );
}
