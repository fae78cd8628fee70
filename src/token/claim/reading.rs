//! The reading of an [`OriginsClaim`]: from the claims of a token to the entries of its list.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    claims::Claims,
    format::OriginsFormat,
    list::{ClaimReading, ListError, ListLimits, SentList, shape_of},
    origins_claim::{OriginsClaim, Place},
};

impl OriginsClaim {
    /// Reads the list.
    pub(crate) fn read(&self, claims: &Claims, limits: &ListLimits) -> ClaimReading {
        match self.try_read(claims, limits) {
            Ok(None) => ClaimReading::Missing,
            Ok(Some(list)) => ClaimReading::Listed(list),
            Err(error) => ClaimReading::Unreadable(error),
        }
    }

    fn try_read(
        &self,
        claims: &Claims,
        limits: &ListLimits,
    ) -> Result<Option<SentList>, ListError> {
        let inner;
        let claims = match &self.outer {
            None => claims,
            Some(outer) => {
                let Some(object) = claims.get(outer) else {
                    return Ok(None);
                };
                let json = json_in(object, limits)?;
                inner = Claims::parse(json.as_bytes()).map_err(|_| ListError::Json)?;
                &inner
            }
        };
        self.find(claims)
            .map(|value| self.read_value(&value, limits))
            .transpose()
    }

    fn find<'a>(&self, claims: &'a Claims) -> Option<Cow<'a, Value>> {
        match &self.place {
            Place::Name(name) => claims.get(name).map(Cow::Borrowed),
            Place::Pointer(pointer) => claims.pointer(pointer).map(Cow::Borrowed),
            Place::Mapped(map) => map(claims).map(Cow::Owned),
        }
    }

    fn read_value(&self, value: &Value, limits: &ListLimits) -> Result<SentList, ListError> {
        let parsed;
        let value = if self.is_json_text {
            let json = json_in(value, limits)?;
            parsed = serde_json::from_str(json).map_err(|_| ListError::Json)?;
            &parsed
        } else {
            value
        };
        let mut list = SentList::default();
        match (self.format, value) {
            (OriginsFormat::Delimited(delimiter), Value::String(text)) => {
                limits.check_bytes(text.len())?;
                for entry in text.split(delimiter) {
                    list.add(entry, limits)?;
                }
            }
            (OriginsFormat::Array | OriginsFormat::SingleOrArray, Value::Array(elements)) => {
                let lengths = elements.iter().filter_map(Value::as_str).map(str::len);
                limits.check_bytes(lengths.sum())?;
                for element in elements {
                    list.add_value(element, limits)?;
                }
            }
            (OriginsFormat::Single | OriginsFormat::SingleOrArray, Value::String(text)) => {
                list.add(text, limits)?;
            }
            (format, _) => {
                let (found, expected) = (shape_of(value), shape_in(format));
                return Err(ListError::Shape { found, expected });
            }
        }
        list.entries.shrink_to_fit();
        Ok(list)
    }
}

/// The text of a claim that should hold JSON, if it is not too long to be parsed.
fn json_in<'a>(value: &'a Value, limits: &ListLimits) -> Result<&'a str, ListError> {
    let text = value.as_str().ok_or_else(|| ListError::Shape {
        found: shape_of(value),
        expected: "a text with JSON in it",
    })?;
    limits.check_bytes(text.len())?;
    Ok(text)
}

