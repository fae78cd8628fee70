//! Keys of every kind, and tokens that ask for more than they get.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower_cors::token::{
    TokenVerifier,
    claim::Claims,
    verify::{
        ClaimRuleError, VerifyError, VerifyResult,
        jwt::{
            JwtAlgorithm, JwtConfigError, JwtKey, JwtKeyError, JwtKeyFault, JwtKeys, JwtVerifier,
            JwtVerifierBuilder,
        },
    },
};

use crate::support::token_request::any_request;
use crate::support::tokens::*;

const ED: &[u8] = include_bytes!("../data/ed25519.pem");
const ED_PUBLIC: &[u8] = include_bytes!("../data/ed25519.pub.pem");
const P256: &[u8] = include_bytes!("../data/p-256.pem");
const P256_PUBLIC: &[u8] = include_bytes!("../data/p-256.pub.pem");
const P384: &[u8] = include_bytes!("../data/p-384.pem");
const P384_PUBLIC: &[u8] = include_bytes!("../data/p-384.pub.pem");
const WEAK_RSA_PUBLIC: &[u8] = include_bytes!("../data/weak_rsa.pub.pem");

fn any_audience() -> JwtVerifierBuilder {
    JwtVerifier::builder().dangerously_any_audience()
}

fn verify(verifier: &JwtVerifier, token: &str) -> VerifyResult {
    verifier.verify(token, &any_request()).into_ready().unwrap()
}

fn only(key: JwtKey) -> JwtVerifier {
    any_audience().key(key.kid("k")).build().unwrap()
}

fn sign_with(algorithm: Algorithm, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some("k".to_owned());
    jsonwebtoken::encode(&header, &claims(LIST), key).unwrap()
}

fn der_of(pem: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(pem).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

#[test]
fn every_algorithm_from_pem_der_and_jwk() {
    let rsa = || EncodingKey::from_rsa_pem(RSA).unwrap();
    for (named, algorithm, key, public) in [
        (JwtAlgorithm::Rs256, Algorithm::RS256, rsa(), RSA_PUBLIC),
        (JwtAlgorithm::Rs384, Algorithm::RS384, rsa(), RSA_PUBLIC),
        (JwtAlgorithm::Rs512, Algorithm::RS512, rsa(), RSA_PUBLIC),
        (JwtAlgorithm::Ps256, Algorithm::PS256, rsa(), RSA_PUBLIC),
        (JwtAlgorithm::Ps384, Algorithm::PS384, rsa(), RSA_PUBLIC),
        (JwtAlgorithm::Ps512, Algorithm::PS512, rsa(), RSA_PUBLIC),
        (
            JwtAlgorithm::Es256,
            Algorithm::ES256,
            EncodingKey::from_ec_pem(P256).unwrap(),
            P256_PUBLIC,
        ),
        (
            JwtAlgorithm::Es384,
            Algorithm::ES384,
            EncodingKey::from_ec_pem(P384).unwrap(),
            P384_PUBLIC,
        ),
        (
            JwtAlgorithm::EdDsa,
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(ED).unwrap(),
            ED_PUBLIC,
        ),
    ] {
        let token = sign_with(algorithm, &key);
        let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, algorithm).unwrap();
        jwk.common.key_id = Some("k".to_owned());
        let jwk = serde_json::to_vec(&jwk).unwrap();
        for (form, public) in [
            ("pem", JwtKey::from_pem(public, named).unwrap()),
            ("der", JwtKey::from_der(&der_of(public), named).unwrap()),
            ("jwk", JwtKey::from_jwk(&jwk).unwrap()),
        ] {
            assert_eq!(public.algorithm(), named, "{form}");
            let verifier = only(public);
            assert!(verify(&verifier, &token).is_ok(), "{named:?} {form}");
            let (head, _) = token.rsplit_once('.').unwrap();
            for broken in [format!("{head}."), format!("{head}.AAAA"), head.to_owned()] {
                assert!(verify(&verifier, &broken).is_err(), "{named:?} {form}");
            }
        }
    }
}

