//! What a minted token says, and what cannot be minted.

use super::*;

#[test]
fn a_token_says_everything_that_it_should() {
    let key = key(JwtAlgorithm::Rs256).x5t("NSI_kW85rqLLCtU15uigCh1NV_c");
    let minter = TokenMinter::builder(key, "https://id.example", "chat")
        .clock(Stopped(at(NOW)))
        .build()
        .unwrap();
    let token = minter.mint(&order().claim("asi", "session-7")).unwrap();
    let (header, claims) = decoded(&token);
    assert_eq!(
        header,
        json!({
            "typ": "JWT", "alg": "RS256", "kid": "2026-11", "x5t": "NSI_kW85rqLLCtU15uigCh1NV_c",
        })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "https://id.example", "aud": "chat", "nbf": NOW, "iat": NOW, "exp": NOW + 3600,
            "jti": token.id(), "ao": "https://contoso.com;https://litware.com", "asi": "session-7",
        })
    );
    assert_eq!(token.expiry(), at(NOW + 3600));
    assert_eq!(token.as_str(), token.jwt());
    // 128 bits, another time others.
    assert_eq!(URL_SAFE_NO_PAD.decode(token.id()).unwrap().len(), 16);
    let ids: HashSet<String> = (0..100)
        .map(|_| minter.mint(&order()).unwrap().id().to_owned())
        .collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn the_claim_and_the_lifetime_are_as_configured() {
    let minter = builder()
        .claim(OriginsClaim::array("allowed-origins"))
        .lifetime(Duration::from_secs(60))
        .clock(Stopped(at(NOW)))
        .build()
        .unwrap();
    let (_, claims) = decoded(&minter.mint(&order()).unwrap());
    assert_eq!(claims["allowed-origins"], json!([PAGE, OTHER]));
    assert_eq!(claims["exp"], NOW + 60);
    let eight_hours = order().lifetime(TokenMinter::MAX_LIFETIME);
    assert_eq!(
        decoded(&minter.mint(&eight_hours).unwrap()).1["exp"],
        NOW + 8 * 3600
    );

    let most = 8 * 3600;
    for lifetime in [0, most + 1, u64::MAX] {
        let refused = minter.mint(&order().lifetime(Duration::from_secs(lifetime)));
        assert_eq!(refused.unwrap_err(), MintError::Lifetime { most });
    }
    let single = builder()
        .claim(OriginsClaim::single("azp"))
        .build()
        .unwrap();
    let refused = single.mint(&order()).unwrap_err();
    assert_eq!(refused, MintError::Format(FormatError::Several(2)));
}

#[test]
fn what_the_minter_sets_cannot_be_replaced() {
    let minter = builder().build().unwrap();
    for name in ["iss", "aud", "nbf", "iat", "exp", "jti", "ao"] {
        let refused = minter.mint(&order().claim(name, "x")).unwrap_err();
        assert_eq!(refused, MintError::ReservedClaim(name.to_owned()));
    }
    let long = order().claim("x", "y".repeat(TokenMinter::MAX_TOKEN_LEN));
    assert_eq!(minter.mint(&long).unwrap_err(), MintError::TooLong);
    let before_time = builder()
        .clock(Stopped(UNIX_EPOCH - Duration::from_secs(1)))
        .build()
        .unwrap();
    assert_eq!(before_time.mint(&order()).unwrap_err(), MintError::Clock);
}

#[test]
fn a_minter_that_could_not_work_is_not_built() {
    use MinterConfigError as E;

    let key = || key(JwtAlgorithm::EdDsa);
    let mistakes = |built: Result<TokenMinter, MinterConfigErrors>| -> Vec<E> {
        built.unwrap_err().into_iter().collect()
    };
    let claim = |claim| mistakes(builder().claim(claim).build());
    for wrong in [
        OriginsClaim::delimited("ao", '.'),
        OriginsClaim::array("exp"),
        OriginsClaim::array("").pointer("/a/b"),
        OriginsClaim::array("a").json_text(),
    ] {
        assert!(matches!(claim(wrong)[..], [E::Claim(_)]));
    }
    for seconds in [0, 8 * 3600 + 1] {
        let built = builder().lifetime(Duration::from_secs(seconds)).build();
        assert_eq!(mistakes(built), [E::Lifetime { seconds }]);
    }
    // All of them at once.
    let errors = TokenMinter::builder(key(), "", "")
        .lifetime(Duration::ZERO)
        .build()
        .unwrap_err();
    assert_eq!(errors.len(), 3);
    let errors: Vec<E> = errors.into_iter().collect();
    assert_eq!(errors, [E::Issuer, E::Audience, E::Lifetime { seconds: 0 }]);
    // The session's claim is written by the minter, so it must not be one that says something else.
    for name in ["", "exp", "ao"] {
        let revocations = Revocations::builder(10).session_claim(name).build();
        let built = builder().revocations(revocations).build();
        assert_eq!(mistakes(built), [E::SessionClaim(name.to_owned())]);
    }
    // Two lists would each know half of what is revoked.
    let index = IssuedIndex::new(10);
    let built = builder()
        .index(index.clone())
        .revocations(Revocations::new(10))
        .build();
    assert_eq!(mistakes(built), [E::Revocations]);
    let same = index.revocations().clone();
    assert!(builder().index(index).revocations(same).build().is_ok());
    let from_pem = |pem: &str, algorithm| SigningKey::from_pem(pem.as_bytes(), algorithm, "k");
    assert!(from_pem("", JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(RSA, JwtAlgorithm::Es256).is_err());
    assert!(from_pem(P_256, JwtAlgorithm::Es384).is_err());
    assert!(from_pem(P_384, JwtAlgorithm::Es256).is_err());
    assert!(from_pem(ED25519, JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(include_str!("../../data/rsa.pub.pem"), JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(RSA, JwtAlgorithm::Hs256).is_err());
    assert!(SigningKey::from_pem(RSA.as_bytes(), JwtAlgorithm::Rs256, "").is_err());
}

#[test]
fn no_secret_is_printed() {
    let minter = builder().build().unwrap();
    let token = minter.mint(&order()).unwrap();
    let order = order().session("of-a-person").claim("email", "a@b.example");
    let printed = format!("{token:?} {minter:?} {:?} {order:?}", builder());
    assert!(printed.contains("email") && printed.contains("session_len: Some(11)"));
    assert!(printed.contains(token.id()));
    for shown in [
        "TokenMinter { key: SigningKey { algorithm: EdDsa, kid: \"2026-11\", x5t: None, .. }",
        "TokenMinterBuilder { key: SigningKey { algorithm: EdDsa",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
    let signature = token.jwt().rsplit('.').next().unwrap();
    let body = ED25519.lines().nth(1).unwrap();
    for secret in [
        token.as_str(),
        token.jwt(),
        signature,
        body,
        "of-a-person",
        "a@b.example",
    ] {
        assert!(!printed.contains(secret));
    }
}
