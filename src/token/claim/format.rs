use serde_json::Value;

use crate::debug_as_display::debug_as_display;

/// How a list of origins is written: in a request for a token, or in a claim.
///
/// ```
/// use tower_cors::token::{claim::OriginsFormat, issue::{AllowedOrigins, IssueRules}};
///
/// let asked = "https://contoso.com;https://litware.com";
/// let rules = IssueRules::new();
/// let origins = AllowedOrigins::parse_request(asked, OriginsFormat::Delimited(';'), &rules)?;
///
/// let two = serde_json::json!(["https://contoso.com", "https://litware.com"]);
/// assert_eq!(origins.to_claim(OriginsFormat::Array)?, two);
/// assert!(origins.to_claim(OriginsFormat::Single).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginsFormat {
    /// One text, in which one delimiter stands between entries: `;`, `,` or a space. None of them
    /// can stand in an entry: see [`ListRules::scheme`](crate::token::claim::ListRules::scheme).
    Delimited(char),
    /// A JSON array with one entry in each element.
    Array,
    /// One text that is one entry.
    Single,
    /// One text that is one entry, or a JSON array of them, as `aud` is written (RFC 7519, section
    /// 4.1.3).
    SingleOrArray,
}

impl OriginsFormat {
    /// Writes entries that are canonical.
    pub(crate) fn write<'a, I>(self, entries: I) -> Result<Value, FormatError>
    where
        I: ExactSizeIterator<Item = &'a str>,
    {
        match self {
            Self::Delimited(delimiter) if !is_delimiter(delimiter) => {
                Err(FormatError::Delimiter(delimiter))
            }
            Self::Delimited(delimiter) => {
                let delimiter = delimiter.encode_utf8(&mut [0; 4]).to_owned();
                Ok(Value::String(entries.collect::<Vec<_>>().join(&delimiter)))
            }
            Self::Array => Ok(entries.collect()),
            Self::Single if entries.len() != 1 => Err(FormatError::Several(entries.len())),
            Self::SingleOrArray if entries.len() != 1 => Ok(entries.collect()),
            Self::Single | Self::SingleOrArray => Ok(Value::String(entries.collect())),
        }
    }
}

/// Whether the character can stand between entries, because it cannot stand in one.
pub(crate) fn is_delimiter(delimiter: char) -> bool {
    ";, ".contains(delimiter)
}

/// Why a list cannot be written, or read, in a format.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The delimiter could stand in an entry.
    #[error("the delimiter {0:?} is not one of ';', ',' and space")]
    Delimiter(char),
    /// There is not exactly one entry where exactly one can be written.
    #[error("there are {0} origins, and room for one")]
    Several(usize),
}

debug_as_display!(FormatError);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FormatError::*, OriginsFormat::*};

    #[test]
    fn each_format_is_written_as_it_says() {
        let (none, one, two) = (&[][..], &["a"][..], &["a", "b"][..]);
        for (format, entries, expected) in [
            (Delimited(';'), two, Ok(json!("a;b"))),
            (Delimited(','), two, Ok(json!("a,b"))),
            (Delimited(' '), one, Ok(json!("a"))),
            (Delimited('|'), one, Err(Delimiter('|'))),
            (Array, none, Ok(json!([]))),
            (Array, one, Ok(json!(["a"]))),
            (Single, none, Err(Several(0))),
            (Single, one, Ok(json!("a"))),
            (Single, two, Err(Several(2))),
            (SingleOrArray, none, Ok(json!([]))),
            (SingleOrArray, one, Ok(json!("a"))),
            (SingleOrArray, two, Ok(json!(["a", "b"]))),
        ] {
            let written = format.write(entries.iter().copied());
            assert_eq!(written, expected, "{format:?} {entries:?}");
        }
    }
}