#[test]
fn secrets_have_a_door_of_their_own() {
    let secret = [7; 32];
    let key = JwtKey::dangerously_from_secret(&secret, JwtAlgorithm::Hs256).unwrap();
    let token = sign_with(Algorithm::HS256, &EncodingKey::from_secret(&secret));
    assert!(verify(&only(key), &token).is_ok());
    assert!(JwtKey::dangerously_from_secret(&secret[1..], JwtAlgorithm::Hs256).is_err());
    assert!(JwtKey::dangerously_from_secret(&secret, JwtAlgorithm::Rs256).is_err());
    let jwk = json!({"kty": "oct", "kid": "k", "alg": "HS256", "k": "A".repeat(43)});
    assert!(JwtKey::from_jwk(jwk.to_string().as_bytes()).is_err());
}

#[test]
fn what_is_no_key_is_refused_when_it_is_configured() {
    for (pem, algorithm) in [
        (&b""[..], JwtAlgorithm::Rs256),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            JwtAlgorithm::Rs256,
        ),
        (WEAK_RSA_PUBLIC, JwtAlgorithm::Rs256),
        (ED_PUBLIC, JwtAlgorithm::Rs256),
        (RSA_PUBLIC, JwtAlgorithm::EdDsa),
        (P384_PUBLIC, JwtAlgorithm::Es256),
        (P256_PUBLIC, JwtAlgorithm::Es384),
        (RSA_PUBLIC, JwtAlgorithm::Hs256),
    ] {
        let error = JwtKey::from_pem(pem, algorithm).unwrap_err();
        assert!(matches!(error, JwtKeyError::Key(..)), "{error}");
        assert!(
            JwtKey::from_der(&der_of(pem), algorithm).is_err(),
            "{error}"
        );
    }
    for jwk in [
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "A".repeat(43)}),
        json!({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "n": "!", "e": "AQAB"}),
        json!({"kty": "RSA"}),
        json!([]),
        // A good key with a byte behind it, which the backend would cut off.
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURoA"}),
    ] {
        let error = JwtKey::from_jwk(jwk.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, JwtKeyError::Key(..)), "{jwk}: {error}");
    }
}

