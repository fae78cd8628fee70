use std::time::Duration;

use super::signer::SignerError;
use crate::{
    debug_as_display::debug_as_display,
    preflight::RegisterError,
    token::{
        claim::FormatError,
        verify::{BuildErrors, jwt::JwtAlgorithm},
    },
};

/// The longest that a token may live.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// The longest token that is minted, in bytes, with its prefix.
pub(crate) const MAX_TOKEN_LEN: usize = 8 * 1024;

/// Why a token cannot be minted. Nothing has been issued or registered then.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// An extra claim would replace one that the minter sets.
    #[error("the claim {0:?} is set by the minter: leave it out")]
    ReservedClaim(String),
    /// The lifetime is shorter than a second or longer than the minter's.
    #[error("a lifetime is 1 second to {most} seconds")]
    Lifetime {
        /// The most seconds.
        most: u64,
    },
    /// The claim has no room for the list.
    #[error("the claim cannot hold the list: {0}")]
    Format(FormatError),
    /// The list has a wildcard, which an index of issued origins cannot hold.
    #[error("issued origins are looked up one by one: name each origin instead of a wildcard")]
    Wildcard,
    /// The session has been revoked.
    #[error("the session has been revoked: no token may be issued for it")]
    Revoked,
    /// The index of issued origins does not take the token.
    #[error(transparent)]
    Index(#[from] RegisterError),
    /// The token would be longer than readers look at.
    #[error(
        "the token would be longer than {} bytes: leave out claims",
        MAX_TOKEN_LEN
    )]
    TooLong,
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: check its random source")]
    Random,
    /// The clock shows no time that a token can state.
    #[error("the clock is out of range")]
    Clock,
    /// The key does not sign.
    #[error("the key does not sign")]
    Signature,
    /// The signer has no signature to give.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The signature does not have the length that the signer's algorithm gives.
    #[error(
        "the signer gave {found} bytes, and a signature of {} has {}: give it in binary, and \
         nothing else",
        algorithm.name(),
        lengths(*algorithm)
    )]
    SignatureLength {
        /// The signer's algorithm.
        algorithm: JwtAlgorithm,
        /// The length of what it gave, in bytes.
        found: usize,
    },
    /// The signer gave an ECDSA signature in the form that most services give, which is not that of
    /// tokens.
    #[error(
        "the signer gave {found} bytes of DER: give the {} of R || S (RFC 7518, section 3.4)",
        lengths(*algorithm)
    )]
    DerSignature {
        /// The signer's algorithm.
        algorithm: JwtAlgorithm,
        /// The length of what it gave, in bytes.
        found: usize,
    },
}

debug_as_display!(MintError);

/// By hand, because `#[from]` would make the error a source as well: its text is a part of this one's.
impl From<FormatError> for MintError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

fn lengths(algorithm: JwtAlgorithm) -> String {
    let lengths = algorithm.signature_lens();
    match (lengths.start(), lengths.end()) {
        (least, most) if least == most => format!("{most} bytes"),
        (least, most) => format!("{least} to {most} bytes"),
    }
}

/// One mistake in the configuration of a [`TokenMinter`](crate::token::issue::TokenMinter).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MinterConfigError {
    /// The issuer is empty, so that nobody could tell whose token it is.
    #[error("issuer: it is empty: name the service that issues the tokens")]
    Issuer,
    /// The audience is empty, so that the token would be good anywhere.
    #[error("audience: it is empty: name the service that the tokens are for")]
    Audience,
    /// The signer's key has a name that names nothing.
    #[error("signer: its key_id is empty: name the key, or say None")]
    KeyId,
    /// The list cannot be written into the claim.
    #[error("claim: {0}")]
    Claim(&'static str),
    /// The lifetime is shorter than a second, or longer than 8 hours.
    #[error("lifetime: {seconds} seconds: write 1 to {most} seconds", most = MAX_LIFETIME.as_secs())]
    Lifetime {
        /// The lifetime.
        seconds: u64,
    },
    /// The claim of the session is one that the minter sets, or empty.
    #[error("session_claim: {0:?}: name another claim where the revocations are configured")]
    SessionClaim(String),
    /// The index closes the preflights of other revocations than these.
    #[error("revocations: the index has a list of its own: build it with IssuedIndex::sharing")]
    Revocations,
}

debug_as_display!(MinterConfigError);

/// Every mistake in the configuration of a [`TokenMinter`](crate::token::issue::TokenMinter).
pub type MinterConfigErrors = BuildErrors<MinterConfigError>;
