use std::{fmt, sync::Arc};

use serde_json::Value;

use super::{
    claims::Claims,
    format::{OriginsFormat, is_delimiter},
};

/// Where the claims of a token hold the origins, and how they are written there.
///
/// ```
/// use tower_cors::token::claim::{OriginsClaim, OriginsFormat};
///
/// // {"ao": "https://contoso.com;https://litware.com"}
/// let skype = OriginsClaim::delimited("ao", ';');
/// // {"allowed-origins": ["https://contoso.com"]}
/// let keycloak = OriginsClaim::array("allowed-origins");
/// // {"azp": "https://contoso.com"}
/// let clerk = OriginsClaim::single("azp");
/// // {"https://contoso.com/cors": {"origins": ["https://contoso.com"]}}
/// let nested = OriginsClaim::array("").pointer("/https:~1~1contoso.com~1cors/origins");
/// // {"custom:origins": "[\"https://contoso.com\"]"}
/// let cognito = OriginsClaim::array("custom:origins").json_text();
/// // {"https://hasura.io/jwt/claims": "{\"x-hasura-origins\": [\"https://contoso.com\"]}"}
/// let hasura = OriginsClaim::array("x-hasura-origins").inside_json_text("https://hasura.io/jwt/claims");
/// // {"tenant": "contoso"}
/// let mapped = OriginsClaim::mapped(OriginsFormat::Single, |claims| {
///     let tenant = claims.get("tenant")?.as_str()?;
///     Some(format!("https://{tenant}.example").into())
/// });
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct OriginsClaim {
    pub(super) place: Place,
    pub(super) format: OriginsFormat,
    /// The claim whose text is the JSON object that `place` is in.
    pub(super) outer: Option<Box<str>>,
    pub(super) is_json_text: bool,
}

#[derive(Clone)]
pub(super) enum Place {
    Name(Box<str>),
    Pointer(Box<str>),
    Mapped(Arc<Map>),
}

pub(super) type Map = dyn Fn(&Claims) -> Option<Value> + Send + Sync;

impl OriginsClaim {
    /// One text, in which one delimiter stands between entries.
    pub fn delimited(name: impl Into<Box<str>>, delimiter: char) -> Self {
        Self::named(name, OriginsFormat::Delimited(delimiter))
    }

    /// A JSON array with one entry in each element.
    pub fn array(name: impl Into<Box<str>>) -> Self {
        Self::named(name, OriginsFormat::Array)
    }

    /// One text that is one entry.
    pub fn single(name: impl Into<Box<str>>) -> Self {
        Self::named(name, OriginsFormat::Single)
    }

    /// One text that is one entry, or a JSON array of them, from issuers that write a single value
    /// without its array.
    pub fn single_or_array(name: impl Into<Box<str>>) -> Self {
        Self::named(name, OriginsFormat::SingleOrArray)
    }

    /// What the function makes of the claims, read in this format; `None` where the claim is
    /// missing. The claims that are left for the service stay as they are.
    pub fn mapped<F>(format: OriginsFormat, map: F) -> Self
    where
        F: Fn(&Claims) -> Option<Value> + Send + Sync + 'static,
    {
        Self::new(Place::Mapped(Arc::new(map)), format)
    }

    /// Looks below the top level instead: a JSON Pointer (RFC 6901), which begins with `/`.
    pub fn pointer(mut self, pointer: impl Into<Box<str>>) -> Self {
        self.place = Place::Pointer(pointer.into());
        self
    }

    /// Says that the list is JSON inside a text: `"[\"https://contoso.com\"]"`.
    pub fn json_text(mut self) -> Self {
        self.is_json_text = true;
        self
    }

    /// Says that the list is in a JSON object which is itself a text, the value of the claim
    /// `outer`.
    pub fn inside_json_text(mut self, outer: impl Into<Box<str>>) -> Self {
        self.outer = Some(outer.into());
        self
    }

    fn named(name: impl Into<Box<str>>, format: OriginsFormat) -> Self {
        Self::new(Place::Name(name.into()), format)
    }

    fn new(place: Place, format: OriginsFormat) -> Self {
        Self {
            place,
            format,
            outer: None,
            is_json_text: false,
        }
    }

    /// The name of a claim at the top level that a list can be written into as it is.
    #[cfg(feature = "jwt")]
    pub(crate) fn writable_name(&self) -> Option<&str> {
        match &self.place {
            Place::Name(name) if self.outer.is_none() && !self.is_json_text => Some(name),
            _ => None,
        }
    }

    /// How the list is written.
    #[cfg(feature = "jwt")]
    pub(crate) fn format(&self) -> OriginsFormat {
        self.format
    }

    /// What is wrong with it, if something is.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match (&self.place, self.format) {
            (Place::Name(name), _) if name.is_empty() => Some("the name of the claim is empty"),
            _ if self.outer.as_deref() == Some("") => Some("the name of the outer claim is empty"),
            (Place::Pointer(pointer), _) if !pointer.starts_with('/') => {
                Some("a JSON pointer begins with '/'")
            }
            (_, OriginsFormat::Delimited(delimiter)) if !is_delimiter(delimiter) => Some(
                "a delimiter is one of ';', ',' and space: anything else can stand in an entry",
            ),
            _ => None,
        }
    }
}

/// The place, as in a text for the operator.
impl fmt::Display for OriginsClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(place) | Place::Pointer(place) => write!(f, "{place:?}")?,
            Place::Mapped(_) => f.write_str("that OriginsClaim::mapped makes")?,
        }
        match &self.outer {
            Some(outer) => write!(f, " in the text of {outer:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for OriginsClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginsClaim")
            .field("claim", &format_args!("{self}"))
            .field("format", &self.format)
            .field("is_json_text", &self.is_json_text)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_claim_or_splits_origins_is_a_mistake() {
        let single = |name| OriginsClaim::single(name);
        for (claim, expected) in [
            (single("a"), None),
            (single(""), Some("the name of the claim")),
            (single("a").inside_json_text("b"), None),
            (
                single("a").inside_json_text(""),
                Some("the name of the outer"),
            ),
            (single("").pointer("/a"), None),
            (single("").pointer("a"), Some("a JSON pointer")),
            (single("").pointer(""), Some("a JSON pointer")),
            (OriginsClaim::delimited("a", ';'), None),
            (OriginsClaim::delimited("a", '.'), Some("a delimiter")),
        ] {
            let mistake = claim.mistake();
            let begins = |expected| mistake.is_some_and(|text| text.starts_with(expected));
            assert!(
                expected.map_or(mistake.is_none(), begins),
                "{claim:?}: {mistake:?}"
            );
        }
    }

    #[test]
    fn the_place_is_printed() {
        let claim = OriginsClaim::array("a").inside_json_text("b");
        let text = format!("{claim:?}");
        assert!(text.contains(r#""a" in the text of "b""#), "{text}");
    }
}
