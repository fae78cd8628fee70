use std::{fmt, time::Duration};

/// One mistake in the configuration of [`TokenOrigins`](crate::token::TokenOrigins).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenConfigError {
    /// Nobody verifies tokens.
    #[error("verifier: there is none: a token that nobody verifies proves nothing")]
    MissingVerifier,
    /// There is no place where a token may be.
    #[error("source: there is none: say where the token travels, as with `TokenSource::bearer()`")]
    MissingSource,
    /// A place cannot hold a token.
    #[error("source: {0}")]
    Source(&'static str),
    /// Nobody says where the origins are.
    #[error("claim: there is none: say where the origins are, as with `OriginsClaim::array(..)`")]
    MissingClaim,
    /// The claim cannot be read.
    #[error("claim: {0}")]
    Claim(&'static str),
    /// No token could be that short.
    #[error("max_token_len: 0 refuses every token")]
    MaxTokenLen,
    /// No list could be that short.
    #[error("max_entries: 0 refuses every list")]
    MaxEntries,
    /// No list could be that short.
    #[error("max_list_len: 0 refuses every list")]
    MaxListLen,
    /// Revoked tokens could be read of again.
    #[error("expired_grace: {0:?}: at most 1h, because revocations are remembered for that long")]
    ExpiredGrace(Duration),
}

/// Every mistake in the configuration of [`TokenOrigins`](crate::token::TokenOrigins).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfigErrors(pub(super) Vec<TokenConfigError>);

impl TokenConfigErrors {
    /// The mistakes, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &TokenConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for TokenConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TokenConfigErrors {}
