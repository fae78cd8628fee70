/// What was found in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Find<T> {
    /// No token, or one that is for somebody else.
    Nothing,
    /// A value as ours, but without what stands before our tokens.
    Foreign,
    /// A token.
    Token(T),
    /// Something that should be a token and is none.
    Malformed,
    /// Something that cannot be a token of allowed length.
    TooLong,
    /// Several, so that others might take another one than we do.
    Several,
}

#[cfg(test)]
impl<T> Find<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Find<U> {
        match self {
            Self::Nothing => Find::Nothing,
            Self::Token(token) => Find::Token(change(token)),
            Self::Foreign => Find::Foreign,
            Self::Malformed => Find::Malformed,
            Self::TooLong => Find::TooLong,
            Self::Several => Find::Several,
        }
    }
}
