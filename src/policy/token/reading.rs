//! What a token says of origins, once its list has been found.

use super::{EntryErrorKind, EntryRules};
use crate::{origin::Origin, pattern::OriginPattern};

/// What a list may be, and what its entries may say.
#[derive(Clone, Debug)]
pub(super) struct ListRules {
    pub(super) entries: EntryRules,
    /// The most entries that a list may have.
    pub(super) max_entries: usize,
    /// The longest list that is looked at, in bytes.
    pub(super) max_len: usize,
    /// Whether `*` lists any origin.
    pub(super) honours_star: bool,
}

impl Default for ListRules {
    fn default() -> Self {
        Self {
            entries: EntryRules::new(),
            max_entries: 64,
            max_len: 8 * 1024,
            honours_star: false,
        }
    }
}

impl ListRules {
    pub(super) fn check_len(&self, len: usize) -> Result<(), ListError> {
        match len <= self.max_len {
            true => Ok(()),
            false => Err(ListError::TooLong),
        }
    }
}

/// Why a list is not looked at. A list beyond a bound is refused, never cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListError {
    #[error("its list of origins has the wrong type")]
    Shape,
    #[error("its list of origins, or one entry, is too long")]
    TooLong,
}

/// What the claims say of origins.
#[derive(Debug, Default)]
pub(super) enum Reading {
    #[default]
    Missing,
    Unreadable(ListError),
    Listed(ListedInToken),
}

/// How a list names an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By an entry of its own, or a wildcard.
    Itself,
    /// As every other one.
    ByStar,
}

impl Reading {
    pub(super) fn names(&self, origin: &Origin) -> Option<Named> {
        match self {
            Self::Listed(list) => list.names(origin),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }

    /// The bytes that it holds on the heap, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Listed(list) => {
                let texts: usize = list.entries.iter().map(|entry| entry.as_str().len()).sum();
                texts + list.entries.capacity() * size_of::<OriginPattern>()
            }
            Self::Missing | Self::Unreadable(_) => 0,
        }
    }
}

/// The origins that a token lists.
///
/// They are compared one after the other: there are few, and a stranger who fills a hash table
/// may choose what collides in it.
#[derive(Clone, Debug, Default)]
pub(super) struct ListedInToken {
    pub(super) entries: Vec<OriginPattern>,
    /// Entries that are no origins, or none that may be listed.
    skipped: usize,
    /// Entries that are `*`, where that counts.
    stars: usize,
}

impl ListedInToken {
    fn names(&self, origin: &Origin) -> Option<Named> {
        if self.entries.iter().any(|entry| entry.matches(origin)) {
            return Some(Named::Itself);
        }
        (self.stars > 0).then_some(Named::ByStar)
    }

    pub(super) fn skipped(&self) -> usize {
        self.skipped
    }

    /// Takes an entry, or what is none, within the bounds.
    pub(super) fn add(&mut self, entry: Option<&str>, rules: &ListRules) -> Result<(), ListError> {
        match entry.map(|entry| rules.entries.parse(entry)) {
            // `a;;b;` has two entries.
            Some(Err(EntryErrorKind::Empty)) => return Ok(()),
            Some(Err(EntryErrorKind::Length)) => return Err(ListError::TooLong),
            Some(Ok(entry)) => self.entries.push(entry),
            Some(Err(EntryErrorKind::Special))
                if rules.honours_star && entry.map(str::trim_ascii) == Some("*") =>
            {
                self.stars += 1;
            }
            Some(Err(_)) | None => self.skipped += 1,
        }
        match self.entries.len() + self.skipped + self.stars <= rules.max_entries {
            true => Ok(()),
            false => Err(ListError::TooLong),
        }
    }
}
