use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    DecodingKey, DecodingKeyKind, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

use super::{
    algorithm::{Family, JwtAlgorithm},
    backend,
    error::JwtError,
};

/// A key that signatures are verified with, its one algorithm, and the names that tokens call it
/// by.
///
/// ```
/// use tower_cors::token::verify::jwt::{JwtAlgorithm, JwtKey};
///
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// let jwk = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = JwtKey::from_jwk(jwk.as_bytes())?;
/// assert_eq!(key.algorithm(), JwtAlgorithm::EdDsa);
///
/// assert!(JwtKey::from_pem(b"no key", JwtAlgorithm::Rs256).is_err());
/// # }
/// # Ok::<(), tower_cors::token::verify::jwt::JwtError>(())
/// ```
#[derive(Clone)]
pub struct JwtKey {
    key: DecodingKey,
    algorithm: JwtAlgorithm,
    kid: Option<Box<str>>,
    x5t: Option<Box<str>>,
    x5t_s256: Option<Box<str>>,
}

/// RFC 7518, section 3.3.
const MIN_RSA_BITS: usize = 2048;

/// A longer one costs more with each token than anybody gains by it.
const MAX_RSA_BITS: usize = 8192;

/// RFC 7518, section 3.2.
const MIN_SECRET_BYTES: usize = 32;

impl JwtKey {
    /// A public key, or a certificate with one, in PEM.
    ///
    /// # Errors
    ///
    /// When there is no such key, an RSA key has fewer than 2048 bits, or `jsonwebtoken` has no
    /// backend.
    pub fn from_pem(pem: &[u8], algorithm: JwtAlgorithm) -> Result<Self, JwtError> {
        let key = match algorithm.family() {
            Family::Rsa => DecodingKey::from_rsa_pem(pem),
            Family::P256 | Family::P384 => DecodingKey::from_ec_pem(pem),
            Family::Ed25519 => DecodingKey::from_ed_pem(pem),
            Family::Secret => return Err(wrong("a secret has no PEM form")),
        };
        Self::new(
            key.map_err(|_| wrong("no PEM of a public key of that algorithm"))?,
            algorithm,
        )
    }

    /// A public key as DER of a `SubjectPublicKeyInfo` (RFC 5280, section 4.1), as in a file that
    /// begins with `-----BEGIN PUBLIC KEY-----`, without the armour.
    ///
    /// # Errors
    ///
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8], algorithm: JwtAlgorithm) -> Result<Self, JwtError> {
        let body = STANDARD.encode(der);
        let armoured = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        Self::from_pem(armoured.as_bytes(), algorithm)
    }

    /// A JSON Web Key (RFC 7517). Where it does not say its `alg`, an RSA key is for `RS256`, and
    /// the curve decides for others.
    ///
    /// # Errors
    ///
    /// When it is no public key, is not for signatures, or is of a kind that is not understood.
    pub fn from_jwk(json: &[u8]) -> Result<Self, JwtError> {
        let value = serde_json::from_slice(json).map_err(|_| wrong("no JSON"))?;
        Self::from_jwk_value(value)
    }

    pub(crate) fn from_jwk_value(value: Value) -> Result<Self, JwtError> {
        let jwk: Jwk = serde_json::from_value(value).map_err(|_| wrong("no JSON Web Key"))?;
        let name = |error| name_error(error, jwk.common.key_id.as_deref());
        let algorithm = jwk_algorithm(&jwk).map_err(name)?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| name(wrong("not base64url")))?;
        let mut key = Self::new(key, algorithm).map_err(name)?;
        key.kid = jwk.common.key_id.map(Into::into);
        key.x5t = jwk.common.x509_sha1_fingerprint.map(Into::into);
        key.x5t_s256 = jwk.common.x509_sha256_fingerprint.map(Into::into);
        Ok(key)
    }

    /// A secret that the issuer shares: whoever can verify a token can also make one, so that the
    /// service could speak for the issuer.
    ///
    /// # Errors
    ///
    /// When it has fewer than 32 bytes, or the algorithm is not symmetric.
    pub fn dangerously_from_secret(
        secret: &[u8],
        algorithm: JwtAlgorithm,
    ) -> Result<Self, JwtError> {
        if algorithm.family() != Family::Secret {
            return Err(wrong("a secret is for HS256, HS384 or HS512"));
        }
        Self::new(DecodingKey::from_secret(secret), algorithm)
    }

    /// Sets the name by which tokens choose the key: their `kid`.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<Box<str>>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Sets the SHA-1 thumbprint of the key's certificate, in base64url, by which tokens choose
    /// it: their `x5t`. It only chooses among the keys that are trusted already.
    #[must_use]
    pub fn x5t(mut self, thumbprint: impl Into<Box<str>>) -> Self {
        self.x5t = Some(thumbprint.into());
        self
    }

    /// Sets the SHA-256 thumbprint of the key's certificate, in base64url: the `x5t#S256` of
    /// tokens.
    #[must_use]
    pub fn x5t_s256(mut self, thumbprint: impl Into<Box<str>>) -> Self {
        self.x5t_s256 = Some(thumbprint.into());
        self
    }

    /// The one algorithm that the key is used with, whatever a token says.
    pub fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    fn new(key: DecodingKey, algorithm: JwtAlgorithm) -> Result<Self, JwtError> {
        check_size(&key, algorithm)?;
        let probe = || crypto::verify("AAAA", b"probe", &key, algorithm.of_backend());
        let is_key = backend::guard(|| probe().is_ok())?;
        let is_rsa = algorithm.family() == Family::Rsa;
        let rsa_bits = backend::guard(|| is_rsa.then(|| rsa_bits(&key)).flatten())?;
        match rsa_bits {
            None if is_rsa || !is_key => Err(wrong("not a key of that algorithm")),
            Some(bits) if bits < MIN_RSA_BITS => Err(wrong("an RSA key has at least 2048 bits")),
            Some(bits) if bits > MAX_RSA_BITS => Err(wrong("an RSA key has at most 8192 bits")),
            _ => Ok(()),
        }?;
        Ok(Self {
            key,
            algorithm,
            kid: None,
            x5t: None,
            x5t_s256: None,
        })
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names {
            kid: self.kid.as_deref(),
            x5t: self.x5t.as_deref(),
            x5t_s256: self.x5t_s256.as_deref(),
        }
    }

    /// Whether the signature, in base64url, is the message's.
    pub(crate) fn verifies(&self, signature: &str, message: &[u8]) -> bool {
        crypto::verify(signature, message, &self.key, self.algorithm.of_backend()).unwrap_or(false)
    }
}

