//! Threats that concern every strategy.

use super::*;

#[test]
fn t04_an_optimistic_preflight_never_opens_cookies() {
    for policy in [
        Arc::new(token_policy().with_preflight(Optimistic::new())) as Arc<dyn OriginPolicy>,
        Arc::new(BearerOr::new(set(&[PAGE]))),
    ] {
        let layer = listed(CorsLayer::builder())
            .origin_policy(policy)
            .build()
            .unwrap();
        let answer = ask(&layer, preflight("/", EVIL, "authorization"));
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        // Even if the request comes: the judgement is enforced before the inner service runs.
        let cookie = [(header::COOKIE, "session=1")];
        assert!(!ask(&layer, actual("/", EVIL, &cookie)).ran);
    }
}

#[test]
fn t07_no_cache_keeps_an_answer_to_a_preflight() {
    let clock = TestClock::new();
    let issued = clock.index(10);
    issued.register(&clock.token("a", &[PAGE], 100)).unwrap();
    let union = UnionIndex::new(10);
    union.set("one", [pattern(PAGE)]).unwrap();
    let policies: [Arc<dyn OriginPolicy>; 5] = [
        Arc::new(issued),
        Arc::new(union),
        Arc::new(UrlKey::new(
            |_| Some("one"),
            |key| projects().get(key).cloned(),
        )),
        Arc::new(split()),
        Arc::new(Optimistic::new()),
    ];
    for policy in policies {
        let text = format!("{policy:?}");
        // The other policy does not ask for it.
        let policy = policy_fn(|_| Verdict::Abstain).with_preflight(policy);
        for (page, status) in [(PAGE, 204), ("null", 403)] {
            let answer = ask_both(&Arc::new(policy.clone()), listed, || {
                preflight("/", page, "")
            });
            assert_eq!(answer.status, status, "{text} {page}");
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{text} {page}"
            );
        }
    }
}

#[test]
fn t08_no_answer_outlives_what_it_was_made_from() {
    let clock = TestClock::new();
    let issued = clock.index(10);
    issued.register(&clock.token("a", &[PAGE], 7)).unwrap();
    let union = UnionIndex::new(10);
    union.set("one", [pattern(PAGE)]).unwrap();
    let union = union.max_age_at_most(Duration::from_secs(9));
    let key = UrlKey::new(|_| Some("one"), |key| projects().get(key).cloned());
    let key = key.max_age_at_most(Duration::from_secs(3));
    let policies: [(Arc<dyn OriginPolicy>, &str); 4] = [
        (Arc::new(issued.clone()), "7"),
        (Arc::new(union), "9"),
        (Arc::new(key), "3"),
        (
            Arc::new(issued.clone().max_age_at_most(Duration::ZERO)),
            "0",
        ),
    ];
    for (policy, expected) in policies {
        let policy = token_policy().with_preflight(policy);
        let day = |b| listed(b).max_age(Duration::from_secs(86_400));
        let answer = ask_both(&policy, day, || preflight("/", PAGE, ""));
        assert_eq!(
            answer.header("access-control-max-age"),
            Some(expected),
            "{policy:?}"
        );
    }
    // A token about to expire also where the layer says nothing, and browsers take 5 seconds.
    clock.wait(6);
    let policy = token_policy().with_preflight(issued);
    let answer = ask_both(&policy, listed, || preflight("/", PAGE, ""));
    assert_eq!(answer, passed(PAGE, Some("1")));
}

