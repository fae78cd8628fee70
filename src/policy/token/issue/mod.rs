//! The issuing side: from a request for a token to a token that lists origins.
//!
//! Who asks for a token is a back end with a name and a secret, not a page; and yet what it asks
//! for may come from a page that it serves. So the list is parsed strictly, can be held against
//! what the asker has registered, and is written again in its one canonical form.

mod allowed_origins;
mod format;
#[cfg(feature = "jwt")]
mod mint;
mod request_error;
mod revocable;
mod rules;

pub(super) use self::format::is_delimiter;
#[cfg(feature = "jwt")]
pub use self::mint::{
    MintError, MintedToken, MinterConfigError, SigningKey, TokenMinter, TokenMinterBuilder,
    TokenOrder,
};
pub use self::{
    allowed_origins::AllowedOrigins,
    format::{FormatError, OriginsFormat},
    request_error::{RequestedEntryError, RequestedEntryErrorKind, RequestedOriginsError},
    revocable::Revocable,
    rules::IssueRules,
};
