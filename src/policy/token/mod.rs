//! Origins carried by a token: where it travels, who verifies it, and what it says.

mod authenticate;
mod builder;
mod cache;
mod claims;
mod entry;
mod issue;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
mod origins_claim;
mod policy;
mod presets;
mod source;
mod token_key;
mod verifier;

#[cfg(feature = "jwt")]
pub use self::issue::{
    MintError, MintedToken, MinterConfigError, SigningKey, TokenMinter, TokenMinterBuilder,
    TokenOrder,
};
#[cfg(feature = "jwt")]
pub use self::jwt::{JwtAlgorithm, JwtError, JwtKey, JwtKeys, JwtVerifier, JwtVerifierBuilder};
pub use self::{
    builder::{TokenConfigError, TokenConfigErrors, TokenOriginsBuilder},
    claims::{Claims, ClaimsError},
    entry::{EntryErrorKind, EntryRules},
    issue::{
        AllowedOrigins, FormatError, IssueRules, OriginsFormat, RequestedEntryError,
        RequestedEntryErrorKind, RequestedOriginsError, Revocable,
    },
    origins_claim::OriginsClaim,
    policy::{MissingClaim, TokenOrigins},
    source::{CookieSource, HeaderSource, QuerySource, TokenSource, VerifiedOrigins},
    verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult},
};
