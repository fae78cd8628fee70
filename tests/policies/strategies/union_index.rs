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
