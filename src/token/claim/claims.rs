use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::debug_as_display::debug_as_display;

/// The claims of a token: a JSON object (RFC 7519, section 4) in which no key stands twice, at any
/// depth.
///
/// ```
/// use tower_cors::token::claim::Claims;
///
/// let claims = Claims::parse(br#"{"ao": "https://contoso.com"}"#)?;
/// assert_eq!(claims.get("ao").and_then(|ao| ao.as_str()), Some("https://contoso.com"));
///
/// // Readers that take the first and readers that take the last would disagree.
/// assert!(Claims::parse(br#"{"ao": "https://contoso.com", "ao": "https://evil.example"}"#).is_err());
/// # Ok::<(), tower_cors::token::claim::ClaimsError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Parses a JSON object.
    ///
    /// # Errors
    ///
    /// When the text is not a JSON object, or a key stands in it twice.
    pub fn parse(json: &[u8]) -> Result<Self, ClaimsError> {
        match serde_json::from_slice(json) {
            Ok(Unique(Value::Object(members))) => Ok(Self(members)),
            Ok(_) | Err(_) => Err(ClaimsError),
        }
    }

    /// A claim by its name, in which `/` and `.` have no meaning.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The bytes that they hold on the heap, estimated from above.
    pub(crate) fn size(&self) -> usize {
        size_of_object(&self.0)
    }

    /// A value at a JSON Pointer (RFC 6901) that is not empty.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Value> {
        let (first, rest) = match pointer.strip_prefix('/')?.split_once('/') {
            Some((first, _)) => (first, &pointer[1 + first.len()..]),
            None => (&pointer[1..], ""),
        };
        let name = first.replace("~1", "/").replace("~0", "~");
        self.0.get(&name)?.pointer(rest)
    }
}

/// What the allocator adds to an allocation.
const ALLOCATION: usize = 16;

fn size_of_object(members: &Map<String, Value>) -> usize {
    // A node of a B-tree is at least half full, save for the root, and has room for 11 entries.
    let entry = size_of::<(String, Value)>();
    let nodes = 11 * entry + 2 * members.len() * entry;
    let texts = members
        .iter()
        .map(|(name, value)| name.len() + ALLOCATION + size_of_heap(value));
    nodes + texts.sum::<usize>()
}

/// With its feature `arbitrary_precision`, which any crate can turn on.
const NUMBERS_ARE_TEXTS: bool = size_of::<Number>() > size_of::<u64>() * 2;

fn size_of_heap(value: &Value) -> usize {
    match value {
        Value::Number(number) if NUMBERS_ARE_TEXTS => number.to_string().len() + ALLOCATION,
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len() + ALLOCATION,
        // A vector that grows has up to twice the room that it needs.
        Value::Array(elements) => {
            let room = 2 * elements.len() * size_of::<Value>() + ALLOCATION;
            room + elements.iter().map(size_of_heap).sum::<usize>()
        }
        Value::Object(members) => size_of_object(members),
    }
}

/// Claims may be personal: only their names are printed.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A text is not a JSON object, or a key stands in it twice.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("claims are a JSON object in which no key stands twice")]
#[non_exhaustive]
pub struct ClaimsError;

debug_as_display!(ClaimsError);

/// JSON in which no key stands twice. `serde_json` itself would keep the last of two, where another
/// reader of the same token may keep the first.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

/// The key under which `serde_json` hands out a number with its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate keys")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Unique(element)) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if NUMBERS_ARE_TEXTS && members.is_empty() && key == NUMBER {
                let text = entries.next_value::<String>()?;
                let number: Number = serde_json::from_str(&text).map_err(A::Error::custom)?;
                return Ok(Value::Number(number));
            }
            let Unique(value) = entries.next_value()?;
            if members.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_objects_without_duplicate_keys() {
        assert!(Claims::parse(br#"{"a": [1, {"b": null}], "c": -1.5}"#).is_ok());
        for json in [
            &br#"{"a": 1, "a": 2}"#[..],
            br#"{"a": {"b": 1, "b": 2}}"#,
            br#"{"a": [[{"b": 1, "c": 2, "b": 1}]]}"#,
            // The same key, spelt in another way.
            br#"{"a": 1, "\u0061": 2}"#,
            br#"[{"a": 1, "a": 1}]"#,
            br#"[]"#,
            br#"null"#,
            br#""#,
            br#"{"a": 1} x"#,
            b"\xff",
        ] {
            assert_eq!(Claims::parse(json), Err(ClaimsError), "{json:?}");
        }
    }

    /// With `arbitrary_precision` as well, where the first key has a meaning for `serde_json`.
    #[test]
    fn the_key_for_numbers_is_one_like_others() {
        for json in [
            format!(r#"{{"a": {{"{NUMBER}": "1"}}}}"#),
            format!(r#"{{"a": {{"b": 1, "{NUMBER}": "1"}}}}"#),
        ] {
            let plain: Map<String, Value> = serde_json::from_str(&json).unwrap();
            assert_eq!(Claims::parse(json.as_bytes()).unwrap().0, plain, "{json}");
        }
    }

    #[test]
    fn the_size_is_of_all_nodes_names_texts_and_elements() {
        let entry = size_of::<(String, Value)>();
        let element = size_of::<Value>();
        let number = size_of_heap(&Value::from(10));
        // `{"n": ...}`
        let one = 13 * entry + 1 + ALLOCATION;
        for (json, expected) in [
            (r#"{}"#, 11 * entry),
            (r#"{"n": null}"#, one),
            (r#"{"n": true}"#, one),
            (r#"{"n": 10}"#, one + number),
            (
                r#"{"name": null, "n": null}"#,
                one + 2 * entry + 4 + ALLOCATION,
            ),
            (r#"{"n": "text"}"#, one + 4 + ALLOCATION),
            (r#"{"n": []}"#, one + ALLOCATION),
            (
                r#"{"n": [null, "text", 10]}"#,
                one + 2 * 3 * element + ALLOCATION + 4 + ALLOCATION + number,
            ),
            (r#"{"n": {"n": null}}"#, one + one),
        ] {
            let claims = Claims::parse(json.as_bytes()).unwrap();
            assert_eq!(claims.size(), expected, "{json}");
        }
        let digits = if NUMBERS_ARE_TEXTS { 2 + ALLOCATION } else { 0 };
        assert_eq!(number, digits);
    }

    #[test]
    fn only_names_are_printed() {
        let claims = Claims::parse(br#"{"sub": "alice", "aud": "api"}"#).unwrap();
        assert_eq!(format!("{claims:?}"), r#"{"aud", "sub"}"#);
    }

    proptest! {
        /// What is read is what `serde_json` reads, except where a key stands twice.
        #[test]
        fn values_are_those_of_serde_json(value in json()) {
            let text = serde_json::json!({ "value": value }).to_string();
            let claims = Claims::parse(text.as_bytes()).unwrap();
            let plain: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Value::Object(claims.0), plain);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            if Claims::parse(&bytes).is_ok() {
                prop_assert!(serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok());
            }
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(Value::from(NUMBER)),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c$]{0,2}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }
}
