//! Readers take what was minted, and nothing else.

use super::*;

#[tokio::test]
async fn tokens_of_every_algorithm_are_read_again() {
    use JwtAlgorithm as A;

    for algorithm in [
        A::Rs256,
        A::Rs384,
        A::Rs512,
        A::Ps256,
        A::Ps384,
        A::Ps512,
        A::Es256,
        A::Es384,
        A::EdDsa,
    ] {
        let key = key(algorithm);
        let minter = TokenMinter::builder(key.clone(), "https://id.example", "chat")
            .prefix("psat=")
            .build()
            .unwrap();
        let token = minter.mint(&order().claim("asi", "session-7")).unwrap();
        let by_header = layer(in_header(&key));
        for page in [PAGE, OTHER] {
            let outcome = send(&by_header, actual("/", page, Some(&token))).await;
            assert_eq!(outcome, granted(page, "session-7"), "{algorithm:?}");
        }
        let outcome = send(&by_header, actual("/", EVIL, Some(&token))).await;
        assert_eq!(
            outcome,
            refused(403, DenialKind::OriginNotAllowed),
            "{algorithm:?}"
        );

        let by_url = layer(in_url(&key));
        for layers in 0..3 {
            let uri = format!(
                "/discover?anonymousContext={}",
                token.to_query_value(layers)
            );
            let outcome = send(&by_url, actual(&uri, PAGE, None)).await;
            assert_eq!(
                outcome,
                granted(PAGE, "session-7"),
                "{algorithm:?} {layers}"
            );
        }
        let thrice = format!("/discover?anonymousContext={}", token.to_query_value(3));
        let outcome = send(&by_url, actual(&thrice, PAGE, None)).await;
        assert_eq!(
            outcome,
            refused(401, DenialKind::InvalidToken),
            "{algorithm:?}"
        );
    }
}

#[test]
fn the_href_has_two_layers_in_lower_case() {
    let token = builder().build().unwrap().mint(&order()).unwrap();
    assert!(token.as_str().starts_with("psat=eyJ"));
    assert_eq!(token.to_query_value(0), token.as_str());
    assert_eq!(token.to_query_value(1), format!("psat%3d{}", token.jwt()));
    assert_eq!(token.to_query_value(2), format!("psat%253d{}", token.jwt()));
}

#[tokio::test]
async fn a_token_for_others_is_not_taken() {
    let minted_by = |issuer: &str, audience: &str| {
        let minter = TokenMinter::builder(key(JwtAlgorithm::EdDsa), issuer, audience);
        minter
            .prefix("psat=")
            .build()
            .unwrap()
            .mint(&order())
            .unwrap()
    };
    let layer = layer(in_header(&key(JwtAlgorithm::EdDsa)));
    for token in [
        minted_by("https://id.example", "mail"),
        minted_by("https://other.example", "chat"),
    ] {
        let outcome = send(&layer, actual("/", PAGE, Some(&token))).await;
        assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    }
}
