use serde_json::Value;

use super::{
    request_error::{RequestedEntryError, RequestedOriginsError as Error},
    rules::IssueRules,
};
use crate::{
    origin::{Origin, OriginPattern},
    token::claim::{FormatError, OriginsFormat, is_delimiter},
};

/// The origins that a token will list: checked, canonical, each once, in the order asked for;
/// never none.
///
/// ```
/// use tower_cors::token::{claim::OriginsFormat, issue::{AllowedOrigins, IssueRules}};
///
/// let semicolons = OriginsFormat::Delimited(';');
/// let rules = IssueRules::new();
/// let asked = "https://Contoso.com:443; https://litware.com;https://contoso.com";
///
/// let origins = AllowedOrigins::parse_request(asked, semicolons, &rules)?;
/// assert_eq!(origins.to_claim(semicolons)?, "https://contoso.com;https://litware.com");
///
/// let bad = "https://contoso.com;http://litware.com;null";
/// let error = AllowedOrigins::parse_request(bad, semicolons, &rules).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "entry 2: plain http is not allowed: use https\n\
///      entry 3: every sandboxed frame on any site sends null",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<OriginPattern>);

impl AllowedOrigins {
    /// Parses the list in a request for a token. Nothing is decoded: an entry is an origin as it
    /// stands between delimiters, or it is wrong.
    ///
    /// # Errors
    ///
    /// Every entry that is wrong, an empty one too; or what is wrong with the list as a whole, if
    /// it is not looked at.
    pub fn parse_request(
        text: &str,
        format: OriginsFormat,
        rules: &IssueRules,
    ) -> Result<Self, Error> {
        if text.len() > IssueRules::MAX_LIST_LEN {
            let limit = IssueRules::MAX_LIST_LEN;
            return Err(Error::Length { limit });
        }
        match format {
            OriginsFormat::Delimited(delimiter) if is_delimiter(delimiter) => {
                Self::from_entries(text.split(delimiter), rules)
            }
            OriginsFormat::Delimited(delimiter) => {
                Err(Error::Format(FormatError::Delimiter(delimiter)))
            }
            OriginsFormat::SingleOrArray if !text.trim_start().starts_with('[') => {
                Self::from_entries([text], rules)
            }
            OriginsFormat::Array | OriginsFormat::SingleOrArray => {
                let entries: Vec<String> = serde_json::from_str(text).map_err(|_| Error::Shape)?;
                Self::from_entries(entries.iter().map(String::as_str), rules)
            }
            OriginsFormat::Single => Self::from_entries([text], rules),
        }
    }

    /// Checks entries that are apart already, as in a JSON body.
    ///
    /// # Errors
    ///
    /// As for [`parse_request`](Self::parse_request); an empty list has one wrong entry, its
    /// first.
    pub fn from_entries<'a, I>(entries: I, rules: &IssueRules) -> Result<Self, Error>
    where
        I: IntoIterator<Item = &'a str>,
    {
        let limit = rules.most_entries();
        let mut entries: Vec<&str> = entries.into_iter().take(limit + 1).collect();
        if entries.len() > limit {
            return Err(Error::TooMany { limit });
        }
        if entries.is_empty() {
            entries.push("");
        }
        let mut origins = Vec::new();
        let mut errors = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            match rules.parse(entry) {
                // Few enough to be compared one by one.
                Ok(origin) if origins.contains(&origin) => {}
                Ok(origin) => origins.push(origin),
                Err(kind) => errors.push(RequestedEntryError { index, kind }),
            }
        }
        if errors.is_empty() {
            Ok(Self(origins))
        } else {
            Err(Error::Entries(errors))
        }
    }

    /// The list as the value of a claim. Different lists are never written alike: a canonical
    /// origin has no delimiter in it.
    ///
    /// # Errors
    ///
    /// When the format has no room for the list, or its delimiter is not allowed.
    pub fn to_claim(&self, format: OriginsFormat) -> Result<Value, FormatError> {
        format.write(self.0.iter().map(OriginPattern::as_str))
    }

    /// The entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &OriginPattern> {
        self.0.iter()
    }

    /// The origins, or `None` where an entry has a wildcard.
    pub fn to_origins(&self) -> Option<Vec<Origin>> {
        self.0.iter().map(OriginPattern::to_origin).collect()
    }
}