/// What a key is called by, or what a token calls a key by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) kid: Option<&'a str>,
    pub(crate) x5t: Option<&'a str>,
    pub(crate) x5t_s256: Option<&'a str>,
}

/// A backend indexes into keys that it takes to be long enough.
fn check_size(key: &DecodingKey, algorithm: JwtAlgorithm) -> Result<(), JwtError> {
    let DecodingKeyKind::SecretOrDer(bytes) = key.kind() else {
        return Ok(());
    };
    match (algorithm.family(), bytes.len()) {
        (Family::Rsa, _) | (Family::P256, 65) | (Family::P384, 97) | (Family::Ed25519, 32) => {
            Ok(())
        }
        (Family::Secret, len) if len >= MIN_SECRET_BYTES => Ok(()),
        (Family::Secret, _) => Err(wrong("a secret has at least 32 bytes")),
        _ => Err(wrong("not a key of that algorithm")),
    }
}

/// The size of the modulus, or `None` where it cannot be read.
fn rsa_bits(key: &DecodingKey) -> Option<usize> {
    let jwk = Jwk::from_decoding_key(key, None).ok()?;
    let AlgorithmParameters::RSA(parameters) = jwk.algorithm else {
        return None;
    };
    let modulus = URL_SAFE_NO_PAD.decode(parameters.n).ok()?;
    let leading = modulus.iter().position(|&byte| byte != 0)?;
    let first = modulus[leading];
    Some((modulus.len() - leading) * 8 - first.leading_zeros() as usize)
}

fn jwk_algorithm(jwk: &Jwk) -> Result<JwtAlgorithm, JwtError> {
    if !is_for_signatures(jwk) {
        return Err(wrong("not for signatures"));
    }
    let by_kind = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => JwtAlgorithm::Rs256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            JwtAlgorithm::Es256
        }
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => {
            JwtAlgorithm::Es384
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            JwtAlgorithm::EdDsa
        }
        _ => return Err(wrong("not a public key of a kind that is understood")),
    };
    let Some(named) = jwk.common.key_algorithm else {
        return Ok(by_kind);
    };
    JwtAlgorithm::from_name(&named.to_string())
        .filter(|algorithm| algorithm.family() == by_kind.family())
        .ok_or_else(|| wrong("its alg is not one for such a key"))
}

/// RFC 7517, sections 4.2 and 4.3.
fn is_for_signatures(jwk: &Jwk) -> bool {
    let used = |u: &PublicKeyUse| *u == PublicKeyUse::Signature;
    let operated = |ops: &Vec<KeyOperations>| ops.contains(&KeyOperations::Verify);
    jwk.common.public_key_use.as_ref().is_none_or(used)
        && jwk.common.key_operations.as_ref().is_none_or(operated)
}

fn wrong(what: &'static str) -> JwtError {
    JwtError::Key(String::new(), what)
}

fn name_error(error: JwtError, kid: Option<&str>) -> JwtError {
    match error {
        JwtError::Key(_, what) => JwtError::Key(kid.unwrap_or_default().to_owned(), what),
        other => other,
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm)
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}
