//! [`UnionIndex`]: the lists of all tenants.

use super::*;

#[test]
fn union_index_knows_that_somebody_trusts_the_origin() {
    let index = UnionIndex::new(10);
    index
        .set("one", [pattern(PAGE), pattern("https://*.contoso.com")])
        .unwrap();
    index.set("two", [pattern(PAGE)]).unwrap();
    let policy = token_policy().with_preflight(index.clone());
    let long = |b| listed(b).max_age(Duration::from_secs(600));
    let ask =
        |page: &'static str| ask_both(&policy, long, move || preflight("/", page, "authorization"));
    assert_eq!(ask(PAGE), passed(PAGE, Some("60")));
    assert_eq!(
        ask("https://a.contoso.com"),
        passed("https://a.contoso.com", Some("60"))
    );
    assert_eq!(
        ask(EVIL),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );

    // The layer has the index, not a copy of it.
    index.remove("one");
    assert_eq!(ask(PAGE).status, 204);
    assert_eq!(ask("https://a.contoso.com").status, 403);
    index.remove("two");
    assert_eq!(ask(PAGE).status, 403);

    // The page's preflight passed; its request is judged by itself.
    index.set("two", [pattern(EVIL)]).unwrap();
    assert_eq!(ask(EVIL).status, 204);
    let answer = ask_both(&policy, long, || {
        actual("/", EVIL, &[(header::AUTHORIZATION, "Bearer good")])
    });
    assert_eq!(answer, refused("origin", DenialKind::OriginNotAllowed));
}

#[test]
fn union_index_is_bounded() {
    let index = UnionIndex::new(2);
    index
        .set("one", [pattern(PAGE), pattern(PAGE), pattern(OTHER)])
        .unwrap();
    let error = index.set("two", [pattern(EVIL)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the index is full: it holds at most 2 entries"
    );
    assert!(index.contains(&origin(PAGE)) && !index.contains(&origin(EVIL)));
    let endless = (1_u16..).map(|port| pattern(&format!("http://localhost:{port}0")));
    assert!(index.set("one", endless).is_err());
    assert_eq!(index.len(), 2);
}

/// As a plain policy, or as the fallback of a token's, it would let one tenant's pages read another
/// tenant's data.
#[test]
fn union_index_is_no_judge_of_requests() {
    let index = UnionIndex::new(10);
    index.set("one", [pattern(PAGE)]).unwrap();
    let answer = ask_both(&index, listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
    let behind_a_token = Arc::new(token_policy().fallback(index));
    let answer = ask_both(&behind_a_token, listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
}

/// The index is one for all tenants, so the entry of one must not take credentials from another.
#[test]
fn union_index_gives_no_credentials_to_origins_that_are_listed_at_their_peril() {
    let risky = ["http://shop.example", "https://*.github.io", "app://*"];
    let index = UnionIndex::new(10);
    index.set("careless", risky.map(pattern)).unwrap();
    index
        .set("careful", [pattern(PAGE), pattern("https://*.contoso.com")])
        .unwrap();
    let all = || [("careless", risky.map(pattern).to_vec())];
    let credentials = |index: &UnionIndex, page: &'static str| {
        let policy = token_policy().with_preflight(index.clone());
        let passed = ask_both(&policy, with_credentials, || {
            preflight("/", page, "authorization")
        });
        assert_eq!(passed.header("access-control-allow-origin"), Some(page));
        passed.header("access-control-allow-credentials").is_some()
    };
    for page in [PAGE, "https://a.contoso.com"] {
        assert!(credentials(&index, page), "{page}");
    }
    for (page, with_http, with_strangers) in [
        ("http://shop.example", true, false),
        ("https://evil.github.io", false, true),
        ("app://evil", false, true),
    ] {
        assert!(!credentials(&index, page), "{page}");
        let http = index.clone().dangerously_allow_insecure_origins();
        assert_eq!(credentials(&http, page), with_http, "{page}");
        let strangers = index.clone().dangerously_allow_public_suffixes();
        assert_eq!(credentials(&strangers, page), with_strangers, "{page}");
    }
    index.replace_all(all()).unwrap();
    assert!(!credentials(&index, "https://evil.github.io"));
    assert!(!index.contains(&origin(PAGE)));
    index.remove("careless");
    assert!(!index.contains(&origin("https://evil.github.io")));
}

/// An origin of one tenant passes the preflight of a request for another tenant's data. If that request
/// is only denied by what its answer lacks, it has run by then, with the user's cookies.
#[test]
fn an_index_of_all_lists_needs_refusal() {
    let clock = TestClock::new();
    let union = || UnionIndex::new(10);
    let issued = || clock.index(10);
    let policies: [Arc<dyn OriginPolicy>; 4] = [
        Arc::new(set(&[PAGE]).with_preflight(union())),
        Arc::new(set(&[PAGE]).with_preflight(set(&[EVIL]).fallback(issued()))),
        Arc::new(set(&[PAGE]).fallback(union())),
        Arc::new(token_policy().with_preflight(issued())),
    ];
    for policy in policies {
        let text = format!("{policy:?}");
        let layer = || {
            CorsLayer::builder()
                .origin_policy(Arc::clone(&policy))
                .allow_credentials(true)
                .allow_methods(["PUT"])
        };
        let forwards = layer().denied_requests(DeniedRequests::Forward).build();
        assert_eq!(
            reasons(forwards),
            [BroadPreflightReason::Forwards],
            "{text}"
        );
        let refuses = layer().denied_requests(DeniedRequests::Refuse).build();
        assert!(refuses.is_ok(), "{text}: {refuses:?}");
    }
}
