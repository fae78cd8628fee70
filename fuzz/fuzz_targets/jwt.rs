//! JSON Web Tokens of any three parts: what is not signed is never taken, and what is has times and
//! claims that can be read.
//!
//! The header is the first line of the input, the payload what follows it.
#![no_main]

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use libfuzzer_sys::fuzz_target;
use tower_cors::token::{
    TokenVerifier,
    claim::Claims,
    verify::{
        TokenRequest, VerifyError, VerifyResult,
        jwt::{JwtAlgorithm, JwtKey, JwtVerifier},
    },
};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

fuzz_target!(|bytes: &[u8]| {
    let key = JwtKey::dangerously_from_secret(SECRET, JwtAlgorithm::Hs256).expect("long enough");
    let verifier = JwtVerifier::builder()
        .key(key)
        .accept_unnamed_key()
        .dangerously_any_audience()
        .build()
        .expect("one key");
    let verify = |token: &str| -> VerifyResult {
        let request = http::Request::new(());
        let request = TokenRequest::from(&request);
        let Ok(result) = verifier.verify(token, &request).into_ready() else {
            panic!("the key is at hand");
        };
        result
    };

    // As it stands: nobody signed it.
    if let Ok(text) = str::from_utf8(bytes) {
        assert!(is_out_of_hand(&verify(text)), "{text:?}");
    }

    let end = bytes.iter().position(|&byte| byte == b'\n');
    let (header, payload) = bytes.split_at(end.unwrap_or(bytes.len()));
    let payload = payload.get(1..).unwrap_or_default();
    let [header_part, payload_part] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header_part}.{payload_part}");
    assert!(is_out_of_hand(&verify(&format!("{message}."))));
    let other = EncodingKey::from_secret(b"another secret of at least thirty-two bytes");
    assert!(is_out_of_hand(&verify(&sign(&message, &other))));

    let token = match verify(&sign(&message, &EncodingKey::from_secret(SECRET))) {
        Ok(token) => token,
        Err(VerifyError::Expired(token)) => {
            assert!(
                token
                    .expiry()
                    .is_some_and(|expiry| expiry <= SystemTime::now())
            );
            token
        }
        Err(_) => return,
    };
    let alg = Claims::parse(header).expect("a header that was read");
    assert_eq!(alg.get("alg").and_then(|alg| alg.as_str()), Some("HS256"));
    let claims = Claims::parse(payload).expect("a payload that was read");
    let exp = claims.get("exp").and_then(|exp| exp.as_f64());
    // The end of the year 9999 stands for every later time.
    let exp = exp.expect("no token is endless").min(253_402_300_799.0);
    let expiry = token.expiry().expect("no token is endless");
    let expiry = expiry.duration_since(UNIX_EPOCH).expect("after the epoch");
    // Nanoseconds are all that a time can tell.
    assert!((expiry.as_secs_f64() - exp).abs() <= 1e-6 * exp.max(1.0));
    assert!(*token.claims() == claims);
});

/// Whether nothing of what the token says was believed, not even that it has expired.
fn is_out_of_hand(result: &VerifyResult) -> bool {
    matches!(
        result,
        Err(VerifyError::Malformed(_) | VerifyError::NotAuthentic(_))
    )
}

fn sign(message: &str, key: &EncodingKey) -> String {
    let signature = crypto::sign(message.as_bytes(), key, Algorithm::HS256);
    format!(
        "{message}.{}",
        signature.expect("a secret signs everything")
    )
}
