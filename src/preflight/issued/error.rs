/// Why a token cannot be registered, or a revocation not be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is no room.
    #[error("the index is full: it holds at most {limit} entries")]
    Full {
        /// The most entries that it holds.
        limit: usize,
    },
    /// There is a token with this id already.
    #[error("a token with this id is registered already")]
    Known,
    /// The token, or its session, has been revoked.
    #[error("the token or its session has been revoked")]
    Revoked,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token would live too long.
    #[error("the token expires in more than 24 hours")]
    Lifetime,
    /// The token names no origin.
    #[error("the token names no origin")]
    NoOrigin,
    /// The id of a token or session is empty or too long.
    #[error("the id of a token or session has 1 to 256 bytes")]
    Id,
}
