use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

use super::{
    admission::admit,
    algorithm::{Family, JwtAlgorithm},
    error::{JwtKeyError, JwtKeyFault},
};
use crate::token::claim::Claims;

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
/// # Ok::<(), tower_cors::token::verify::jwt::JwtKeyError>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct JwtKey {
    key: DecodingKey,
    algorithm: JwtAlgorithm,
    issuer: Option<Box<str>>,
    kid: Option<Box<str>>,
    x5t: Option<Box<str>>,
    x5t_s256: Option<Box<str>>,
}

impl JwtKey {
    /// A public key, or a certificate with one, in PEM.
    ///
    /// # Errors
    ///
    /// When there is no such key, it is a private one, an RSA key has fewer than 2048 bits or more
    /// than the backend can do, or `jsonwebtoken` has no backend.
    pub fn from_pem(pem: &[u8], algorithm: JwtAlgorithm) -> Result<Self, JwtKeyError> {
        const PRIVATE: &[u8] = b"PRIVATE KEY-----";
        if pem.windows(PRIVATE.len()).any(|window| window == PRIVATE) {
            return Err(JwtKeyFault::Private.of(None));
        }
        let key = match algorithm.family() {
            Family::Rsa => DecodingKey::from_rsa_pem(pem),
            Family::P256 | Family::P384 => DecodingKey::from_ec_pem(pem),
            Family::Ed25519 => DecodingKey::from_ed_pem(pem),
            Family::Secret => return Err(JwtKeyFault::SecretAlgorithm.of(None)),
        };
        Self::new(key.map_err(|_| JwtKeyFault::NotPem.of(None))?, algorithm)
    }

