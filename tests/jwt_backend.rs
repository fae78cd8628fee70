//! Without cryptography behind `jsonwebtoken`, keys are refused when they are configured: it would
//! panic with the first token.
#![cfg(all(feature = "jwt", not(feature = "jwt-rust-crypto")))]

use tower_cors::token::verify::jwt::{JwtAlgorithm, JwtKey, JwtKeyError, JwtKeys};

#[test]
fn no_backend_is_an_error_and_no_panic() {
    let pem = include_bytes!("data/rsa.pub.pem");
    let key = JwtKey::from_pem(pem, JwtAlgorithm::Rs256);
    assert_eq!(key.unwrap_err(), JwtKeyError::Backend);
    let jwk = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                  "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(
        JwtKey::from_jwk(jwk.as_bytes()).unwrap_err(),
        JwtKeyError::Backend
    );
    let set = format!(r#"{{"keys": [{jwk}]}}"#);
    assert_eq!(
        JwtKeys::from_jwk_set(set.as_bytes()).unwrap_err(),
        JwtKeyError::Backend
    );
}
