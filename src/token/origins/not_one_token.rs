/// Why there is not exactly one token, of a form and length that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOneToken {
    #[error("there are different tokens in two places")]
    Different,
    #[error("there are several tokens in one place")]
    Several,
    #[error("there is a header that another reader may take for a token")]
    Doubtful,
    #[error("there is a token beside credentials of another kind")]
    BesideOthers,
    #[error("there is no token where one should be")]
    Malformed,
    #[error("the token has {bytes} bytes, and max_token_bytes is {max}")]
    Length { bytes: usize, max: usize },
    /// So long that it was not decoded.
    #[error("the token has more bytes than max_token_bytes, {max}")]
    TooLong { max: usize },
}

impl NotOneToken {
    /// What to do instead. A new token would change nothing.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::Different | Self::Several => "send one token",
            Self::Doubtful => "send the scheme, one space and the token, and nothing else",
            Self::BesideOthers => "send the token alone in the header",
            Self::Malformed => "send the token there, or leave the place out",
            Self::Length { .. } | Self::TooLong { .. } => {
                "raise max_token_bytes, or issue a shorter token"
            }
        }
    }
}
