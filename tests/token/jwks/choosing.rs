//! Which key verifies a token.

use super::*;

#[tokio::test]
async fn keys_are_chosen_by_their_names_and_used_with_their_algorithm() {
    let clock = TestClock::new();
    let keys = [
        jwk(
            RSA,
            json!({"kid": "k", "x5t": "sha1", "x5t#S256": "sha256"}),
        ),
        jwk(OTHER_RSA, json!({"kid": "ps", "alg": "PS256"})),
        jwk(OTHER_RSA, json!({"kid": "enc", "use": "enc"})),
        json!({"kty": "oct", "kid": "secret", "k": "AAAA"}),
        jwk(OTHER_RSA, json!({"kid": "k"})),
    ];
    let issuer = Issuer::start(set(&keys)).await;
    let trap = Issuer::start(set(&[jwk(OTHER_RSA, json!({"kid": "theirs"}))])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let pinned = "its alg is not its key's";
    for (header, pem, expected) in [
        (json!({"kid": "k"}), RSA, "good"),
        (json!({"x5t#S256": "sha256"}), RSA, "good"),
        (json!({"x5t": "sha1"}), RSA, "good"),
        (json!({"kid": "k"}), OTHER_RSA, "its signature is wrong"),
        (json!({"kid": "other", "x5t": "sha1"}), RSA, UNKNOWN),
        (json!({}), RSA, UNKNOWN),
        (json!({"kid": "ps"}), OTHER_RSA, pinned),
        (json!({"kid": "ps", "alg": "PS256"}), OTHER_RSA, "good"),
        (json!({"kid": "k", "alg": "RS512"}), RSA, pinned),
        (json!({"kid": "enc"}), OTHER_RSA, UNKNOWN),
        (json!({"kid": "secret"}), RSA, UNKNOWN),
        // Whoever writes a token does not say where its key is.
        (
            json!({"kid": "theirs", "jku": trap.url("/keys")}),
            OTHER_RSA,
            UNKNOWN,
        ),
        (
            json!({"kid": "theirs", "x5u": trap.url("/keys")}),
            OTHER_RSA,
            UNKNOWN,
        ),
        (
            json!({"kid": "theirs", "jwk": jwk(OTHER_RSA, json!({}))}),
            OTHER_RSA,
            UNKNOWN,
        ),
    ] {
        let token = sign(header.clone(), pem, &clock);
        assert_eq!(outcome(&verifier, &token).await, expected, "{header}");
    }
    assert_eq!(trap.calls(), 0);
    let status = verifier.status();
    assert_eq!((status.keys, status.left_out), (2, 3));
    assert_eq!(issuer.last().path, "/keys");
}

#[tokio::test]
async fn a_token_may_mean_the_only_key_of_its_algorithm_where_that_is_chosen() {
    let clock = TestClock::new();
    let only = "none of the issuer's keys can verify a token";
    let unnamed = || jwk(RSA, json!({"use": "sig"}));
    let others = || {
        [
            jwk(OTHER_RSA, json!({"alg": "PS256"})),
            jwk(OTHER_RSA, json!({"kid": "enc", "use": "enc"})),
        ]
    };
    let [ps256, encryption] = others();
    for (keys, header, expected, by_default) in [
        (vec![unnamed()], json!({}), "good", only),
        (vec![unnamed()], json!({"kid": "new"}), UNKNOWN, only),
        (vec![unnamed()], json!({"alg": "RS512"}), UNKNOWN, only),
        (vec![old()], json!({}), "good", UNKNOWN),
        (vec![old()], json!({"kid": "new"}), UNKNOWN, UNKNOWN),
        (vec![unnamed(), ps256], json!({}), "good", only),
        (vec![encryption, unnamed()], json!({}), "good", only),
        (vec![unnamed(), old()], json!({}), UNKNOWN, UNKNOWN),
        (
            vec![unnamed(), new()],
            json!({"kid": "new"}),
            "its signature is wrong",
            "its signature is wrong",
        ),
        (vec![new()], json!({}), "its signature is wrong", UNKNOWN),
    ] {
        let issuer = Issuer::start(set(&keys)).await;
        let token = sign(header.clone(), RSA, &clock);
        let chosen = builder(&issuer, &clock).accept_unnamed_key();
        for (builder, expected) in [(chosen, expected), (builder(&issuer, &clock), by_default)] {
            let verifier = builder.build().unwrap();
            assert_eq!(
                outcome(&verifier, &token).await,
                expected,
                "{header} {keys:?}"
            );
        }
    }
}
