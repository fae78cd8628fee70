//! The list of origins that a token sent: read, and bounded.

use serde_json::Value;

use super::{entry::ListRules, entry_error::EntryErrorKind};
use crate::origin::{Origin, OriginPattern};

/// What a list may be, and what its entries may say.
#[derive(Clone, Debug)]
pub(crate) struct ListLimits {
    pub(crate) entries: ListRules,
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: usize,
    /// Whether `*` lists any origin.
    pub(crate) honours_star: bool,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            entries: ListRules::new(),
            max_entries: 64,
            max_bytes: 8 * 1024,
            honours_star: false,
        }
    }
}

impl ListLimits {
    pub(crate) fn check_bytes(&self, bytes: usize) -> Result<(), ListError> {
        let max = self.max_bytes;
        if bytes <= max {
            Ok(())
        } else {
            Err(ListError::Bytes { bytes, max })
        }
    }
}

/// Why a list is not looked at. A list beyond a bound is refused, never cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListError {
    #[error("it is {found}, and {expected} is expected: say with OriginsClaim how it is written")]
    Shape {
        found: &'static str,
        expected: &'static str,
    },
    #[error("its text is not the JSON that is expected in it")]
    Json,
    #[error("it has {bytes} bytes, and max_list_bytes is {max}")]
    Bytes { bytes: usize, max: usize },
    #[error("it has more entries than max_entries, which is {max}")]
    Entries { max: usize },
    #[error("one entry has {bytes} bytes, and ListRules::max_entry_bytes is {max}")]
    EntryBytes { bytes: usize, max: usize },
}

/// What the claims say of origins.
#[derive(Debug, Default)]
pub(crate) enum ClaimReading {
    /// There is no such claim.
    #[default]
    Missing,
    Unreadable(ListError),
    Listed(SentList),
}

/// How a list names an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// By an entry for it, perhaps with a wildcard.
    Entry,
    /// By a `*`, which names every origin.
    Star,
}

impl ClaimReading {
    pub(crate) fn names(&self, origin: &Origin) -> Option<NamedBy> {
        match self {
            Self::Listed(list) => list.names(origin),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }

    /// The bytes that it holds on the heap, about.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Listed(list) => list.size(),
            Self::Missing | Self::Unreadable(_) => 0,
        }
    }
}

/// The origins that a token lists.
///
/// They are compared one after the other: there are few, and a stranger who fills a hash table
/// may choose what collides in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentList {
    pub(crate) entries: Vec<OriginPattern>,
    skipped: usize,
    first_skipped: Option<SkippedEntry>,
    /// Entries that are `*`, where that counts.
    stars: usize,
}

/// An entry that names nobody, for the operator: the beginning of it, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct SkippedEntry {
    text: Box<str>,
    kind: EntryErrorKind,
}

impl SentList {
    fn names(&self, origin: &Origin) -> Option<NamedBy> {
        if self.entries.iter().any(|entry| entry.matches(origin)) {
            return Some(NamedBy::Entry);
        }
        (self.stars > 0).then_some(NamedBy::Star)
    }

    fn size(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.as_str().len()).sum();
        let skipped = self
            .first_skipped
            .as_ref()
            .map_or(0, |entry| entry.text.len());
        texts + skipped + self.entries.capacity() * size_of::<OriginPattern>()
    }

    /// How many entries name nobody, and the first of them.
    pub(crate) fn skipped(&self) -> Option<(usize, &SkippedEntry)> {
        Some((self.skipped, self.first_skipped.as_ref()?))
    }

    /// Takes an element, or counts it as one that names nobody, within the bounds.
    pub(crate) fn add_value(
        &mut self,
        value: &Value,
        limits: &ListLimits,
    ) -> Result<(), ListError> {
        match value.as_str() {
            Some(text) => self.add(text, limits),
            None => {
                self.skip(shape_of(value), EntryErrorKind::NotText);
                self.check_len(limits)
            }
        }
    }

    pub(crate) fn add(&mut self, entry: &str, limits: &ListLimits) -> Result<(), ListError> {
        match limits.entries.parse(entry) {
            // `a;;b;` has two entries.
            Err(EntryErrorKind::Empty) => return Ok(()),
            Err(EntryErrorKind::Length) => {
                let (bytes, max) = (entry.len(), limits.entries.most_entry_bytes());
                return Err(ListError::EntryBytes { bytes, max });
            }
            Ok(entry) => self.entries.push(entry),
            Err(EntryErrorKind::Special) if limits.honours_star && entry.trim_ascii() == "*" => {
                self.stars += 1;
            }
            Err(kind) => self.skip(entry.trim_ascii(), kind),
        }
        self.check_len(limits)
    }

    fn skip(&mut self, entry: &str, kind: EntryErrorKind) {
        const SHOWN: usize = 80;
        self.skipped += 1;
        self.first_skipped.get_or_insert_with(|| {
            let mut text: String = entry
                .chars()
                .take(SHOWN)
                .flat_map(char::escape_debug)
                .collect();
            if entry.chars().nth(SHOWN).is_some() {
                text.push_str("...");
            }
            let text = text.into();
            SkippedEntry { text, kind }
        });
    }

    fn check_len(&self, limits: &ListLimits) -> Result<(), ListError> {
        let max = limits.max_entries;
        if self.entries.len() + self.skipped + self.stars <= max {
            Ok(())
        } else {
            Err(ListError::Entries { max })
        }
    }
}

impl std::fmt::Display for SkippedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\": {}", self.text, self.kind)?;
        match self.kind.setting() {
            Some(setting) => write!(f, "; {setting} lets it in"),
            None => Ok(()),
        }
    }
}

pub(crate) fn shape_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_of_entries_and_of_the_text_that_is_kept() {
        let limits = ListLimits::default();
        let mut list = SentList::default();
        assert_eq!(list.size(), 0);
        for entry in ["https://a.example", "https://bc.example"] {
            list.add(entry, &limits).unwrap();
        }
        let entries = 17 + 18 + list.entries.capacity() * size_of::<OriginPattern>();
        assert_eq!(list.size(), entries);
        // Only the first of those that name nobody is kept.
        for entry in ["null", "https://"] {
            list.add(entry, &limits).unwrap();
        }
        assert_eq!(ClaimReading::Listed(list).size(), entries + 4);
        assert_eq!(ClaimReading::Missing.size(), 0);
        let unreadable = ClaimReading::Unreadable(ListError::Json);
        assert_eq!(unreadable.size(), 0);
    }
}
