use std::fmt;

use crate::policy::Any;

/// What a list setting takes: [`Any`], or entries that are texts, methods or header names.
///
/// The entry `"*"` in a list stands for [`Any`].
///
/// ```
/// use http::{Method, header};
/// use tower_cors::{Any, Entries};
///
/// let any = Entries::from(Any);
/// let methods = Entries::from([Method::GET, Method::PUT]);
/// let names = Entries::from([header::CONTENT_TYPE]);
/// let texts = Entries::from(vec!["https://example.com"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entries {
    any: bool,
    /// All entries, one behind the other: lists can be long, and are read once.
    text: String,
    ends: Vec<usize>,
}

impl Entries {
    pub(crate) fn has_any(&self) -> bool {
        self.any
    }

    pub(crate) fn listed(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let entry = &self.text[start..end];
            start = end;
            entry
        })
    }

    /// Lists one more.
    pub(crate) fn push(&mut self, entry: &str) {
        self.text.push_str(entry);
        self.ends.push(self.text.len());
    }

    /// The bytes of all that is listed.
    pub(crate) fn listed_bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.any && self.ends.is_empty()
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed: Vec<&str> = self.listed().collect();
        f.debug_struct("Entries")
            .field("any", &self.any)
            .field("listed", &listed)
            .finish()
    }
}

impl From<Any> for Entries {
    fn from(_: Any) -> Self {
        Self {
            any: true,
            ..Self::default()
        }
    }
}

impl<I> From<I> for Entries
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    fn from(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut collected = Self::default();
        collected.ends.reserve(entries.size_hint().0);
        for entry in entries {
            match entry.as_ref() {
                "*" => collected.any = true,
                listed => collected.push(listed),
            }
        }
        collected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_listed_as_they_were_given() {
        let entries = Entries::from(["a", "", "*", "bücher"]);
        assert_eq!(entries.listed().collect::<Vec<_>>(), ["a", "", "bücher"]);
        assert!(entries.has_any());
        assert!(!Entries::from([""]).is_empty());
        assert_ne!(Entries::from(["a", "bc"]), Entries::from(["ab", "c"]));
        assert_eq!(
            format!("{entries:?}"),
            r#"Entries { any: true, listed: ["a", "", "bücher"] }"#
        );
    }
}
