//! Keys of every kind, and tokens that ask for more than they get.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower_cors::token::{
    TokenVerifier,
    claim::Claims,
    verify::{
        VerifyError, VerifyResult,
        jwt::{JwtAlgorithm, JwtError, JwtKey, JwtKeys, JwtVerifier},
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

fn verify(verifier: &JwtVerifier, token: &str) -> VerifyResult {
    verifier.verify(token, &any_request()).into_ready().unwrap()
}

fn only(key: JwtKey) -> JwtVerifier {
    JwtVerifier::builder().key(key.kid("k")).build().unwrap()
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
        assert!(matches!(error, JwtError::Key(..)), "{error}");
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
    ] {
        assert!(
            JwtKey::from_jwk(jwk.to_string().as_bytes()).is_err(),
            "{jwk}"
        );
    }
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
    let verifier = JwtVerifier::builder().keys(keys).build().unwrap();
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
    let named = || key().kid("a");
    let twice = JwtKeys::new([named(), named()]).unwrap_err();
    assert_eq!(twice, JwtError::DuplicateKey("a".to_owned()));
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
    let build =
        |builder: tower_cors::token::verify::jwt::JwtVerifierBuilder| builder.build().map(drop);
    let builder = || JwtVerifier::builder().key(unnamed());
    assert_eq!(build(builder()), Err(JwtError::UnnamedKey));
    assert_eq!(build(builder().accept_unnamed_key()), Ok(()));
    let two = builder().key(unnamed()).accept_unnamed_key();
    assert_eq!(build(two), Err(JwtError::UnnamedKey));
    let set = |names: &[&str]| {
        let keys = names.iter().map(|&name| unnamed().kid(name));
        JwtVerifier::builder().keys(JwtKeys::new(keys).unwrap())
    };
    let of_set = set(&["a"]).accept_unnamed_key();
    assert!(verify(&of_set.build().unwrap(), &token(LIST)).is_ok());
    for several in [
        set(&["a", "b"]),
        JwtVerifier::builder()
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
        Err(JwtError::MissingKeys)
    );
    assert_eq!(build(JwtVerifier::builder()), Err(JwtError::MissingKeys));
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
        JwtVerifier::builder().key(key()).leeway(leeway).build()
    };
    assert!(build(300).is_ok());
    let error = build(301).unwrap_err();
    assert_eq!(error, JwtError::Leeway(Duration::from_secs(301)));
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
    let verifier = JwtVerifier::builder().key(key).build().unwrap();
    let unknown = verify(&verifier, token).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the token is not authentic: its key is unknown"
    );
    // With the prefix, it is no JWT: its source takes that off.
    let prefixed = verify(&verifier, &format!("psat={token}")).unwrap_err();
    assert!(matches!(prefixed, VerifyError::Malformed(_)));
}
