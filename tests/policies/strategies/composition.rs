//! Strategies combined, and what lookups cost.

use super::*;

#[test]
fn the_first_strategy_that_answers_wins() {
    let clock = TestClock::new();
    let index = clock.index(10);
    index.register(&clock.token("a", &[EVIL], 100)).unwrap();
    let lists = projects();
    let by_key = Arc::new(UrlKey::new(project_of, move |key| lists.get(key).cloned()));
    let policy = token_policy().with_preflight(by_key.fallback(index));
    let ask = |uri: &'static str, page: &'static str| {
        ask_both(&policy, listed, move || {
            preflight(uri, page, "authorization")
        })
        .status
    };
    assert_eq!(ask("/api/one", PAGE), 204);
    // The key's list leaves it out, so that the index is not asked.
    assert_eq!(ask("/api/one", EVIL), 403);
    assert_eq!(ask("/other", EVIL), 204);
    assert_eq!(ask("/other", PAGE), 403);
}

#[test]
fn lookups_allocate_nothing() {
    let clock = TestClock::new();
    let issued = clock.index(1000);
    let union = UnionIndex::new(1000);
    for n in 0..100 {
        let page = format!("https://p{n}.example");
        issued
            .register(&clock.token(&n.to_string(), &[&page], 100).session("s"))
            .unwrap();
        let family = format!("https://*.f{n}.example");
        union
            .set(&n.to_string(), [pattern(&page), pattern(&family)])
            .unwrap();
    }
    issued.revoke("7").unwrap();
    let (known, unknown, family) = (
        origin("https://p9.example"),
        origin(EVIL),
        origin("https://a.f9.example"),
    );
    let counted = allocation_counter::measure(|| {
        assert!(issued.contains(&known) && !issued.contains(&unknown));
        let token = TokenIdentity::new().session("s");
        let is_revoked = |id| issued.revocations().is_revoked(&token.id(id));
        assert!(is_revoked("7") && !is_revoked("8"));
        assert!(union.contains(&known) && union.contains(&family) && !union.contains(&unknown));
    });
    assert_eq!(counted.count_total, 0);
}
