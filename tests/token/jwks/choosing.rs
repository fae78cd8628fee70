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

/// A document may bind some of its keys to an issuer, as those of Microsoft Entra do. A key that is
/// bound to none must not sign for the issuer of another.
#[tokio::test]
async fn an_unbound_key_does_not_sign_for_the_issuer_of_another_key() {
    const A: &str = "https://a.example";
    const B: &str = "https://b.example";
    const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";
    const TENANT_1: &str = "https://login.example/t1/v2.0";
    let clock = TestClock::new();
    let token = |kid: &str, pem: &[u8], iss: &Value, tid: Option<&str>| {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        let mut claims = json!({"exp": clock.unix() + 10_000_000, "tid": tid});
        if !iss.is_null() {
            claims["iss"] = iss.clone();
        }
        let key = EncodingKey::from_rsa_pem(pem).unwrap();
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let cases = [
        (A, None, "bound", json!(A), None, true),
        (A, None, "unbound", json!(A), None, false),
        (A, None, "unbound", json!([A]), None, false),
        (A, None, "unbound", json!(B), None, true),
        (A, None, "unbound", json!(null), None, true),
        (TEMPLATE, None, "bound", json!(TENANT_1), Some("t1"), true),
        (
            TEMPLATE,
            None,
            "unbound",
            json!(TENANT_1),
            Some("t1"),
            false,
        ),
        // The holder of the key writes the tenant, too.
        (TEMPLATE, None, "unbound", json!(TENANT_1), None, false),
        (
            TEMPLATE,
            None,
            "unbound",
            json!(TENANT_1),
            Some("t2"),
            false,
        ),
        (TEMPLATE, None, "unbound", json!(A), None, true),
        (
            TEMPLATE,
            Some(TENANT_1),
            "unbound",
            json!(TENANT_1),
            Some("t1"),
            false,
        ),
        // Both keys are of the only issuer that is accepted.
        (A, Some(A), "bound", json!(A), None, true),
        (A, Some(A), "unbound", json!(A), None, true),
        (A, Some(A), "unbound", json!(B), None, false),
        (A, Some(B), "unbound", json!(B), None, true),
    ];
    // A key that is left out, as one for encryption is, still says whose issuer it is.
    let uses = ["sig", "enc"].into_iter();
    let cases = uses.flat_map(|usage| cases.clone().map(|case| (usage, case)));
    for (usage, (bound, accepted, kid, iss, tid, is_good)) in cases {
        if (usage, kid) == ("enc", "bound") {
            continue;
        }
        let played = Played::default();
        played.set(Played::keys(&[
            jwk(RSA, json!({"kid": "bound", "issuer": bound, "use": usage})),
            jwk(OTHER_RSA, json!({"kid": "unbound"})),
        ]));
        let mut builder = JwksVerifier::builder(played)
            .dangerously_any_audience()
            .clock(clock.clone());
        if let Some(accepted) = accepted {
            builder = builder.issuer(accepted);
        }
        let pem = if kid == "bound" { RSA } else { OTHER_RSA };
        let verifier = builder.build().unwrap();
        let result = verifier
            .verify(&token(kid, pem, &iss, tid), &any_request())
            .await;
        let case = format!("{usage} {bound} {accepted:?} {kid} {iss} {tid:?}: {result:?}");
        assert_eq!(result.is_ok(), is_good, "{case}");
        let is_of_issuer = matches!(result, Err(VerifyError::WrongIssuer(_)));
        assert!(is_good || is_of_issuer, "{case}");
        if (bound, accepted, kid, &iss) == (A, None, "unbound", &json!(A)) {
            assert_eq!(
                result.unwrap_err().to_string(),
                "the token is of another issuer: its iss is \"https://a.example\", expected one \
                 that no other key is bound to, since its key is bound to none",
            );
        }
    }
}
