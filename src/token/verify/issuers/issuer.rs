use std::{fmt, sync::Arc};

use crate::token::verify::{TokenVerifier, jwks::JwksVerifier, jwt::JwtVerifier};

/// The issuers of [`Issuers`](super::Issuers) that one verifier speaks for.
///
/// A [`JwtVerifier`] or [`JwksVerifier`] becomes one by its own `issuer`; any other verifier does so
/// with [`Issuer::new`].
#[derive(Clone)]
pub struct Issuer {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) verifier: Arc<dyn TokenVerifier>,
}

impl Issuer {
    /// An issuer by its name, the `iss` of its tokens, and the verifier of its tokens alone.
    ///
    /// ```
    /// # #[cfg(feature = "jwt-rust-crypto")] {
    /// use tower_cors::token::verify::{
    ///     issuers::{Issuer, Issuers},
    ///     jwt::{JwtKey, JwtVerifier},
    /// };
    ///
    /// let jwk = br#"{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
    ///                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let verifier = JwtVerifier::builder()
    ///     .key(JwtKey::from_jwk(jwk)?)
    ///     .audience("api")
    ///     .build()?;
    /// let issuer = Issuer::new("https://id.example", verifier.clone());
    /// assert!(Issuers::builder().issuer(issuer).build().is_ok());
    ///
    /// // Without a name, no token would be its own.
    /// assert!(Issuers::builder().issuer(verifier).build().is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(name: impl Into<Box<str>>, verifier: impl TokenVerifier) -> Self {
        Self {
            names: vec![name.into()],
            verifier: Arc::new(verifier),
        }
    }
}

impl From<JwtVerifier> for Issuer {
    fn from(verifier: JwtVerifier) -> Self {
        Self {
            names: verifier.issuers().to_vec(),
            verifier: Arc::new(verifier),
        }
    }
}

impl From<JwksVerifier> for Issuer {
    fn from(verifier: JwksVerifier) -> Self {
        Self {
            names: verifier.issuers().to_vec(),
            verifier: Arc::new(verifier),
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
