use std::{borrow::Cow, collections::BTreeSet, env, fmt, sync::Arc};

use http::{HeaderName, HeaderValue, Method};

use crate::{
    error::{ConfigError, Place},
    origin::{Origin, OriginPattern},
};

/// Anything: any origin, any method, any request header, or all response headers.
///
/// As a policy it grants every request the literal `*`, never with credentials, and its answers
/// have no `Vary`. This is safe for public data. It is not safe for a service that is only
/// protected by a private network: any page that a user inside opens could read it.
///
/// ```
/// use tower_cors::{Any, CorsLayer, error::{ConfigError, OriginSetting}};
///
/// let cors = CorsLayer::builder().allow_origins(Any).build()?;
///
/// // Every site could act as the signed-in user:
/// let errors = CorsLayer::builder()
///     .allow_origins(Any)
///     .allow_credentials(true)
///     .build()
///     .unwrap_err();
/// let setting = OriginSetting::AllowOrigins;
/// assert_eq!(errors.into_iter().next(), Some(ConfigError::AnyOriginWithCredentials { setting }));
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit value, written in configurations"
)]
pub struct Any;

/// What a list setting takes: [`Any`], one entry, several entries, or a text with several entries.
///
/// An entry is a text, a method, a header name, an origin or an origin pattern. The entry `"*"`
/// stands for [`Any`]. A single text is a list by itself, as environment variables have it: its
/// entries are separated by commas, semicolons or white space, and empty ones do not count. In an
/// array, each text is one entry. Collect other iterators with [`FromIterator`].
///
/// ```
/// use http::{Method, header};
/// use tower_cors::{Any, CorsLayer, lists::ConfigList};
///
/// let any = ConfigList::from(Any);
/// let methods = ConfigList::from([Method::GET, Method::PUT]);
/// let one = ConfigList::from(header::ETAG);
/// let text = ConfigList::from("https://a.example, https://b.example,");
/// assert_eq!(text, ConfigList::from(["https://a.example", "https://b.example"]));
///
/// // An entry with a comma in it is a mistake, not two entries.
/// let joined = ["https://a.example,https://b.example"];
/// assert!(CorsLayer::builder().allow_origins(joined).build().is_err());
/// ```
#[derive(Clone, Default)]
pub struct ConfigList {
    any: bool,
    /// All entries in one string: a list can have a million, which would otherwise be as many
    /// allocations.
    text: String,
    ends: Vec<usize>,
    source: Option<Source>,
}

/// Where a text with several entries comes from, so that errors can say where in it they are.
#[derive(Clone, Debug)]
enum Source {
    Text,
    Variable(Arc<str>),
    /// A variable that is not set, or not UTF-8.
    Missing(Arc<str>),
}

impl ConfigList {
    /// The entries in an environment variable: a text like `https://a.example,https://b.example`.
    ///
    /// Errors name the variable and the position. A variable that is not set is a mistake when the
    /// layer is built; one that is set and empty is an empty list, which allows nobody.
    ///
    /// ```no_run
    /// use tower_cors::{CorsLayer, lists::ConfigList};
    ///
    /// let cors = CorsLayer::builder()
    ///     .allow_origins(ConfigList::from_env("ALLOWED_ORIGINS"))
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn from_env(variable: &str) -> Self {
        match env::var(variable) {
            Ok(text) => Self {
                source: Some(Source::Variable(variable.into())),
                ..Self::from(text)
            },
            // Not reported here: `build` reports it together with all other mistakes.
            Err(_) => Self {
                source: Some(Source::Missing(variable.into())),
                ..Self::default()
            },
        }
    }

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

    /// Whether it says nothing: it has no entry, and its variable is not missing.
    pub(crate) fn is_blank(&self) -> bool {
        !self.any && self.ends.is_empty() && self.missing_variable().is_none()
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: &str) {
        self.text.push_str(entry);
        self.ends.push(self.text.len());
    }

    /// The length of all entries together, in bytes.
    pub(crate) fn listed_bytes(&self) -> usize {
        self.text.len()
    }

    /// Where the entry with this index stands, for errors.
    pub(crate) fn place(&self, index: usize) -> Place {
        match &self.source {
            None => Place::default(),
            Some(Source::Text) => Place::new(None, index),
            Some(Source::Variable(name) | Source::Missing(name)) => {
                Place::new(Some(Arc::clone(name)), index)
            }
        }
    }

    /// The variable that the list should come from, and that is not set.
    pub(crate) fn missing_variable(&self) -> Option<&str> {
        match &self.source {
            Some(Source::Missing(name)) => Some(name),
            _ => None,
        }
    }

    /// Reports a variable that is not set, as a mistake in this setting.
    pub(crate) fn check_variable(&self, setting: &'static str, errors: &mut Vec<ConfigError>) {
        errors.extend(
            self.missing_variable()
                .map(|variable| ConfigError::MissingVariable {
                    setting,
                    variable: variable.to_owned(),
                }),
        );
    }

    fn add(&mut self, entry: &str) {
        // In every list, `*` stands for any: so files and environment variables can say it.
        if entry == "*" {
            self.any = true;
        } else {
            self.push(entry);
        }
    }
}

/// Two lists with the same entries are equal, wherever these come from.
impl PartialEq for ConfigList {
    fn eq(&self, other: &Self) -> bool {
        self.any == other.any && self.text == other.text && self.ends == other.ends
    }
}

impl Eq for ConfigList {}

