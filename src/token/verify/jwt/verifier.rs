use std::sync::Arc;

use super::{key::JwtKey, keys::JwtKeys, rules::JwtRules, unverified::UnverifiedJwt};
use crate::{
    time::Clock,
    token::verify::{KeysId, TokenRequest, TokenVerifier, VerifyFuture, VerifyResult},
};

/// Verifies JSON Web Tokens with keys that are at hand.
///
/// The signature, `typ`, `aud`, `exp` and `nbf` are checked, and `iss` where it is configured. A
/// token must have an `exp`. Its algorithm must be its key's; what its header says of other keys
/// is ignored, and a token with `crit` is refused.
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::verify::jwt::{JwtKey, JwtVerifier};
///
/// let jwk = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let verifier = JwtVerifier::builder()
///     .key(JwtKey::from_jwk(jwk.as_bytes())?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
///
/// // Without a key every token would be refused, and without an audience too many accepted.
/// assert_eq!(JwtVerifier::builder().build().unwrap_err().len(), 2);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwtVerifier {
    keys: JwtKeys,
    rules: JwtRules,
    clock: Arc<dyn Clock>,
    keys_id: KeysId,
}

impl JwtVerifier {
    pub(crate) fn new(keys: JwtKeys, rules: JwtRules, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys,
            rules,
            clock,
            keys_id: KeysId::unique(),
        }
    }

    /// The issuers whose tokens are accepted.
    pub(crate) fn issuers(&self) -> &[Box<str>] {
        &self.rules.claims.issuers
    }

    fn verify_now(&self, token: &str) -> VerifyResult {
        UnverifiedJwt::parse(token)?.verify(&self.keys, &self.rules, self.clock.now())
    }
}

impl TokenVerifier for JwtVerifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(self.verify_now(token))
    }

    /// None where each key is bound to an issuer, and so signs for no other.
    fn keys_id(&self) -> Option<KeysId> {
        let is_unbound = |key: &JwtKey| key.bound_to().is_none();
        self.keys.iter().any(is_unbound).then_some(self.keys_id)
    }
}
