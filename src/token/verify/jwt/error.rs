use crate::{debug_as_display::debug_as_display, token::verify::ClaimRuleError};

/// Why keys cannot verify anything.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtKeyError {
    /// `jsonwebtoken` has no cryptography to work with, or cannot choose between two.
    #[error(
        "jsonwebtoken has no single backend: turn on the feature `jwt-rust-crypto`, or exactly one \
         of jsonwebtoken's `aws_lc_rs` and `rust_crypto`, or install a `CryptoProvider`"
    )]
    Backend,
    /// A key, by its `kid`, cannot be used.
    #[error("key {0:?}: {1}")]
    Key(String, JwtKeyFault),
    /// Two keys answer to the same name, so that a token could not say which it means.
    #[error("keys: two of them answer to {0:?}: give each its own kid or thumbprint")]
    DuplicateKey(String),
    /// A key can never be chosen, since a token has nothing to choose it by.
    #[error(
        "keys: one has neither kid nor thumbprint: name it, or let it be the only key and call \
         `accept_unnamed_key`"
    )]
    UnnamedKey,
    /// A text is not a JWK set.
    #[error("keys: not a JWK set: a JSON object with an array \"keys\", and no key twice")]
    NotASet,
}

debug_as_display!(JwtKeyError);

/// What is wrong with a key.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtKeyFault {
    /// A text is not a key in PEM.
    #[error("not a PEM of a key of that algorithm")]
    NotPem,
    /// A text is not a JSON Web Key.
    #[error("not a JSON Web Key (RFC 7517)")]
    NotJwk,
    /// A name of the key has another JSON type.
    #[error("its `kid`, `x5t`, `x5t#S256` or `issuer` is not a text")]
    NameIsNotText,
    /// A name is empty.
    #[error("its kid is empty")]
    EmptyKid,
    /// The private half is for the issuer alone.
    #[error("it is a private key: take its public half, and consider the private one leaked")]
    Private,
    /// Only a private key can sign.
    #[error("not a private key of that algorithm")]
    NotPrivate,
    /// Its `use` or `key_ops` says so.
    #[error("it is not for verifying signatures, by its `use` or `key_ops`")]
    NotForSignatures,
    /// Another key type or curve.
    #[error("not a public key of a kind that is understood: RSA, P-256, P-384 or Ed25519")]
    UnknownKind,
    /// Its `alg` is unknown, or for another type of key.
    #[error("its `alg` is not one for such a key")]
    WrongAlgorithm,
    /// It is of another type than the algorithm, or broken.
    #[error("not a key of that algorithm")]
    NotOfAlgorithm,
    /// RFC 7518, sections 3.3 and 3.5.
    #[error("an RSA key has 2048 to 8192 bits, and this one {0}")]
    RsaSize(usize),
    /// An even exponent, or 1, makes no signature scheme.
    #[error("the public exponent of an RSA key is odd, and at least 3")]
    RsaExponent,
    /// The cryptography behind `jsonwebtoken` cannot work with it.
    #[error("the backend of jsonwebtoken cannot work with it: RustCrypto takes up to 4096 bits")]
    Backend,
    /// RFC 7518, section 3.2.
    #[error("a secret has at least {0} bytes, as many as the hash of its algorithm")]
    ShortSecret(usize),
    /// A secret is for HMAC, and nothing else is.
    #[error("a secret is for HS256, HS384 and HS512, and they are for nothing else")]
    SecretAlgorithm,
    /// With a secret, every verifier could make tokens.
    #[error("a secret cannot sign: every service that verifies its tokens could make some")]
    SecretSigns,
}

debug_as_display!(JwtKeyFault);

impl JwtKeyFault {
    pub(crate) fn of(self, kid: Option<&str>) -> JwtKeyError {
        JwtKeyError::Key(kid.unwrap_or_default().to_owned(), self)
    }
}

/// One mistake in the configuration of a [`JwtVerifier`](super::JwtVerifier).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// There is no key.
    #[error("keys: there is none, so that every token would be refused")]
    MissingKeys,
    /// The keys do not go together.
    #[error(transparent)]
    Keys(#[from] JwtKeyError),
    /// Which of several keys is meant by a token that does not say?
    #[error("keys: `accept_unnamed_key` is for a single key, and there are {0}: leave it out")]
    SeveralKeys(usize),
    /// A key would speak for every issuer, those of other keys among them.
    #[error(
        "key {0:?}: it belongs to no issuer, and another key does, or there are several issuers: \
         bind it with `JwtKey::issuer`, or make a verifier for each issuer and put them into \
         `Issuers`"
    )]
    UnboundKey(String),
    /// A key belongs to an issuer that is not accepted.
    #[error("key {0:?}: belongs to {1:?}, which is not one of the issuers")]
    ForeignKey(String, String),
    /// What a token has to say.
    #[error(transparent)]
    Rules(#[from] ClaimRuleError),
}

debug_as_display!(JwtConfigError);
