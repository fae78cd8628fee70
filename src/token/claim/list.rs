//! What a token says of origins, once its list has been found.

use super::entry::{EntryErrorKind, ListRules};
use crate::origin::{Origin, OriginPattern};

/// What a list may be, and what its entries may say.
#[derive(Clone, Debug)]
pub(crate) struct ListLimits {
    pub(crate) entries: ListRules,
    /// The most entries that a list may have.
    pub(crate) max_entries: usize,
    /// The longest list that is looked at, in bytes.
    pub(crate) max_len: usize,
    /// Whether `*` lists any origin.
    pub(crate) honours_star: bool,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            entries: ListRules::new(),
            max_entries: 64,
            max_len: 8 * 1024,
            honours_star: false,
        }
    }
}

impl ListLimits {
    pub(crate) fn check_len(&self, len: usize) -> Result<(), ListError> {
        if len <= self.max_len {
            Ok(())
        } else {
            Err(ListError::TooLong)
        }
    }
}

/// Why a list is not looked at. A list beyond a bound is refused, never cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListError {
    #[error("its list of origins has the wrong type")]
    Shape,
    #[error("its list of origins, or one entry, is too long")]
    TooLong,
}

/// What the claims say of origins.
#[derive(Debug, Default)]
pub(crate) enum Reading {
    #[default]
    Missing,
    Unreadable(ListError),
    Listed(ListedInToken),
}

/// How a list names an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// By an entry of its own, or a wildcard.
    Itself,
    /// As every other one.
    ByStar,
}

impl Reading {
    pub(crate) fn names(&self, origin: &Origin) -> Option<Named> {
        match self {
            Self::Listed(list) => list.names(origin),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }

    /// The bytes that it holds on the heap, about.
    pub(crate) fn size(&self) -> usize {
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
pub(crate) struct ListedInToken {
    pub(crate) entries: Vec<OriginPattern>,
    /// ConfigList that are no origins, or none that may be listed.
    skipped: usize,
    /// ConfigList that are `*`, where that counts.
    stars: usize,
}

impl ListedInToken {
    fn names(&self, origin: &Origin) -> Option<Named> {
        if self.entries.iter().any(|entry| entry.matches(origin)) {
            return Some(Named::Itself);
        }
        (self.stars > 0).then_some(Named::ByStar)
    }

    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }

    /// Takes an entry, or what is none, within the bounds.
    pub(crate) fn add(&mut self, entry: Option<&str>, rules: &ListLimits) -> Result<(), ListError> {
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
        if self.entries.len() + self.skipped + self.stars <= rules.max_entries {
            Ok(())
        } else {
            Err(ListError::TooLong)
        }
    }
}
