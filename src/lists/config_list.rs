use std::fmt;

/// Anything: any origin, any method, any request header, or all response headers.
///
/// As a policy it grants every request the literal `*`, never with credentials, and its answers
/// vary on nothing. Safe for what is public anyway; not for a service that only a private network
/// protects.
///
/// ```
/// use tower_cors::{Any, CorsLayer, error::ConfigError};
///
/// let cors = CorsLayer::builder().allow_origins(Any).build()?;
///
/// // Every site could act as the signed-in user:
/// let errors = CorsLayer::builder()
///     .allow_origins(Any)
///     .allow_credentials(true)
///     .build()
///     .unwrap_err();
/// assert_eq!(errors.into_iter().next(), Some(ConfigError::AnyOriginWithCredentials));
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit value, written in configurations"
)]
pub struct Any;

/// What a list setting takes: [`Any`], or entries that are texts, methods or header names.
///
/// The entry `"*"` in a list stands for [`Any`].
///
/// ```
/// use http::{Method, header};
/// use tower_cors::{Any, lists::ConfigList};
///
/// let any = ConfigList::from(Any);
/// let methods = ConfigList::from([Method::GET, Method::PUT]);
/// let names = ConfigList::from([header::CONTENT_TYPE]);
/// let texts = ConfigList::from(vec!["https://example.com"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigList {
    any: bool,
    /// All entries, one behind the other: lists can be long, and are read once.
    text: String,
    ends: Vec<usize>,
}

impl ConfigList {
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

impl<I> From<I> for ConfigList
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
        let entries = ConfigList::from(["a", "", "*", "bücher"]);
        assert_eq!(entries.listed().collect::<Vec<_>>(), ["a", "", "bücher"]);
        assert!(entries.has_any());
        assert!(!ConfigList::from([""]).is_empty());
        assert_ne!(ConfigList::from(["a", "bc"]), ConfigList::from(["ab", "c"]));
        assert_eq!(
            format!("{entries:?}"),
            r#"ConfigList { any: true, listed: ["a", "", "bücher"] }"#
        );
    }
}
