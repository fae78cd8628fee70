use std::time::Duration;

/// Why keys or rules cannot verify anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// `jsonwebtoken` has no cryptography to work with, or cannot choose between two.
    #[error(
        "jsonwebtoken has no single backend: turn on the feature `jwt-rust-crypto`, or exactly one \
         of jsonwebtoken's `aws_lc_rs` and `rust_crypto`, or install a `CryptoProvider`"
    )]
    Backend,
    /// There is no key.
    #[error("keys: there is none, so that every token would be refused")]
    MissingKeys,
    /// Something is not a key, or not one of the algorithm that it is meant for.
    #[error("key {0:?}: {1}")]
    Key(String, &'static str),
    /// Two keys answer to the same name, so that a token could not say which it means.
    #[error("keys: two of them answer to {0:?}: give each its own kid or thumbprint")]
    DuplicateKey(String),
    /// A key can never be chosen, since a token has nothing to choose it by.
    #[error(
        "keys: one has neither kid nor thumbprint: name it, or let it be the only key and call \
         `accept_unnamed_key`"
    )]
    UnnamedKey,
    /// Which of several keys is meant by a token that does not say?
    #[error("keys: `accept_unnamed_key` is for a single key, and there are {0}: leave it out")]
    SeveralKeys(usize),
    /// `exp` and `nbf` would have no meaning, and revocations would be forgotten too early.
    #[error("leeway: {0:?}: at most 5min; set the clocks by NTP")]
    Leeway(Duration),
}
