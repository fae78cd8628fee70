//! Preflights of minted tokens, and what revokes them.

use super::*;

#[tokio::test]
async fn the_url_token_answers_first_and_the_index_where_there_is_none() {
    let key = key(JwtAlgorithm::EdDsa);
    let index = IssuedIndex::new(100);
    let minter = builder().index(index.clone()).build().unwrap();
    let token = minter
        .mint(&order().session("s").lifetime(Duration::from_secs(600)))
        .unwrap();
    let other = AllowedOrigins::parse_request(EVIL, SEMICOLONS, &IssueRules::new()).unwrap();
    let elsewhere = minter.mint(&TokenOrder::new(other)).unwrap();

    let layer = layer(in_both(&key).with_preflight(in_url(&key).fallback(index.clone())));
    let discover = format!("/discover?anonymousContext={}", token.to_query_value(2));

    // The token in the URL judges its preflight, for as long as it lives.
    let outcome = send(&layer, preflight(&discover, PAGE)).await;
    assert_eq!(
        (outcome.status, outcome.origin.as_deref()),
        (204, Some(PAGE))
    );
    assert!(
        outcome
            .max_age
            .is_some_and(|age| (590..=600).contains(&age)),
        "{outcome:?}"
    );
    // Another token lists this one, and yet it is not asked.
    let outcome = send(&layer, preflight(&discover, EVIL)).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));

    // Without one in the URL, some live token has to name the page.
    for page in [PAGE, OTHER, EVIL] {
        let outcome = send(&layer, preflight("/messages", page)).await;
        assert_eq!((outcome.status, outcome.max_age), (204, Some(60)), "{page}");
    }
    let outcome = send(&layer, preflight("/messages", "https://unknown.example")).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));

    // Revoked, by session or by id.
    index.revoke_session("s").unwrap();
    for page in [PAGE, OTHER] {
        let outcome = send(&layer, preflight("/messages", page)).await;
        assert_eq!(
            outcome,
            refused(403, DenialKind::OriginNotAllowed),
            "{page}"
        );
    }
    index.revoke(elsewhere.id()).unwrap();
    assert_eq!(send(&layer, preflight("/messages", EVIL)).await.status, 403);
    let again = minter.mint(&order().session("s")).unwrap_err();
    assert_eq!(again, MintError::Revoked);
}

#[tokio::test]
async fn a_page_can_read_that_its_token_in_a_header_has_expired() {
    for (ago, status, denial) in [
        // Still good, by the leeway.
        (10, 200, None),
        (60, 401, Some(DenialKind::ExpiredToken)),
        (600, 401, Some(DenialKind::ExpiredToken)),
    ] {
        let past = Past::new();
        let token = past.mint_expired(ago);
        past.set(0);
        past.index.purge();
        let passed = send(&past.layer, preflight("/", PAGE)).await;
        let expected = (204, Some(PAGE), Some(0));
        assert_eq!(
            (passed.status, passed.origin.as_deref(), passed.max_age),
            expected,
            "{ago}"
        );
        let outcome = send(&past.layer, actual("/", PAGE, Some(&token))).await;
        assert_eq!(
            (outcome.status, outcome.origin.as_deref(), outcome.denial),
            (status, Some(PAGE), denial),
            "{ago}"
        );
        let other = send(&past.layer, preflight("/", EVIL)).await;
        assert_eq!(other, refused(403, DenialKind::OriginNotAllowed));
        // It is no live one, and not for ever.
        assert!(!past.index.contains(&PAGE.parse::<Origin>().unwrap()));
        past.clock.0.fetch_add(65 * 60, Ordering::SeqCst);
        let over = send(&past.layer, preflight("/", PAGE)).await;
        assert_eq!(over, refused(403, DenialKind::OriginNotAllowed));
        past.index.purge();
        assert!(past.index.is_empty());
    }
}

#[test]
fn a_token_that_cannot_be_registered_is_not_handed_out() {
    // A token with a list of two takes three entries, another one with the same list takes one.
    let index = IssuedIndex::new(4);
    let minter = builder().index(index.clone()).build().unwrap();
    minter.mint(&order()).unwrap();
    minter.mint(&order()).unwrap();
    let full = minter.mint(&order()).unwrap_err();
    assert_eq!(full, MintError::Index(RegisterError::Full { limit: 4 }));
    assert_eq!(index.len(), 4);
    let rules = IssueRules::new().entries(ListRules::new().wildcards());
    let wild = AllowedOrigins::parse_request("https://*.contoso.com", SEMICOLONS, &rules).unwrap();
    assert_eq!(
        minter.mint(&TokenOrder::new(wild.clone())).unwrap_err(),
        MintError::Wildcard
    );
    assert!(
        builder()
            .build()
            .unwrap()
            .mint(&TokenOrder::new(wild))
            .is_ok()
    );
    // An order that cannot be filled leaves nothing behind.
    assert!(minter.mint(&order().claim("exp", 1)).is_err());
    assert_eq!(index.len(), 4);
    assert!(index.contains(&PAGE.parse::<Origin>().unwrap()));
}

#[tokio::test]
async fn t09_one_tokens_preflight_does_not_carry_anothers_request() {
    let key = key(JwtAlgorithm::EdDsa);
    let index = IssuedIndex::new(100);
    let minter = builder().index(index.clone()).build().unwrap();
    let one = minter.mint(&order()).unwrap();
    let other = AllowedOrigins::parse_request(EVIL, SEMICOLONS, &IssueRules::new()).unwrap();
    let other = minter.mint(&TokenOrder::new(other)).unwrap();
    let layer = layer(in_header(&key).with_preflight(index));
    // The browser keeps the answer for URL and origin, whatever token comes next.
    assert_eq!(send(&layer, preflight("/", EVIL)).await.status, 204);
    let outcome = send(&layer, actual("/", EVIL, Some(&one))).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));
    assert_eq!(
        send(&layer, actual("/", EVIL, Some(&other))).await,
        granted(EVIL, "none")
    );
}

#[tokio::test]
async fn t17_a_preflight_of_one_token_does_not_admit_two() {
    let key = key(JwtAlgorithm::EdDsa);
    let minter = builder().build().unwrap();
    let (one, two) = (
        minter.mint(&order()).unwrap(),
        minter.mint(&order()).unwrap(),
    );
    let layer = layer(in_both(&key));
    let uri = format!("/?anonymousContext={}", one.to_query_value(2));
    assert_eq!(send(&layer, preflight(&uri, PAGE)).await.status, 204);
    let outcome = send(&layer, actual(&uri, PAGE, Some(&two))).await;
    assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    // The same token twice is one token.
    assert_eq!(
        send(&layer, actual(&uri, PAGE, Some(&one))).await,
        granted(PAGE, "none")
    );
}