fn shape_in(format: OriginsFormat) -> &'static str {
    match format {
        OriginsFormat::Delimited(_) | OriginsFormat::Single => "a text",
        OriginsFormat::Array => "an array",
        OriginsFormat::SingleOrArray => "a text or an array",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::{entry::ListRules, list::NamedBy},
        *,
    };
    use crate::origin::Origin;

    fn is_a_bound(error: ListError) -> bool {
        !matches!(error, ListError::Shape { .. } | ListError::Json)
    }

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
            ClaimReading::Listed(list) => {
                let texts = list.entries.iter().map(|entry| entry.as_str().to_owned());
                Ok((
                    texts.collect(),
                    list.skipped().map_or(0, |(count, _)| count),
                ))
            }
            ClaimReading::Unreadable(error) => Err(Some(error)),
            ClaimReading::Missing => Err(None),
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
            let error = read(claim, wrong).unwrap_err();
            assert!(matches!(error, Some(ListError::Shape { .. })), "{claim:?}");
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
            let error = read(claim, value).unwrap_err();
            assert!(error.is_some_and(is_a_bound), "{claim:?}");
        }
    }

    #[test]
    fn the_bounds_are_the_rules() {
        let rules = ListLimits {
            max_entries: 2,
            max_bytes: 40,
            entries: ListRules::new().max_entry_bytes(25),
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
            max_bytes: 100_000,
            ..ListLimits::default()
        };
        let long = json!(["https://a.example"; 1000].to_vec());
        let array = OriginsClaim::array("list");
        assert!(matches!(
            read(&array, long.clone()),
            Err(Some(ListError::Bytes { max: 8192, .. }))
        ));
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
            ("*", Some(NamedBy::Star)),
            (" *\t", Some(NamedBy::Star)),
            ("https://b.example;*", Some(NamedBy::Star)),
            ("*;https://a.example", Some(NamedBy::Entry)),
            ("https://a.example", Some(NamedBy::Entry)),
            ("https://*", None),
            ("**", None),
            ("+", None),
            ("null", None),
            ("https://b.example", None),
            // Beyond the bound.
            ("*;*;*;*", None),
        ] {
            assert_eq!(names(&rules, list), expected, "{list}");
            let without = expected.filter(|named| *named == NamedBy::Entry);
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
        assert!(
            matches!(read("/a"), ClaimReading::Listed(list) if list.skipped().is_some_and(|(count, _)| count == 1))
        );
    }

    #[test]
    fn json_inside_texts() {
        let claim = OriginsClaim::array("list").json_text();
        let a = || vec!["https://a.example".to_owned()];
        assert_eq!(
            read(&claim, json!(r#"["https://a.example"]"#)),
            Ok((a(), 0))
        );
        let delimited = OriginsClaim::delimited("list", ',').json_text();
        assert_eq!(
            read(&delimited, json!(r#""https://a.example""#)),
            Ok((a(), 0))
        );
        for wrong in [
            "",
            "[",
            "[] x",
            "https://a.example",
            r#"["https://a.example"], "x": 1"#,
        ] {
            assert_eq!(
                read(&claim, json!(wrong)),
                Err(Some(ListError::Json)),
                "{wrong}"
            );
        }
        let unparsed = read(&claim, json!(["https://a.example"])).unwrap_err();
        assert!(matches!(
            unparsed,
            Some(ListError::Shape {
                found: "an array",
                ..
            })
        ));
        let long = json!(format!("[{}]", " ".repeat(9000)));
        assert!(matches!(
            read(&claim, long),
            Err(Some(ListError::Bytes { .. }))
        ));

        // The whole object is a text.
        let claim = OriginsClaim::array("origins").inside_json_text("list");
        let around = |text: &str| read(&claim, json!(text));
        assert_eq!(
            around(r#"{"origins": ["https://a.example"], "x": 1}"#),
            Ok((a(), 0))
        );
        assert_eq!(around(r#"{"x": 1}"#), Err(None));
        let twice = r#"{"origins": ["https://a.example"], "origins": []}"#;
        assert_eq!(around(twice), Err(Some(ListError::Json)));
        let nested = OriginsClaim::array("")
            .pointer("/a/b")
            .inside_json_text("list");
        let text = r#"{"a": {"b": ["https://a.example"]}}"#;
        assert_eq!(read(&nested, json!(text)), Ok((a(), 0)));
    }

    #[test]
    fn a_text_or_an_array() {
        let claim = OriginsClaim::single_or_array("list");
        let a = || vec!["https://a.example".to_owned()];
        assert_eq!(read(&claim, json!("https://a.example")), Ok((a(), 0)));
        assert_eq!(read(&claim, json!(["https://a.example"])), Ok((a(), 0)));
        assert_eq!(
            read(&claim, json!("https://a.example https://b.example")),
            Ok((vec![], 1))
        );
        let error = read(&claim, json!({})).unwrap_err().unwrap();
        assert_eq!(
            error.to_string(),
            "it is an object, and a text or an array is expected: say with OriginsClaim how it is \
             written"
        );
    }

    #[test]
    fn claims_can_be_mapped_before_they_are_read() {
        let claim = OriginsClaim::mapped(OriginsFormat::Array, |claims| {
            let hosts = claims.get("list")?.as_array()?.iter();
            Some(
                hosts
                    .map(|host| format!("https://{}", host.as_str().unwrap_or("-")))
                    .collect(),
            )
        });
        let a = || vec!["https://a.example".to_owned()];
        assert_eq!(read(&claim, json!(["a.example"])), Ok((a(), 0)));
        assert_eq!(read(&claim, json!("a.example")), Err(None));
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
