use std::{fmt, sync::Arc};

use super::request_error::RequestedEntryErrorKind as Kind;
use crate::{
    origin::{Origin, OriginPattern, OriginSet},
    token::claim::ListRules,
};

/// What may be asked for in a request for a token.
///
/// By default: `https` origins, each spelt out in ASCII, at most 64 of them, of any site. Who
/// issues tokens to several customers should hold each of them to the origins that it has
/// registered, with [`only`](Self::only): otherwise it could ask for a token for any site.
///
/// ```
/// use tower_cors::{OriginSet, token::{claim::OriginsFormat, issue::{AllowedOrigins, IssueRules}}};
///
/// let registered = OriginSet::parse(["https://contoso.com", "https://*.contoso.com"]).unwrap();
/// let rules = IssueRules::new().only(registered);
///
/// let list = |text| AllowedOrigins::parse_request(text, OriginsFormat::Delimited(';'), &rules);
/// assert!(list("https://contoso.com;https://shop.contoso.com").is_ok());
/// assert!(list("https://contoso.com;https://litware.com").is_err());
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct IssueRules {
    entries: ListRules,
    max_entries: usize,
    is_registered: Option<Arc<IsRegistered>>,
}

type IsRegistered = dyn Fn(&Origin) -> bool + Send + Sync;

impl IssueRules {
    /// The longest list that is looked at, in bytes.
    pub const MAX_LIST_LEN: usize = 8 * 1024;
    /// The most entries that can be let in: readers refuse longer lists.
    pub const MAX_ENTRIES: usize = 64;

    /// The rules by default.
    pub fn new() -> Self {
        Self {
            entries: ListRules::new(),
            max_entries: Self::MAX_ENTRIES,
            is_registered: None,
        }
    }

    /// Which kinds of entries are let in; by default `https` origins, each spelt out.
    pub fn entries(mut self, rules: ListRules) -> Self {
        self.entries = rules;
        self
    }

    /// How many entries a list may have, equal ones among them; at most
    /// [`MAX_ENTRIES`](Self::MAX_ENTRIES).
    pub fn max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries.min(Self::MAX_ENTRIES);
        self
    }

    /// Lets in only origins of the set. Wildcards are not let in then: the set may have less than
    /// they match.
    pub fn only(self, registered: OriginSet) -> Self {
        self.only_if(move |origin| registered.contains(origin))
    }

    /// Lets in only origins that `is_registered` accepts, and no wildcards.
    pub fn only_if<F>(mut self, is_registered: F) -> Self
    where
        F: Fn(&Origin) -> bool + Send + Sync + 'static,
    {
        self.is_registered = Some(Arc::new(is_registered));
        self
    }

    pub(crate) fn most_entries(&self) -> usize {
        self.max_entries
    }

    pub(crate) fn parse(&self, entry: &str) -> Result<OriginPattern, Kind> {
        if !entry.is_ascii() {
            return Err(Kind::NonAscii);
        }
        let pattern = self.entries.parse(entry)?;
        match &self.is_registered {
            Some(is_registered)
                if !pattern
                    .to_origin()
                    .is_some_and(|origin| is_registered(&origin)) =>
            {
                Err(Kind::NotRegistered)
            }
            _ => Ok(pattern),
        }
    }
}

impl Default for IssueRules {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for IssueRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueRules")
            .field("entries", &self.entries)
            .field("max_entries", &self.max_entries)
            .field("only_registered", &self.is_registered.is_some())
            .finish()
    }
}
