use serde_json::{Map, Number, Value};

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
    /// When the text is no JSON object, or a key stands in it twice.
    pub fn parse(json: &[u8]) -> Result<Self, ClaimsError> {
        // Whatever another crate has made of numbers in `serde_json`, it reads them itself.
        let _: unique::Unique = serde_json::from_slice(json).map_err(|_| ClaimsError)?;
        serde_json::from_slice(json)
            .map(Self)
            .map_err(|_| ClaimsError)
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
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A text is not a JSON object, or a key stands in it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("claims are a JSON object in which no key stands twice")]
#[non_exhaustive]
pub struct ClaimsError;

/// Finds duplicate keys, of which `serde_json` alone keeps the last.
mod unique {
    use std::{collections::HashSet, fmt};

    use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

    /// JSON in which no key stands twice.
    pub(crate) struct Unique;

    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(UniqueVisitor)
        }
    }

    struct UniqueVisitor;

    impl<'de> Visitor<'de> for UniqueVisitor {
        type Value = Unique;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON without duplicate keys")
        }

        fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_unit<E>(self) -> Result<Unique, E> {
            Ok(Unique)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Unique, A::Error> {
            while let Some(Unique) = elements.next_element()? {}
            Ok(Unique)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique, A::Error> {
            let mut keys = HashSet::new();
            while let Some(key) = entries.next_key::<String>()? {
                if !keys.insert(key) {
                    return Err(A::Error::custom("a key stands twice"));
                }
                let Unique = entries.next_value()?;
            }
            Ok(Unique)
        }
    }
}

#[cfg(test)]
mod tests {
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
}
