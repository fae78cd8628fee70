use std::time::Duration;

use crate::{debug_as_display::debug_as_display, token::verify::BuildErrors};

/// One mistake in the configuration of [`TokenOrigins`](crate::token::TokenOrigins).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenConfigError {
    /// There is no verifier.
    #[error("verifier: there is none: a token that nobody verifies proves nothing")]
    MissingVerifier,
    /// There is no place where a token may be.
    #[error("source: there is none: say where the token travels, as with `TokenSource::bearer()`")]
    MissingSource,
    /// A place cannot hold a token.
    #[error("source: {0}")]
    Source(&'static str),
    /// There is no claim with the origins.
    #[error("claim: there is none: say where the origins are, as with `OriginsClaim::array(..)`")]
    MissingClaim,
    /// The claim cannot be read.
    #[error("claim: {0}")]
    Claim(&'static str),
    /// No token could be that short.
    #[error("max_token_bytes: 0 refuses every token")]
    MaxTokenBytes,
    /// No list could be that short.
    #[error("max_entries: 0 refuses every list")]
    MaxEntries,
    /// No list could be that short.
    #[error("max_list_bytes: 0 refuses every list")]
    MaxListBytes,
    /// The grace is longer than revocations are remembered.
    #[error("expired_grace: {0:?}: at most 1h, because revocations are remembered for that long")]
    ExpiredGrace(Duration),
}

debug_as_display!(TokenConfigError);

/// Every mistake in the configuration of [`TokenOrigins`](crate::token::TokenOrigins).
pub type TokenConfigErrors = BuildErrors<TokenConfigError>;
