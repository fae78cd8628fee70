use std::time::{Duration, SystemTime};

use super::{error::JwtError, key::JwtKey, keys::JwtKeys, rules::Rules, unverified::UnverifiedJwt};
use crate::{
    time::MAX_LEEWAY,
    token::verify::{TokenRequest, TokenVerifier, VerifyError, VerifyFuture, VerifyResult},
};

/// Verifies JSON Web Tokens with keys that are at hand.
///
/// The signature, `exp` and `nbf` are checked, and `iss` and `aud` where they are configured. A
/// token must have an `exp`. Its algorithm must be its key's; what its header says of other keys
/// is ignored, and one with `crit` is refused.
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
/// // Without a key, every token would be refused.
/// assert!(JwtVerifier::builder().build().is_err());
/// # }
/// # Ok::<(), tower_cors::token::verify::jwt::JwtError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwtVerifier {
    keys: JwtKeys,
    rules: Rules,
}

impl JwtVerifier {
    /// Starts a configuration.
    pub fn builder() -> JwtVerifierBuilder {
        JwtVerifierBuilder::default()
    }

    fn verify_now(&self, token: &str) -> VerifyResult {
        let unverified = UnverifiedJwt::parse(token)?;
        let key = self
            .keys
            .find(unverified.names(), unverified.algorithm())
            .ok_or(VerifyError::NotAuthentic("its key is unknown"))?;
        unverified.verify(key, &self.rules, SystemTime::now())
    }
}

impl TokenVerifier for JwtVerifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(self.verify_now(token))
    }
}

/// A [`JwtVerifier`] in the making.
#[derive(Clone, Debug, Default)]
#[must_use = "a configuration does nothing until it is built"]
pub struct JwtVerifierBuilder {
    keys: Vec<JwtKey>,
    key_set: Option<JwtKeys>,
    unnamed: bool,
    rules: Rules,
}

impl JwtVerifierBuilder {
    /// Adds a key.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the keys, in place of single ones.
    pub fn keys(mut self, keys: JwtKeys) -> Self {
        self.key_set = Some(keys);
        self
    }

    /// Lets the only key verify every token, whichever key it names or does not name. With several
    /// keys, the configuration does not build.
    pub fn accept_unnamed_key(mut self) -> Self {
        self.unnamed = true;
        self
    }

    /// How far the issuer's clock may be off. Default: 30 seconds; at most 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Adds an issuer; a token must be from one of them. Default: not checked.
    pub fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// Adds an audience; a token must be for one of them. Default: not checked.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// Accepts tokens without `exp`, which are good for ever.
    pub fn dangerously_accept_endless_tokens(mut self) -> Self {
        self.rules.requires_expiry = false;
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// When there is no key, a key cannot be chosen, two answer to one name, or the leeway is out
    /// of its bounds.
    pub fn build(self) -> Result<JwtVerifier, JwtError> {
        if self.rules.leeway > MAX_LEEWAY {
            return Err(JwtError::Leeway(self.rules.leeway));
        }
        let keys = match (
            self.key_set,
            self.unnamed,
            <[JwtKey; 1]>::try_from(self.keys),
        ) {
            (Some(set), true, _) => set.into_single()?,
            (Some(set), false, _) => set,
            (None, true, Ok([key])) => JwtKeys::single(key),
            (None, false, Ok(key)) => JwtKeys::new(key)?,
            (None, true, Err(keys)) => JwtKeys::new(keys)?.into_single()?,
            (None, false, Err(keys)) => JwtKeys::new(keys)?,
        };
        if keys.is_empty() {
            Err(JwtError::MissingKeys)
        } else {
            Ok(JwtVerifier {
                keys,
                rules: self.rules,
            })
        }
    }
}