/// RFC 5480, section 2.2: both forms are standard. Those of a JWK, and so of all issuers, are not
/// compressed.
#[test]
fn points_are_not_compressed() {
    for (head, point, algorithm) in [
        (
            "3039301306072a8648ce3d020106082a8648ce3d030107032200",
            "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            JwtAlgorithm::Es256,
        ),
        (
            "3046301006072a8648ce3d020106052b81040022033200",
            "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            JwtAlgorithm::Es384,
        ),
    ] {
        let der = bytes_of(&format!("{head}{point}"));
        let error = JwtKey::from_der(&der, algorithm).unwrap_err();
        assert_eq!(fault(error), JwtKeyFault::NotOfAlgorithm, "{algorithm:?}");
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn rsa_jwk() -> Value {
    let key = EncodingKey::from_rsa_pem(RSA).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    serde_json::to_value(jwk).unwrap()
}

#[test]
fn a_set_keeps_what_can_be_used() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut jwk = rsa_jwk();
        change(&mut jwk);
        jwk
    };
    let set = json!({"keys": [
        with(&|jwk| jwk["kid"] = "a".into()),
        with(&|jwk| { jwk["x5t"] = THUMBPRINT.into(); jwk["use"] = "sig".into(); }),
        with(&|jwk| { jwk["x5t#S256"] = "s256".into(); jwk["alg"] = "PS256".into(); }),
        with(&|jwk| { jwk["kid"] = "enc".into(); jwk["use"] = "enc".into(); }),
        with(&|jwk| { jwk["kid"] = "ops".into(); jwk["key_ops"] = json!(["encrypt"]); }),
        with(&|jwk| { jwk["kid"] = "alg".into(); jwk["alg"] = "ES256".into(); }),
        with(&|_| {}),
        {"kty": "future", "kid": "f"},
        1,
    ]});
    let (keys, left_out) = JwtKeys::from_jwk_set(set.to_string().as_bytes()).unwrap();
    assert_eq!((keys.len(), left_out), (3, 6));
    let verifier = any_audience().keys(keys).build().unwrap();
    let is_good = |header: Value| {
        let payload = claims(LIST).to_string();
        verify(&verifier, &sign_raw(&header.to_string(), &payload, RSA)).is_ok()
    };
    assert!(is_good(json!({"alg": "RS256", "kid": "a"})));
    assert!(is_good(json!({"alg": "RS256", "x5t": THUMBPRINT})));
    // The key is there, for another algorithm.
    assert!(!is_good(json!({"alg": "RS256", "x5t#S256": "s256"})));
    assert!(!is_good(json!({"alg": "RS256", "kid": "enc"})));
    assert!(!is_good(json!({"alg": "RS256", "kid": 1})));

    let twice = json!({"keys": [
        with(&|jwk| jwk["kid"] = "a".into()),
        with(&|jwk| jwk["kid"] = "a".into()),
    ]});
    // The first one has the name.
    let (keys, left_out) = JwtKeys::from_jwk_set(twice.to_string().as_bytes()).unwrap();
    assert_eq!((keys.len(), left_out), (1, 1));
    let shared = json!({"keys": [
        with(&|jwk| { jwk["kid"] = "a".into(); jwk["x5t"] = THUMBPRINT.into(); }),
        with(&|jwk| { jwk["kid"] = "b".into(); jwk["x5t"] = THUMBPRINT.into(); }),
    ]});
    // Each can be meant by the other name.
    let (keys, left_out) = JwtKeys::from_jwk_set(shared.to_string().as_bytes()).unwrap();
    assert_eq!((keys.len(), left_out), (2, 0));
    assert!(any_audience().keys(keys).build().is_ok());
    let named = || key().kid("a");
    let twice = JwtKeys::new([named(), named()]).unwrap_err();
    assert_eq!(twice, JwtKeyError::DuplicateKey("a".to_owned()));
    for no_set in ["", "{}", "[]", r#"{"keys": {}}"#] {
        assert!(
            JwtKeys::from_jwk_set(no_set.as_bytes()).is_err(),
            "{no_set}"
        );
    }
}

#[test]
fn a_key_without_a_name_is_an_explicit_choice() {
    let unnamed = || JwtKey::from_pem(RSA_PUBLIC, JwtAlgorithm::Rs256).unwrap();
    let build = |builder: JwtVerifierBuilder| {
        let built = builder.build().map(drop);
        built.map_err(|errors| errors.into_iter().next().unwrap())
    };
    let unnamed_key = || JwtConfigError::Keys(JwtKeyError::UnnamedKey);
    let builder = || any_audience().key(unnamed());
    assert_eq!(build(builder()), Err(unnamed_key()));
    assert_eq!(build(builder().accept_unnamed_key()), Ok(()));
    let two = builder().key(unnamed()).accept_unnamed_key();
    assert_eq!(build(two), Err(unnamed_key()));
    let set = |names: &[&str]| {
        let keys = names.iter().map(|&name| unnamed().kid(name));
        any_audience().keys(JwtKeys::new(keys).unwrap())
    };
    let of_set = set(&["a"]).accept_unnamed_key();
    assert!(verify(&of_set.build().unwrap(), &token(LIST)).is_ok());
    for several in [
        set(&["a", "b"]),
        any_audience()
            .key(unnamed().kid("a"))
            .key(unnamed().kid("b")),
    ] {
        assert_eq!(build(several.clone()), Ok(()));
        let error = build(several.accept_unnamed_key()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "keys: `accept_unnamed_key` is for a single key, and there are 2: leave it out"
        );
    }
    assert_eq!(
        build(set(&[]).accept_unnamed_key()),
        Err(JwtConfigError::MissingKeys)
    );
    assert_eq!(build(any_audience()), Err(JwtConfigError::MissingKeys));
    let single = any_audience().keys(JwtKeys::single(unnamed()));
    assert!(verify(&single.build().unwrap(), &token(LIST)).is_ok());
    let single = JwtKeys::single(unnamed().kid("a"));
    let beside = any_audience().keys(single).key(unnamed().kid("b"));
    assert_eq!(build(beside), Err(JwtConfigError::SeveralKeys(2)));
    let verifier = builder().accept_unnamed_key().build().unwrap();
    assert!(verify(&verifier, &token(LIST)).is_ok());
    let forged = sign(&header(), &claims(LIST), OTHER_RSA);
    assert!(verify(&verifier, &forged).is_err());
}