    /// A public key as DER of a `SubjectPublicKeyInfo` (RFC 5280, section 4.1), as in a file that
    /// begins with `-----BEGIN PUBLIC KEY-----`, without the armour.
    ///
    /// # Errors
    ///
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8], algorithm: JwtAlgorithm) -> Result<Self, JwtKeyError> {
        let body = STANDARD.encode(der);
        let armoured = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        Self::from_pem(armoured.as_bytes(), algorithm)
    }

    /// A JSON Web Key (RFC 7517). Where it does not say its `alg`, an RSA key is for `RS256`, and
    /// the curve decides for others. Where it names an `issuer`, it is [bound](Self::issuer) to it.
    ///
    /// # Errors
    ///
    /// When it is not a public key, has private parts, is not for signatures, or is of a kind or
    /// size that is not understood.
    pub fn from_jwk(json: &[u8]) -> Result<Self, JwtKeyError> {
        let value = serde_json::from_slice(json).map_err(|_| JwtKeyFault::NotJwk.of(None))?;
        Self::from_jwk_value(value)
    }

    pub(crate) fn from_jwk_value(value: Value) -> Result<Self, JwtKeyError> {
        let kid = value.get("kid").and_then(Value::as_str).map(str::to_owned);
        let named = |error| match error {
            JwtKeyError::Key(_, fault) => fault.of(kid.as_deref()),
            other => other,
        };
        Self::from_jwk_members(value).map_err(named)
    }

    fn from_jwk_members(value: Value) -> Result<Self, JwtKeyError> {
        let text = |name| match value.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Box::from(text.as_str()))),
            Some(_) => Err(JwtKeyFault::NameIsNotText.of(None)),
        };
        let (issuer, kid) = (text("issuer")?, text("kid")?);
        let (x5t, x5t_s256) = (text("x5t")?, text("x5t#S256")?);
        // RFC 7517, section 9.2: such a document was meant for its issuer alone. `k` is a secret.
        if ["d", "p", "q", "dp", "dq", "qi", "oth"]
            .iter()
            .any(|&name| value.get(name).is_some())
        {
            return Err(JwtKeyFault::Private.of(None));
        }
        let jwk: Jwk = serde_json::from_value(value).map_err(|_| JwtKeyFault::NotJwk.of(None))?;
        let algorithm = jwk_algorithm(&jwk).map_err(|fault| fault.of(None))?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| JwtKeyFault::NotJwk.of(None))?;
        Ok(Self {
            issuer,
            kid,
            x5t,
            x5t_s256,
            ..Self::new(key, algorithm)?
        })
    }

    /// A secret that the issuer shares. Anybody who can verify a token with it can also make one, so
    /// the service could speak for the issuer.
    ///
    /// # Errors
    ///
    /// When it is shorter than the hash of the algorithm (RFC 7518, section 3.2), or the algorithm
    /// is not symmetric.
    pub fn dangerously_from_secret(
        secret: &[u8],
        algorithm: JwtAlgorithm,
    ) -> Result<Self, JwtKeyError> {
        if algorithm.family() != Family::Secret {
            return Err(JwtKeyFault::SecretAlgorithm.of(None));
        }
        Self::new(DecodingKey::from_secret(secret), algorithm)
    }

    /// Binds the key to an issuer (RFC 8725, section 3.8): only tokens with this `iss` are verified
    /// with it. A JWK with the member `issuer` is bound already, as those of Microsoft Entra are;
    /// `{tenantid}` in it stands for the `tid` of the token.
    ///
    /// Bind all keys of a verifier or none. A key that is bound to none stands beside a bound one
    /// only where a single issuer is accepted, and the bound one belongs to it.
    pub fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the name by which tokens choose the key: their `kid`.
    pub fn kid(mut self, kid: impl Into<Box<str>>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Sets the SHA-1 thumbprint of the key's certificate, in base64url, by which tokens choose
    /// it: their `x5t`. It only chooses among the keys that are trusted already.
    pub fn x5t(mut self, thumbprint: impl Into<Box<str>>) -> Self {
        self.x5t = Some(thumbprint.into());
        self
    }

    /// Sets the SHA-256 thumbprint of the key's certificate, in base64url: the `x5t#S256` of
    /// tokens.
    pub fn x5t_s256(mut self, thumbprint: impl Into<Box<str>>) -> Self {
        self.x5t_s256 = Some(thumbprint.into());
        self
    }

    /// The one algorithm that the key is used with, whatever a token says.
    pub fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    fn new(key: DecodingKey, algorithm: JwtAlgorithm) -> Result<Self, JwtKeyError> {
        Ok(Self {
            key: admit(key, algorithm)?,
            algorithm,
            issuer: None,
            kid: None,
            x5t: None,
            x5t_s256: None,
        })
    }

    /// The issuer that the key is bound to.
    pub(crate) fn bound_to(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the key, if it is bound, may speak for the issuer that the claims name.
    pub(crate) fn may_sign(&self, claims: &Claims) -> bool {
        let text = |name| claims.get(name).and_then(Value::as_str);
        let Some(bound) = self.bound_to() else {
            return true;
        };
        match (bound.split_once(TENANT), text("iss"), text("tid")) {
            (None, Some(issuer), _) => issuer == bound,
            (Some(template), Some(issuer), Some(tenant)) if !tenant.is_empty() => {
                tenant_in(template, issuer) == Some(tenant)
            }
            _ => false,
        }
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

/// The names of a key, or the names by which a token asks for its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) kid: Option<&'a str>,
    pub(crate) x5t: Option<&'a str>,
    pub(crate) x5t_s256: Option<&'a str>,
}

/// The placeholder for the tenant's id in the `issuer` of a key that several tenants share.
pub(crate) const TENANT: &str = "{tenantid}";

/// Whether the issuer is the one that a key is bound to, or may be one of its tenants.
///
/// The `tid` of a token is not asked: that token is signed with another key, whose holder writes
/// `tid`, too.
pub(crate) fn may_stand_for(bound: &str, issuer: &str) -> bool {
    match bound.split_once(TENANT) {
        None => issuer == bound,
        Some(template) => tenant_in(template, issuer).is_some(),
    }
}

/// The part of an issuer's name that stands where its template has [`TENANT`].
fn tenant_in<'a>((before, after): (&str, &str), issuer: &'a str) -> Option<&'a str> {
    issuer.strip_prefix(before)?.strip_suffix(after)
}

fn jwk_algorithm(jwk: &Jwk) -> Result<JwtAlgorithm, JwtKeyFault> {
    if !is_for_signatures(jwk) {
        return Err(JwtKeyFault::NotForSignatures);
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
        _ => return Err(JwtKeyFault::UnknownKind),
    };
    let Some(named) = jwk.common.key_algorithm else {
        return Ok(by_kind);
    };
    JwtAlgorithm::from_name(&named.to_string())
        .filter(|algorithm| algorithm.family() == by_kind.family())
        .ok_or(JwtKeyFault::WrongAlgorithm)
}

/// RFC 7517, sections 4.2 and 4.3.
fn is_for_signatures(jwk: &Jwk) -> bool {
    let used = |u: &PublicKeyUse| *u == PublicKeyUse::Signature;
    let operated = |ops: &Vec<KeyOperations>| ops.contains(&KeyOperations::Verify);
    jwk.common.public_key_use.as_ref().is_none_or(used)
        && jwk.common.key_operations.as_ref().is_none_or(operated)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithm", &self.algorithm)
            .field("names", &self.names())
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
