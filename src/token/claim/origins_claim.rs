use serde_json::Value;

use super::{
    claims::Claims,
    format::{OriginsFormat, is_delimiter},
    list::{ListError, ListLimits, ListedInToken, Reading},
};

/// Where the claims of a token hold the origins, and how they are written there.
///
/// ```
/// use tower_cors::token::claim::OriginsClaim;
///
/// // {"ao": "https://contoso.com;https://litware.com"}
/// let skype = OriginsClaim::delimited("ao", ';');
/// // {"allowed-origins": ["https://contoso.com"]}
/// let keycloak = OriginsClaim::array("allowed-origins");
/// // {"azp": "https://contoso.com"}
/// let clerk = OriginsClaim::single("azp");
/// // {"https://contoso.com/cors": {"origins": ["https://contoso.com"]}}
/// let nested = OriginsClaim::array("").pointer("/https:~1~1contoso.com~1cors/origins");
/// ```
#[derive(Clone, Debug)]
pub struct OriginsClaim {
    place: Place,
    format: OriginsFormat,
}

#[derive(Clone, Debug)]
enum Place {
    Name(Box<str>),
    Pointer(Box<str>),
}

impl OriginsClaim {
    /// One text, in which one delimiter stands between entries.
    pub fn delimited(name: impl Into<Box<str>>, delimiter: char) -> Self {
        Self::new(name, OriginsFormat::Delimited(delimiter))
    }

    /// A JSON array with one entry in each element.
    pub fn array(name: impl Into<Box<str>>) -> Self {
        Self::new(name, OriginsFormat::Array)
    }

    /// One text that is one entry.
    pub fn single(name: impl Into<Box<str>>) -> Self {
        Self::new(name, OriginsFormat::Single)
    }

