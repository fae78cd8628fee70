use super::verified_token::VerifiedToken;

/// What comes of verifying a token.
pub type VerifyResult = Result<VerifiedToken, VerifyError>;

/// Why a token is not good. The texts are for the operator and hold nothing of the token.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It does not have the form of a token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Its signature, algorithm or key is wrong, or the issuer does not know it.
    #[error("the token is not authentic: {0}")]
    NotAuthentic(&'static str),
    /// It is authentic, and meant for somebody else, or issued by somebody else.
    #[error("the token is for another audience or of another issuer")]
    Misdirected,
    /// It is authentic, and not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is authentic, and its time is over. `expiry` says since when.
    #[error("the token has expired")]
    Expired(VerifiedToken),
    /// It is authentic and bound to a key, and the request does not prove that its sender holds
    /// the key.
    #[error("proof of possession failed: {0}")]
    ProofOfPossession(&'static str),
    /// It was authentic, and has been withdrawn.
    #[error("the token has been revoked")]
    Revoked,
    /// Nobody can tell for now: keys or the issuer are out of reach.
    #[error("the token cannot be verified for now: {0}")]
    Unavailable(&'static str),
}
