/// What a [`TokenSource`](super::TokenSource) finds in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Find<T> {
    /// There is no token, or there are credentials of another scheme.
    Nothing,
    /// There are credentials in our scheme that lack the prefix of our tokens.
    Foreign,
    /// There is exactly one token.
    Token(T),
    /// The value in a token's place is not a token.
    Malformed,
    /// Something that other readers may take for a token, and this one does not: `Bearer,x`, `JWT x`.
    Doubtful,
    /// What is there cannot become a token of the allowed length.
    TooLong,
    /// There are several, so that another reader may take another one.
    Several,
}

impl<T> Find<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Find<U> {
        match self {
            Self::Nothing => Find::Nothing,
            Self::Token(token) => Find::Token(change(token)),
            Self::Foreign => Find::Foreign,
            Self::Malformed => Find::Malformed,
            Self::Doubtful => Find::Doubtful,
            Self::TooLong => Find::TooLong,
            Self::Several => Find::Several,
        }
    }
}