impl fmt::Debug for ConfigList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed: Vec<&str> = self.listed().collect();
        f.debug_struct("ConfigList")
            .field("any", &self.any)
            .field("listed", &listed)
            .finish()
    }
}

impl From<Any> for ConfigList {
    fn from(_: Any) -> Self {
        Self {
            any: true,
            ..Self::default()
        }
    }
}

/// The entries in a text.
impl From<&str> for ConfigList {
    fn from(text: &str) -> Self {
        let mut list = Self {
            source: Some(Source::Text),
            ..Self::default()
        };
        text.split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .for_each(|entry| list.add(entry));
        list
    }
}

impl<T: ListEntry> FromIterator<T> for ConfigList {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut list = Self::default();
        // Only the number of entries is known beforehand, not their length.
        list.ends.reserve(entries.size_hint().0);
        for entry in entries {
            list.add(&entry.text());
        }
        list
    }
}

/// An entry of a [`ConfigList`]: a text, or a value that has a textual form.
///
/// Implemented for texts, [`Method`], [`HeaderName`], [`HeaderValue`], [`Origin`] and
/// [`OriginPattern`], and for references to them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entry of a list: pass texts, methods, header names or origins"
)]
pub trait ListEntry {
    /// The entry as a text.
    fn text(&self) -> Cow<'_, str>;
}

impl<T: ListEntry + ?Sized> ListEntry for &T {
    fn text(&self) -> Cow<'_, str> {
        (**self).text()
    }
}

macro_rules! written_as_str {
    ($($entry:ty),*) => {
        $(impl ListEntry for $entry {
            fn text(&self) -> Cow<'_, str> {
                Cow::Borrowed(self.as_ref())
            }
        })*
    };
}

written_as_str!(
    str,
    String,
    Cow<'_, str>,
    Box<str>,
    Arc<str>,
    Method,
    HeaderName
);

impl ListEntry for HeaderValue {
    fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

impl ListEntry for Origin {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }
}

impl ListEntry for OriginPattern {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }
}

// Not one blanket implementation for all iterators: it would leave no room for single entries.
impl<T: ListEntry, const N: usize> From<[T; N]> for ConfigList {
    fn from(entries: [T; N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<T: ListEntry, const N: usize> From<&[T; N]> for ConfigList {
    fn from(entries: &[T; N]) -> Self {
        entries.iter().collect()
    }
}

impl<T: ListEntry> From<&[T]> for ConfigList {
    fn from(entries: &[T]) -> Self {
        entries.iter().collect()
    }
}

impl<T: ListEntry> From<Vec<T>> for ConfigList {
    fn from(entries: Vec<T>) -> Self {
        entries.into_iter().collect()
    }
}

impl<T: ListEntry> From<&Vec<T>> for ConfigList {
    fn from(entries: &Vec<T>) -> Self {
        entries.iter().collect()
    }
}

impl<T: ListEntry> From<BTreeSet<T>> for ConfigList {
    fn from(entries: BTreeSet<T>) -> Self {
        entries.into_iter().collect()
    }
}

macro_rules! text_with_entries {
    ($($text:ty),*) => {
        $(impl From<$text> for ConfigList {
            fn from(text: $text) -> Self {
                let text: &str = text.as_ref();
                Self::from(text)
            }
        })*
    };
}

text_with_entries!(String, &String, Cow<'_, str>, Box<str>);

macro_rules! single_entry {
    ($($entry:ty),*) => {
        $(impl From<$entry> for ConfigList {
            fn from(entry: $entry) -> Self {
                Self::from_iter([entry])
            }
        })*
    };
}

single_entry!(Method, HeaderName, HeaderValue, Origin, OriginPattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_list() {
        let list = ConfigList::from(" https://a.example,\n https://b.example;; *, ");
        let listed: Vec<_> = list.listed().collect();
        assert_eq!(listed, ["https://a.example", "https://b.example"]);
        assert!(list.has_any());
        assert_eq!(ConfigList::from(""), ConfigList::default());
    }

    #[test]
    fn one_entry_is_enough() {
        let etag = ConfigList::from(["etag"]);
        assert_eq!(ConfigList::from("etag"), etag);
        assert_eq!(ConfigList::from(http::header::ETAG), etag);
        assert_eq!(ConfigList::from(Method::PUT), ConfigList::from(["PUT"]));
    }

    #[test]
    fn every_collection_has_its_entries() {
        let array = ["a", "b"];
        let expected = array.into_iter().collect::<ConfigList>();
        assert_eq!(expected.listed().len(), 2);
        let vec = array.to_vec();
        for list in [
            ConfigList::from(array),
            ConfigList::from(&array),
            ConfigList::from(&array[..]),
            ConfigList::from(&vec),
            ConfigList::from(BTreeSet::from(array)),
            ConfigList::from(vec),
        ] {
            assert_eq!(list, expected);
        }
    }

    #[test]
    fn entries_are_listed_as_they_were_given() {
        let entries = ConfigList::from(["a", "", "*", "bücher"]);
        assert_eq!(entries.listed().collect::<Vec<_>>(), ["a", "", "bücher"]);
        assert!(entries.has_any());
        assert_eq!(ConfigList::from([""]).listed().len(), 1);
        assert_ne!(ConfigList::from(["a", "bc"]), ConfigList::from(["ab", "c"]));
        assert_eq!(
            format!("{entries:?}"),
            r#"ConfigList { any: true, listed: ["a", "", "bücher"] }"#
        );
    }
}