#[test]
fn what_a_header_asks_for() {
    let verifier = verifier();
    let payload = claims(LIST).to_string();
    let outcome = |header: &str| verify(&verifier, &sign_raw(header, &payload, RSA));
    assert!(outcome(r#"{"alg":"RS256","kid":"key-1"}"#).is_ok());
    for ignored in [
        r#"{"alg":"RS256","kid":"key-1","jku":"https://evil.example/keys"}"#,
        r#"{"alg":"RS256","kid":"key-1","x5u":"https://evil.example/cert","x5c":["AAAA"]}"#,
        r#"{"alg":"RS256","kid":"key-1","jwk":{"kty":"oct","k":"AAAA"},"typ":"JWT"}"#,
    ] {
        assert!(outcome(ignored).is_ok(), "{ignored}");
    }
    for malformed in [
        r#"{"alg":"RS256","kid":"key-1","crit":["exp"]}"#,
        r#"{"alg":"RS256","kid":"key-1","crit":[]}"#,
        r#"{"alg":"RS256","kid":"key-1","b64":false}"#,
        r#"{"alg":"RS256","kid":"key-1","zip":"DEF"}"#,
        r#"{"alg":"none","alg":"RS256","kid":"key-1"}"#,
        r#"["RS256"]"#,
        "RS256",
    ] {
        let error = outcome(malformed).unwrap_err();
        assert!(
            matches!(error, VerifyError::Malformed(_)),
            "{malformed}: {error}"
        );
    }
    for not_authentic in [
        r#"{"alg":"none","kid":"key-1"}"#,
        r#"{"alg":"HS256","kid":"key-1"}"#,
        r#"{"alg":"RS384","kid":"key-1"}"#,
        r#"{"alg":"rs256","kid":"key-1"}"#,
        r#"{"kid":"key-1"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"KEY-1"}"#,
    ] {
        let error = outcome(not_authentic).unwrap_err();
        assert!(
            matches!(error, VerifyError::NotAuthentic(_)),
            "{not_authentic}: {error}"
        );
    }
}

#[test]
fn the_leeway_has_a_bound() {
    let build = |seconds| {
        let leeway = Duration::from_secs(seconds);
        any_audience().key(key()).leeway(leeway).build()
    };
    assert!(build(300).is_ok());
    let error = build(301).unwrap_err();
    let expected = JwtConfigError::Rules(ClaimRuleError::Leeway(Duration::from_secs(301)));
    assert_eq!(error.iter().collect::<Vec<_>>(), [&expected]);
    assert_eq!(
        error.to_string(),
        "leeway: 301s: at most 5min; set the clocks by NTP"
    );
}

#[test]
fn claims_with_a_key_twice_are_none() {
    let verifier = verifier();
    let (exp, list) = (now() + 600, LIST);
    let header = r#"{"alg":"RS256","kid":"key-1"}"#;
    let twice = format!(r#"{{"exp":{exp},"ao":"{list}","ao":"https://evil.example"}}"#);
    let error = verify(&verifier, &sign_raw(header, &twice, RSA)).unwrap_err();
    assert!(matches!(error, VerifyError::Malformed(_)), "{error}");
    assert!(Claims::parse(twice.as_bytes()).is_err());
}

/// The document's token: its key is not published, so it can only be refused, and for that reason.
#[test]
fn the_documents_token() {
    const TOKEN: &str = include_str!("../data/psat.txt");
    let token = TOKEN.trim_end();
    assert_eq!(token.len(), 707);
    let known = verify(&verifier(), token).unwrap_err();
    assert_eq!(
        known.to_string(),
        "the token is not authentic: its signature is wrong"
    );
    let key = JwtKey::from_pem(RSA_PUBLIC, JwtAlgorithm::Rs256)
        .unwrap()
        .kid("other");
    let verifier = any_audience().key(key).build().unwrap();
    let unknown = verify(&verifier, token).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the token is not authentic: its key is unknown"
    );
    // With the prefix, it is no JWT: its source takes that off.
    let prefixed = verify(&verifier, &format!("psat={token}")).unwrap_err();
    assert!(matches!(prefixed, VerifyError::Malformed(_)));
}

fn of(issuer: &str) -> Value {
    let mut claims = claims(LIST);
    claims["iss"] = issuer.into();
    claims["aud"] = "api".into();
    claims
}

fn with_kid(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    header
}

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn key_of(pem: &[u8], kid: &str) -> JwtKey {
    JwtKey::from_pem(pem, JwtAlgorithm::Rs256).unwrap().kid(kid)
}

#[test]
fn several_issuers_do_not_share_keys() {
    let builder = || JwtVerifier::builder().audience("api").issuer(A).issuer(B);
    let (key_a, key_b) = (key_of(RSA_PUBLIC, "a"), key_of(OTHER_RSA_PUBLIC, "b"));
    let unbound = |kid: &str| JwtConfigError::UnboundKey(kid.to_owned());
    let set = || JwtKeys::new([key_a.clone(), key_b.clone()]).unwrap();
    for builder in [
        builder().key(key_a.clone()).key(key_b.clone()),
        builder().keys(set()),
    ] {
        let errors = builder.build().unwrap_err();
        assert_eq!(
            errors.into_iter().collect::<Vec<_>>(),
            [unbound("a"), unbound("b")]
        );
    }
    let foreign = builder().key(key_a.clone().issuer("https://c.example"));
    assert_eq!(
        foreign.build().unwrap_err().to_string(),
        "key \"a\": belongs to \"https://c.example\", which is not one of the issuers",
    );

    let bound = builder()
        .key(key_a.issuer(A))
        .key(key_b.issuer(B))
        .build()
        .unwrap();
    for (kid, pem, issuer, is_good) in [
        ("a", RSA, A, true),
        ("b", OTHER_RSA, B, true),
        ("a", RSA, B, false),
        ("b", OTHER_RSA, A, false),
    ] {
        let result = verify(&bound, &sign(&with_kid(kid), &of(issuer), pem));
        assert_eq!(result.is_ok(), is_good, "{kid} {issuer}");
        assert!(is_good || matches!(result, Err(VerifyError::WrongIssuer(_))));
    }
}

/// Only the claim `iss` tells the issuers apart, and the holder of an unbound key may write it as
/// they like.
#[test]
fn an_unbound_key_does_not_stand_beside_the_keys_of_other_issuers() {
    const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";
    const TENANT_1: &str = "https://login.example/t1/v2.0";
    let build = |issuers: &[&str], bound: &str| {
        let builder = issuers
            .iter()
            .fold(JwtVerifier::builder(), |builder, issuer| {
                builder.issuer(*issuer)
            });
        builder
            .audience("api")
            .key(key_of(RSA_PUBLIC, "a").issuer(bound))
            .key(key_of(OTHER_RSA_PUBLIC, "b"))
            .build()
    };
    for (issuers, bound, is_sound) in [
        (&[][..], A, false),
        (&[], TEMPLATE, false),
        (&[A, B], A, false),
        (&[TENANT_1], TEMPLATE, false),
        (&[A], TEMPLATE, false),
        // Both keys are of the only issuer there is.
        (&[A], A, true),
        (&[A, A], A, true),
    ] {
        let unbound = JwtConfigError::UnboundKey("b".to_owned());
        match build(issuers, bound) {
            Ok(_) => assert!(is_sound, "{issuers:?} {bound}"),
            Err(errors) => {
                assert!(!is_sound, "{issuers:?} {bound}: {errors}");
                let errors: Vec<_> = errors.into_iter().collect();
                assert_eq!(errors, [unbound], "{issuers:?} {bound}");
            }
        }
    }
    // Also where the bound key is for something else, and so left out, and the sets are joined.
    let mut other = rsa_jwk();
    other["kid"] = "a".into();
    other["issuer"] = A.into();
    other["use"] = "enc".into();
    let mut unbound = rsa_jwk();
    unbound["kid"] = "b".into();
    let document = json!({"keys": [other, unbound]}).to_string();
    let (set, left_out) = JwtKeys::from_jwk_set(document.as_bytes()).unwrap();
    assert_eq!((set.len(), left_out), (1, 1));
    let builder = || JwtVerifier::builder().audience("api");
    for builder in [
        builder().keys(set.clone()),
        builder()
            .keys(set.clone())
            .key(key_of(OTHER_RSA_PUBLIC, "c").issuer(A)),
    ] {
        let errors: Vec<_> = builder.build().unwrap_err().into_iter().collect();
        assert_eq!(errors, [JwtConfigError::UnboundKey("b".to_owned())]);
    }
    let joined = builder().keys(set).key(key_of(OTHER_RSA_PUBLIC, "c"));
    assert_eq!(joined.build().unwrap_err().len(), 2);
    assert_eq!(
        JwtConfigError::UnboundKey("b".to_owned()).to_string(),
        "key \"b\": it belongs to no issuer, and another key does, or there are several issuers: \
         bind it with `JwtKey::issuer`, or make a verifier for each issuer and put them into \
         `Issuers`",
    );
    let of_one = build(&[A], A).unwrap();
    for (kid, pem, issuer, is_good) in [
        ("a", RSA, A, true),
        ("b", OTHER_RSA, A, true),
        ("b", OTHER_RSA, B, false),
    ] {
        let result = verify(&of_one, &sign(&with_kid(kid), &of(issuer), pem));
        assert_eq!(result.is_ok(), is_good, "{kid} {issuer}: {result:?}");
    }
}

/// As in the key sets of Microsoft Entra, which several tenants share.
#[test]
fn the_issuer_of_a_jwk_binds_it() {
    let jwk = |issuer: &str| {
        let mut jwk = rsa_jwk();
        jwk["kid"] = "k".into();
        jwk["issuer"] = issuer.into();
        JwtKey::from_jwk(jwk.to_string().as_bytes()).unwrap()
    };
    let template = "https://login.example/{tenantid}/v2.0";
    for (of_key, issuer, tid, is_good) in [
        (A, A, None, true),
        (A, B, None, false),
        (template, "https://login.example/t1/v2.0", Some("t1"), true),
        (template, "https://login.example/t1/v2.0", Some("t2"), false),
        (template, "https://login.example/t1/v2.0", None, false),
        (template, template, Some("{tenantid}"), true),
        (template, "https://login.example//v2.0", Some(""), false),
        (template, A, Some("t1"), false),
    ] {
        let verifier = any_audience().key(jwk(of_key)).build().unwrap();
        let mut claims = of(issuer);
        if let Some(tid) = tid {
            claims["tid"] = tid.into();
        }
        let result = verify(&verifier, &sign(&with_kid("k"), &claims, RSA));
        assert_eq!(result.is_ok(), is_good, "{of_key} {issuer} {tid:?}");
    }
}

#[test]
fn an_audience_is_demanded() {
    let build = |builder: JwtVerifierBuilder| {
        builder
            .key(key())
            .build()
            .map_err(|errors| errors.to_string())
    };
    assert!(build(JwtVerifier::builder().audience("api")).is_ok());
    assert!(build(any_audience()).is_ok());
    let missing = build(JwtVerifier::builder()).unwrap_err();
    assert!(missing.contains("dangerously_any_audience"), "{missing}");
    assert!(
        build(any_audience().audience("api")).is_err(),
        "one has no effect"
    );
}

#[test]
fn only_access_tokens_are_accepted() {
    let typed = |typ: Value| {
        let header = json!({"alg": "RS256", "kid": "key-1", "typ": typ});
        sign_raw(&header.to_string(), &claims(LIST).to_string(), RSA)
    };
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        assert!(verify(&verifier(), &typed(json!(typ))).is_ok(), "{typ}");
    }
    for typ in [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "",
    ] {
        let error = verify(&verifier(), &typed(json!(typ))).unwrap_err();
        assert!(matches!(error, VerifyError::WrongType(_)), "{error}");
    }
    assert!(matches!(
        verify(&verifier(), &typed(json!(["JWT"]))),
        Err(VerifyError::Malformed(_))
    ));
    let strict = any_audience().key(key()).types(["at+jwt"]).build().unwrap();
    assert!(verify(&strict, &typed(json!("at+jwt"))).is_ok());
    assert!(verify(&strict, &typed(json!("JWT"))).is_err());
    let untyped = r#"{"alg":"RS256","kid":"key-1"}"#;
    let untyped = sign_raw(untyped, &claims(LIST).to_string(), RSA);
    assert!(verify(&strict, &untyped).is_err());
    assert!(verify(&verifier(), &untyped).is_ok());
}

#[test]
fn requirements_are_checked() {
    let verifier = any_audience()
        .key(key())
        .require("azp web", |claims| {
            claims.get("azp").is_some_and(|azp| azp == "web")
        })
        .build()
        .unwrap();
    let mut claims = claims(LIST);
    let token = |claims: &Value| sign(&header(), claims, RSA);
    let error = verify(&verifier, &token(&claims)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token does not meet a requirement: azp web"
    );
    claims["azp"] = "web".into();
    assert!(verify(&verifier, &token(&claims)).is_ok());
}

#[test]
fn endless_tokens_are_an_explicit_choice() {
    let mut claims = claims(LIST);
    claims.as_object_mut().unwrap().remove("exp");
    let endless = sign(&header(), &claims, RSA);
    let strict = any_audience().key(key()).build().unwrap();
    assert!(matches!(
        verify(&strict, &endless),
        Err(VerifyError::Malformed(_))
    ));
    let generous = any_audience()
        .key(key())
        .dangerously_accept_endless_tokens()
        .build()
        .unwrap();
    assert!(verify(&generous, &endless).is_ok());
    // One that names its end still has it.
    claims["exp"] = (now() - 3600).into();
    let expired = sign(&header(), &claims, RSA);
    assert!(matches!(
        verify(&generous, &expired),
        Err(VerifyError::Expired(_))
    ));
}

#[test]
fn the_clock_can_be_set() {
    #[derive(Debug)]
    struct At(u64);
    impl tower_cors::time::Clock for At {
        fn now(&self) -> std::time::SystemTime {
            std::time::UNIX_EPOCH + Duration::from_secs(self.0)
        }
    }
    let at = |seconds| {
        any_audience()
            .key(key())
            .clock(At(seconds))
            .build()
            .unwrap()
    };
    let token = token(LIST);
    assert!(verify(&at(now()), &token).is_ok());
    assert!(matches!(
        verify(&at(now() + 3640), &token),
        Err(VerifyError::Expired(_))
    ));
    assert!(matches!(
        verify(&at(now() - 60), &token),
        Err(VerifyError::NotYetValid)
    ));
}

#[test]
fn a_kid_that_is_no_text_refuses_the_token() {
    let verifier = any_audience()
        .key(JwtKey::from_pem(RSA_PUBLIC, JwtAlgorithm::Rs256).unwrap())
        .accept_unnamed_key()
        .build()
        .unwrap();
    let payload = claims(LIST).to_string();
    let good = |header: &str| verify(&verifier, &sign_raw(header, &payload, RSA));
    assert!(good(r#"{"alg":"RS256"}"#).is_ok());
    for header in [
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":"RS256","x5t":["a"]}"#,
        r##"{"alg":"RS256","x5t#S256":{}}"##,
    ] {
        let error = good(header).unwrap_err();
        assert!(
            matches!(error, VerifyError::Malformed(_)),
            "{header} {error}"
        );
    }
}

fn fault(error: JwtKeyError) -> JwtKeyFault {
    match error {
        JwtKeyError::Key(_, fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn only_the_public_half_is_admitted() {
    let private = |pem: &[u8], algorithm| fault(JwtKey::from_pem(pem, algorithm).unwrap_err());
    for (pem, algorithm) in [
        (RSA, JwtAlgorithm::Rs256),
        (P256, JwtAlgorithm::Es256),
        (P384, JwtAlgorithm::Es384),
        (ED, JwtAlgorithm::EdDsa),
    ] {
        assert_eq!(private(pem, algorithm), JwtKeyFault::Private);
    }
    let jwk = |change: Value| {
        let mut jwk = rsa_jwk();
        jwk["kid"] = "k".into();
        for (name, value) in change.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        JwtKey::from_jwk(jwk.to_string().as_bytes()).map_err(fault)
    };
    assert!(jwk(json!({})).is_ok());
    for (change, expected) in [
        (json!({"d": "AQAB"}), JwtKeyFault::Private),
        (json!({"p": "AQAB"}), JwtKeyFault::Private),
        (json!({"kid": 1}), JwtKeyFault::NameIsNotText),
        (json!({"kid": null}), JwtKeyFault::NameIsNotText),
        (json!({"x5t": 1}), JwtKeyFault::NameIsNotText),
        (json!({"issuer": 1}), JwtKeyFault::NameIsNotText),
        (json!({"e": "AQ"}), JwtKeyFault::RsaExponent),
        (json!({"e": "Ag"}), JwtKeyFault::RsaExponent),
        (json!({"e": "AAAC"}), JwtKeyFault::RsaExponent),
        (json!({"e": "AQAA"}), JwtKeyFault::RsaExponent),
        (json!({"e": ""}), JwtKeyFault::RsaExponent),
        (json!({"n": "AQAB"}), JwtKeyFault::RsaSize(17)),
        (json!({"use": "enc"}), JwtKeyFault::NotForSignatures),
        (json!({"alg": "ES256"}), JwtKeyFault::WrongAlgorithm),
    ] {
        assert_eq!(jwk(change.clone()).unwrap_err(), expected, "{change}");
    }
}

#[test]
fn a_key_is_of_a_curve_that_is_for_its_kind() {
    let number = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for (kind, curve) in [("OKP", "P-256"), ("EC", "P-521"), ("EC", "Ed25519")] {
        let jwk = json!({"kty": kind, "crv": curve, "x": number, "y": number});
        let error = JwtKey::from_jwk(jwk.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault(error), JwtKeyFault::UnknownKind, "{kind} {curve}");
    }
}

#[test]
fn a_secret_is_as_long_as_its_hash() {
    for (algorithm, least) in [
        (JwtAlgorithm::Hs256, 32),
        (JwtAlgorithm::Hs384, 48),
        (JwtAlgorithm::Hs512, 64),
    ] {
        let secret = |len| JwtKey::dangerously_from_secret(&vec![7; len], algorithm);
        assert!(secret(least).is_ok());
        assert_eq!(
            fault(secret(least - 1).unwrap_err()),
            JwtKeyFault::ShortSecret(least)
        );
    }
}

/// RustCrypto works with up to 4096 bits.
#[test]
fn sizes_are_those_of_the_backend_in_each_form() {
    for (pem, expected) in [
        (&include_bytes!("../data/rsa_4096.pub.pem")[..], Ok(())),
        (
            include_bytes!("../data/rsa_6144.pub.pem"),
            Err(JwtKeyFault::Backend),
        ),
    ] {
        let by_pem = JwtKey::from_pem(pem, JwtAlgorithm::Rs256).map(drop);
        assert_eq!(by_pem.map_err(fault), expected);
        let jwk = json!({"kty": "RSA", "kid": "k", "n": modulus_of(pem), "e": "AQAB"});
        let by_jwk = JwtKey::from_jwk(jwk.to_string().as_bytes()).map(drop);
        assert_eq!(by_jwk.map_err(fault), expected);
    }
}

/// The bytes between the headers of a `SubjectPublicKeyInfo` and its exponent.
fn modulus_of(pem: &[u8]) -> String {
    let der = der_of(pem);
    let end = der.len() - 5;
    let len = match der.len() {
        ..600 => 512,
        _ => 768,
    };
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&der[end - len..end])
}