    /// Looks below the top level instead: a JSON Pointer (RFC 6901), which begins with `/`.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<Box<str>>) -> Self {
        self.place = Place::Pointer(pointer.into());
        self
    }

    fn new(name: impl Into<Box<str>>, format: OriginsFormat) -> Self {
        Self {
            place: Place::Name(name.into()),
            format,
        }
    }

    /// The claim's name, unless it is nested.
    #[cfg(feature = "jwt")]
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Name(name) => Some(name),
            Place::Pointer(_) => None,
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
            (Place::Pointer(pointer), _) if !pointer.starts_with('/') => {
                Some("a JSON pointer begins with '/'")
            }
            // Anything else can stand in an entry.
            (_, OriginsFormat::Delimited(delimiter)) if !is_delimiter(delimiter) => {
                Some("a delimiter is one of ';', ',', '|', space, tab and line feed")
            }
            _ => None,
        }
    }

    /// Reads the list.
    pub(crate) fn read(&self, claims: &Claims, rules: &ListLimits) -> Reading {
        let value = match &self.place {
            Place::Name(name) => claims.get(name),
            Place::Pointer(pointer) => claims.pointer(pointer),
        };
        match value.map(|value| self.read_value(value, rules)) {
            None => Reading::Missing,
            Some(Ok(list)) => Reading::Listed(list),
            Some(Err(error)) => Reading::Unreadable(error),
        }
    }

    fn read_value(&self, value: &Value, rules: &ListLimits) -> Result<ListedInToken, ListError> {
        let mut list = ListedInToken::default();
        match (self.format, value) {
            (OriginsFormat::Delimited(delimiter), Value::String(text)) => {
                rules.check_len(text.len())?;
                for entry in text.split(delimiter) {
                    list.add(Some(entry), rules)?;
                }
            }
            (OriginsFormat::Array, Value::Array(elements)) => {
                let lengths = elements.iter().filter_map(Value::as_str).map(str::len);
                rules.check_len(lengths.sum())?;
                for element in elements {
                    list.add(element.as_str(), rules)?;
                }
            }
            (OriginsFormat::Single, Value::String(text)) => list.add(Some(text), rules)?,
            _ => return Err(ListError::Shape),
        }
        list.entries.shrink_to_fit();
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::{entry::ListRules, list::Named},
        *,
    };
    use crate::origin::Origin;

    fn read(claim: &OriginsClaim, value: Value) -> Result<(Vec<String>, usize), Option<ListError>> {
        read_by(&ListLimits::default(), claim, value)
    }

    fn read_by(
        rules: &ListLimits,
        claim: &OriginsClaim,
        value: Value,
    ) -> Result<(Vec<String>, usize), Option<ListError>> {
        let claims = Claims::parse(json!({"list": value}).to_string().as_bytes()).unwrap();
        match claim.read(&claims, rules) {
            Reading::Listed(list) => {
                let texts = list.entries.iter().map(|entry| entry.as_str().to_owned());
                Ok((texts.collect(), list.skipped()))
            }
            Reading::Unreadable(error) => Err(Some(error)),
            Reading::Missing => Err(None),
        }
    }

    #[test]
    fn lists_with_one_delimiter() {
        let claim = OriginsClaim::delimited("list", ';');
        let (a, b) = ("https://a.example", "https://b.example");
        for (text, expected, skipped) in [
            ("https://a.example;https://b.example", &[a, b][..], 0),
            ("https://a.example;;https://b.example;", &[a, b], 0),
            (" https://a.example ;\thttps://b.example ", &[a, b], 0),
            ("", &[], 0),
            (" ; ;", &[], 0),
            ("https://a.example,https://b.example", &[], 1),
            ("https://a.example;javascript:1", &[a], 1),
            ("https://a.example/;p=1", &[], 2),
            ("https://a.example%3bhttps://evil.example", &[], 1),
            ("https://a.example;*;+;null;https://*.b.example", &[a], 4),
            ("https://a.example\r\nx: y;https://b.example", &[b], 1),
        ] {
            let expected = expected.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(
                read(&claim, json!(text)),
                Ok((expected, skipped)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn arrays_and_single_values() {
        let array = OriginsClaim::array("list");
        let a = || "https://a.example".to_owned();
        assert_eq!(
            read(&array, json!(["https://a.example", "*"])),
            Ok((vec![a()], 1))
        );
        assert_eq!(read(&array, json!(["+"])), Ok((vec![], 1)));
        assert_eq!(read(&array, json!([])), Ok((vec![], 0)));
        assert_eq!(
            read(&array, json!([1, null, ["https://a.example"], {}])),
            Ok((vec![], 4))
        );
        // Elements are not split.
        let both = json!(["https://a.example;https://b.example"]);
        assert_eq!(read(&array, both), Ok((vec![], 1)));
        let single = OriginsClaim::single("list");
        assert_eq!(
            read(&single, json!("https://a.example")),
            Ok((vec![a()], 0))
        );
        let both = json!("https://a.example https://b.example");
        assert_eq!(read(&single, both), Ok((vec![], 1)));
        let text = OriginsClaim::delimited("list", ';');
        for (claim, wrong) in [
            (&array, json!("https://a.example")),
            (&array, json!(null)),
            (&array, json!({"0": "https://a.example"})),
            (&text, json!(["https://a.example"])),
            (&text, json!(1)),
            (&single, json!(["https://a.example"])),
        ] {
            assert_eq!(read(claim, wrong), Err(Some(ListError::Shape)), "{claim:?}");
        }
        assert_eq!(read(&OriginsClaim::array("other"), json!([])), Err(None));
    }

    #[test]
    fn beyond_a_bound_nothing_is_listed() {
        let text = OriginsClaim::delimited("list", ';');
        let array = OriginsClaim::array("list");
        let entries = |n: usize| vec!["https://a.example"; n];
        assert!(read(&text, json!(entries(64).join(";"))).is_ok());
        assert!(read(&array, json!(entries(64))).is_ok());
        let long = format!("https://a.example;https://{}.example", "b".repeat(250));
        for (claim, value) in [
            (&text, json!(entries(65).join(";"))),
            (&array, json!(entries(65))),
            (&text, json!("x;".repeat(65))),
            (&text, json!(";".repeat(9 * 1024))),
            (&array, json!(vec!["x".repeat(254); 33])),
            (&text, json!(long)),
            (&array, json!(["https://a.example", " ".repeat(256)])),
        ] {
            assert_eq!(
                read(claim, value),
                Err(Some(ListError::TooLong)),
                "{claim:?}"
            );
        }
    }

    #[test]
    fn the_bounds_are_the_rules() {
        let rules = ListLimits {
            max_entries: 2,
            max_len: 40,
            entries: ListRules::new().max_len(25),
            ..ListLimits::default()
        };
        let claim = OriginsClaim::delimited("list", ';');
        let fits = |text: &str| read_by(&rules, &claim, json!(text)).is_ok();
        assert!(fits("https://a.example;https://b.example;;"));
        assert!(!fits("https://a.example;https://b.example;;;;;;"));
        assert!(fits("a;b") && !fits("a;b;c"));
        assert!(fits("https://abcdefghi.example") && !fits("https://abcdefghij.example"));
        let wide = ListLimits {
            max_entries: 1000,
            max_len: 100_000,
            ..ListLimits::default()
        };
        let long = json!(["https://a.example"; 1000].to_vec());
        let array = OriginsClaim::array("list");
        assert_eq!(read(&array, long.clone()), Err(Some(ListError::TooLong)));
        assert_eq!(
            read_by(&wide, &array, long).map(|(list, _)| list.len()),
            Ok(1000)
        );
    }

    #[test]
    fn a_star_counts_only_where_it_may() {
        let rules = ListLimits {
            honours_star: true,
            max_entries: 3,
            ..ListLimits::default()
        };
        let names = |rules: &ListLimits, list: &str| {
            let claims = json!({"list": list.split(';').collect::<Vec<_>>()});
            let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
            let origin: Origin = "https://a.example".parse().unwrap();
            OriginsClaim::array("list")
                .read(&claims, rules)
                .names(&origin)
        };
        for (list, expected) in [
            ("*", Some(Named::ByStar)),
            (" *\t", Some(Named::ByStar)),
            ("https://b.example;*", Some(Named::ByStar)),
            ("*;https://a.example", Some(Named::Itself)),
            ("https://a.example", Some(Named::Itself)),
            ("https://*", None),
            ("**", None),
            ("+", None),
            ("null", None),
            ("https://b.example", None),
            // Beyond the bound.
            ("*;*;*;*", None),
        ] {
            assert_eq!(names(&rules, list), expected, "{list}");
            let without = expected.filter(|named| *named == Named::Itself);
            assert_eq!(names(&ListLimits::default(), list), without, "{list}");
        }
    }

    #[test]
    fn claims_below_the_top_level() {
        let claims = json!({"https://a.example/cors": {"list": ["https://a.example"]}, "a": [{}]});
        let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
        let read = |pointer: &str| {
            let claim = OriginsClaim::array("list").pointer(pointer);
            claim.read(&claims, &ListLimits::default())
        };
        let origin: Origin = "https://a.example".parse().unwrap();
        assert!(
            read("/https:~1~1a.example~1cors/list")
                .names(&origin)
                .is_some()
        );
        for missing in ["/list", "/https:~1~1a.example~1cors", "/", "", "list"] {
            assert!(read(missing).names(&origin).is_none(), "{missing}");
        }
        assert!(matches!(read("/a"), Reading::Listed(list) if list.skipped() == 1));
    }

    proptest! {
        /// Whatever origins are written into a list, the same are read from it.
        #[test]
        fn reading_is_the_inverse_of_writing(
            // No x, because few labels that begin with xn-- mean anything.
            hosts in prop::collection::vec("[a-wyz]([a-z0-9-]{0,8}[a-z0-9])?\\.[a-z]{2,5}", 1..20),
            port in 1024..u16::MAX,
        ) {
            let written: Vec<String> =
                hosts.iter().map(|host| format!("https://{host}:{port}")).collect();
            for delimiter in [';', ',', ' '] {
                let claim = OriginsClaim::delimited("list", delimiter);
                let text = written.join(&delimiter.to_string());
                prop_assert_eq!(read(&claim, json!(text)), Ok((written.clone(), 0)));
            }
            prop_assert_eq!(
                read(&OriginsClaim::array("list"), json!(written)),
                Ok((written.clone(), 0))
            );
        }

        /// What is read once is read again as it is.
        #[test]
        fn canonical_entries_stay(entry in "(https|HTTPS|http)://[A-Za-zäöü.0-9\\[\\]:%/;, -]{0,30}") {
            let rules = ListRules::new().dangerously_allow_http().trailing_slash();
            if let Ok(canonical) = rules.canonical(&entry) {
                let origin: Origin = canonical.parse().expect("canonical entries are origins");
                prop_assert_eq!(rules.canonical(origin.as_str()), Ok(canonical.clone()));
                prop_assert!(!canonical.contains([';', ',', ' ', '\t']));
            }
        }

        #[test]
        fn no_list_panics(text in "\\PC{0,200}") {
            let claim = OriginsClaim::delimited("list", ';');
            let _read = read(&claim, json!(text));
        }
    }
}
