use crate::{
    debug_as_display::debug_as_display,
    lines::Lines,
    token::claim::{EntryErrorKind, FormatError},
};

/// Why a list of origins that somebody asks to have in a token is refused.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestedOriginsError {
    /// The list is too long to be looked at.
    #[error("the list is at most {limit} bytes long")]
    Length {
        /// The most bytes.
        limit: usize,
    },
    /// The list has too many entries, which were not looked at.
    #[error("the list has at most {limit} entries")]
    TooMany {
        /// The most entries.
        limit: usize,
    },
    /// The text is not a list in the format expected.
    #[error("the list is not a JSON array of texts")]
    Shape,
    /// No list can be read in the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// These entries are wrong.
    #[error("{}", Lines(.0))]
    Entries(Vec<RequestedEntryError>),
}

debug_as_display!(RequestedOriginsError);

impl RequestedOriginsError {
    /// The entries that are wrong, in their order; none where the list as a whole is.
    pub fn entries(&self) -> &[RequestedEntryError] {
        match self {
            Self::Entries(entries) => entries,
            _ => &[],
        }
    }
}

/// One entry that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {}: {kind}", .index + 1)]
#[non_exhaustive]
pub struct RequestedEntryError {
    /// Which entry it is, counted from 0. The error's text counts from 1.
    pub index: usize,
    /// What is wrong with it.
    pub kind: RequestedEntryErrorKind,
}

debug_as_display!(RequestedEntryError);

/// What is wrong with an entry.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestedEntryErrorKind {
    /// It is not an origin, or not one that may be listed.
    #[error(transparent)]
    Entry(#[from] EntryErrorKind),
    /// It is not written in ASCII, where it could be taken for another origin.
    #[error("write internationalised names in their ASCII form, which begins with xn--")]
    NonAscii,
    /// It is an origin, and not one that the asker has registered.
    #[error("the origin is not registered: register it, or leave it out")]
    NotRegistered,
}

debug_as_display!(RequestedEntryErrorKind);
