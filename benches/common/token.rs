//! A bearer token that lists origins, and who verifies it.

use http::HeaderValue;
use tower_cors::token::{
    TokenOrigins, TokenVerifier, VerifiedToken,
    claim::{Claims, OriginsClaim},
    source::TokenSource,
    verify::{TokenRequest, VerifyFuture},
};

/// As long as a JWT with a list of origins and a signature by RSA; what is kept is its hash.
pub(super) fn text() -> String {
    "eyJ0eXAi".repeat(88)
}

pub(super) fn credentials() -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {}", text())).unwrap()
}

/// What it says, also in an introspection response.
pub(super) fn claims(origins: &[String]) -> String {
    serde_json::json!({"ao": origins.join(";"), "active": true}).to_string()
}

/// Says of every token that it has these claims.
#[derive(Debug)]
pub(super) struct Says(Claims);

impl Says {
    pub(super) fn new(claims: &str) -> Self {
        Self(Claims::parse(claims.as_bytes()).unwrap())
    }
}

impl TokenVerifier for Says {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(VerifiedToken::new(self.0.clone())))
    }
}

pub(super) fn policy(verifier: impl TokenVerifier) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}