/// A registry that fails closed after some seconds was right for no longer than that.
#[cfg(feature = "trusted")]
#[test]
fn t08_no_answer_outlives_the_staleness_that_a_registry_allows() {
    use tower_cors::trusted::{
        entry::{Actor, OriginDraft, Scope},
        registry::OriginRegistry,
        replica::{Replica, WhenStale},
        store::{EmbeddedStore, OriginStore},
    };

    let store = EmbeddedStore::in_memory();
    let draft = OriginDraft::new("Contoso", PAGE, Scope::Cors).unwrap();
    run(store.create(draft, Actor::new("admin").unwrap())).unwrap();
    let after = |millis| WhenStale::FailClosedAfter(Duration::from_millis(millis));
    for (when_stale, configured, expected) in [
        (after(10_000), Some(600), Some("10")),
        (after(10_000), Some(7), Some("7")),
        // Browsers take 5 seconds where nothing is said.
        (after(10_000), None, None),
        (after(3_000), None, Some("3")),
        // Whole seconds, rounded down.
        (after(2_999), Some(600), Some("2")),
        (after(999), Some(600), Some("0")),
        (after(0), Some(600), Some("0")),
        (after(60_000), Some(600), Some("60")),
        (after(86_400_000), Some(600), Some("60")),
        (
            WhenStale::FailClosedAfter(Duration::MAX),
            Some(600),
            Some("60"),
        ),
        (WhenStale::KeepLast, Some(600), Some("60")),
    ] {
        // Its clock stands still: it is as fresh as it was when it was loaded.
        let origins = OriginRegistry::with_clock(TestClock::new());
        run(Replica::new(store.clone(), origins.clone(), when_stale).load_once()).unwrap();
        let configure = |builder| match configured {
            Some(seconds) => listed(builder).max_age(Duration::from_secs(seconds)),
            None => listed(builder),
        };
        for answer in [
            ask_both(&origins, configure, || preflight("/", PAGE, "")),
            ask_both(&BearerOr::new(origins.clone()), configure, || {
                preflight("/", PAGE, "")
            }),
        ] {
            let found = answer.header("access-control-max-age");
            assert_eq!(found, expected, "{when_stale:?} {configured:?}");
        }
    }
}

#[test]
fn t09_a_passed_preflight_is_no_state() {
    // A preflight passed on the strength of one token; the request carries another one.
    let clock = TestClock::new();
    let index = clock.index(10);
    index
        .register(&clock.token("a", &[PAGE, OTHER], 100))
        .unwrap();
    let layer = listed(CorsLayer::builder())
        .origin_policy(token_policy().with_preflight(index))
        .build()
        .unwrap();
    assert_eq!(
        ask(&layer, preflight("/", OTHER, "authorization")).status,
        204
    );
    for token in ["Bearer good", "Bearer other"] {
        let answer = ask(
            &layer,
            actual("/", OTHER, &[(header::AUTHORIZATION, token)]),
        );
        assert_eq!(answer, refused("origin", DenialKind::OriginNotAllowed));
    }
    let good = [(header::AUTHORIZATION, "Bearer good")];
    assert!(ask(&layer, actual("/", PAGE, &good)).ran);
}

#[test]
fn t13_an_unknown_key_looks_like_a_refused_one() {
    let lists = projects();
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let policy = UrlKey::new(project_of, move |key| {
        seen.lock().unwrap().push(key.to_owned());
        lists.get(key).cloned()
    });
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let long = format!("/api/{}", "x".repeat(UrlKey::MAX_KEY_LEN + 1));
    for page in [EVIL, "null"] {
        let known = ask(&layer, preflight("/api/one", page, ""));
        let known_actual = ask(&layer, actual("/api/one", page, &[]));
        for unknown in ["/api/none", "/api/", "/api/%6fne", &long] {
            let answer = ask(&layer, preflight(unknown, page, ""));
            assert_eq!(answer.seen(), known.seen(), "{unknown}");
            let answer = ask(&layer, actual(unknown, page, &[]));
            assert_eq!(answer.seen(), known_actual.seen(), "{unknown}");
        }
    }
    // Nothing boundless reaches the lookup.
    let keys = keys.lock().unwrap();
    assert!(keys.iter().all(|key| key.len() <= UrlKey::MAX_KEY_LEN));
}

#[test]
fn t13_every_strategy_refuses_alike() {
    let refuse = policy_fn(|_| Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)));
    let policies: [Arc<dyn OriginPolicy>; 5] = [
        Arc::new(refuse),
        Arc::new(UnionIndex::new(1)),
        Arc::new(TestClock::new().index(1)),
        Arc::new(DenyPreflights),
        Arc::new(UrlKey::new(|_| Some("none"), |_| None::<OriginSet>)),
    ];
    for policy in policies {
        let text = format!("{policy:?}");
        let policy = token_policy().with_preflight(policy);
        for page in [EVIL, "null"] {
            let answer = ask_both(&policy, listed, || preflight("/", page, "authorization"));
            assert_eq!(
                answer.seen(),
                refused(PREFLIGHT_VARY, DenialKind::NoPolicy).seen(),
                "{text}"
            );
        }
    }
}
