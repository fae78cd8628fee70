//! Writing tokens that list origins: checking what was asked for, minting, revoking.

mod allowed_origins;
#[cfg(feature = "jwt")]
mod mint;
mod request_error;
mod revocable;
mod rules;

#[cfg(feature = "jwt")]
pub use self::mint::{
    MintError, MintedToken, MinterConfigError, MinterConfigErrors, RemoteMinter, SignFuture,
    Signer, SignerError, SigningKey, TokenMinter, TokenMinterBuilder, TokenOrder,
};
#[cfg(feature = "jwt")]
pub(crate) use self::revocable::id_of;
pub use self::{
    allowed_origins::AllowedOrigins,
    request_error::{RequestedEntryError, RequestedEntryErrorKind, RequestedOriginsError},
    revocable::Revocable,
    rules::IssueRules,
};
