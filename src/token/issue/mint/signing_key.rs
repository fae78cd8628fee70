use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use jsonwebtoken::{EncodingKey, crypto, jwk::Jwk};

use crate::token::verify::jwt::{
    Family, JwtAlgorithm, JwtKey, JwtKeyError, JwtKeyFault, prefer_backend,
};

/// A private key that tokens are signed with, and the names that they call it by.
///
/// Verifiers need the public half: [`to_public`](Self::to_public).
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::{issue::SigningKey, verify::jwt::JwtAlgorithm};
///
/// let pem = "-----BEGIN PRIVATE KEY-----\n\
///            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
///            -----END PRIVATE KEY-----\n";
/// let key = SigningKey::from_pem(pem.as_bytes(), JwtAlgorithm::EdDsa, "2026-11")?;
/// assert_eq!(key.to_public().algorithm(), JwtAlgorithm::EdDsa);
///
/// assert!(SigningKey::from_pem(b"no key", JwtAlgorithm::EdDsa, "2026-11").is_err());
/// # }
/// # Ok::<(), tower_cors::token::verify::jwt::JwtKeyError>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct SigningKey {
    pub(crate) key: EncodingKey,
    pub(crate) algorithm: JwtAlgorithm,
    pub(crate) kid: Box<str>,
    pub(crate) x5t: Option<Box<str>>,
    public: JwtKey,
}

impl SigningKey {
    /// A private key in PEM: RSA in PKCS #1 or PKCS #8, others in PKCS #8. Tokens call it `kid`.
    ///
    /// With the feature `jwt-rust-crypto`, RSA signatures are made by the crate `rsa`, whose
    /// private-key operations are open to timing attacks according to
    /// [RUSTSEC-2023-0071](https://rustsec.org/advisories/RUSTSEC-2023-0071). Mint with ES256 or
    /// EdDSA (recommended), or have RSA signatures made elsewhere, with a
    /// [`RemoteMinter`](crate::token::issue::RemoteMinter).
    ///
    /// # Errors
    ///
    /// When there is no such key, an RSA key has fewer than 2048 bits, the algorithm is symmetric,
    /// or `jsonwebtoken` has no backend.
    pub fn from_pem(
        pem: &[u8],
        algorithm: JwtAlgorithm,
        kid: impl Into<Box<str>>,
    ) -> Result<Self, JwtKeyError> {
        let kid = kid.into();
        let wrong = |fault| JwtKeyError::Key(kid.to_string(), fault);
        if kid.is_empty() {
            return Err(wrong(JwtKeyFault::EmptyKid));
        }
        let key = match algorithm.family() {
            Family::Rsa => EncodingKey::from_rsa_pem(pem),
            Family::P256 | Family::P384 => EncodingKey::from_ec_pem(pem),
            Family::Ed25519 => EncodingKey::from_ed_pem(pem),
            Family::Secret => return Err(wrong(JwtKeyFault::SecretSigns)),
        };
        let key = key.map_err(|_| wrong(JwtKeyFault::NotPrivate))?;
        let public = public_half(&key, algorithm)?
            .ok_or_else(|| wrong(JwtKeyFault::NotPrivate))?
            .kid(kid.clone());
        Ok(Self {
            key,
            algorithm,
            kid,
            x5t: None,
            public,
        })
    }

    /// Sets the SHA-1 thumbprint of the key's certificate, in base64url, as the `x5t` of tokens,
    /// for readers that look for it in place of `kid`.
    pub fn x5t(mut self, thumbprint: impl Into<Box<str>>) -> Self {
        let thumbprint = thumbprint.into();
        self.public = self.public.x5t(thumbprint.clone());
        self.x5t = Some(thumbprint);
        self
    }

    /// The public half, to verify tokens with.
    pub fn to_public(&self) -> JwtKey {
        self.public.clone()
    }
}

/// The public key, if the private one really signs what the public one verifies.
///
/// `jsonwebtoken` panics at first use where none of its backends is compiled in, or two, or where
/// one cannot do this: better here than in a request.
fn public_half(key: &EncodingKey, algorithm: JwtAlgorithm) -> Result<Option<JwtKey>, JwtKeyError> {
    const MESSAGE: &[u8] = b"probe";
    prefer_backend();
    // The closure changes no state of this crate, so unwinding is safe.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let jwk = Jwk::from_encoding_key(key, algorithm.of_backend()).ok()?;
        let signature = crypto::sign(MESSAGE, key, algorithm.of_backend()).ok()?;
        Some((serde_json::to_vec(&jwk).ok()?, signature))
    }));
    let Some((jwk, signature)) = outcome.map_err(|_| JwtKeyError::Backend)? else {
        return Ok(None);
    };
    let public = JwtKey::from_jwk(&jwk)?;
    Ok(public.verifies(&signature, MESSAGE).then_some(public))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .field("x5t", &self.x5t)
            .finish_non_exhaustive()
    }
}
