use serde_json::{Map, Value};

/// The claims of a token: a JSON object (RFC 7519, section 4) in which no key stands twice, at any
/// depth.
///
/// ```
/// use tower_cors::token::Claims;
///
/// let claims = Claims::parse(br#"{"ao": "https://contoso.com"}"#)?;
/// assert_eq!(claims.get("ao").and_then(|ao| ao.as_str()), Some("https://contoso.com"));
///
/// // Readers that take the first and readers that take the last would disagree.
/// assert!(Claims::parse(br#"{"ao": "https://contoso.com", "ao": "https://evil.example"}"#).is_err());
/// # Ok::<(), tower_cors::token::ClaimsError>(())
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
        match serde_json::from_slice(json) {
            Ok(unique::Unique(Value::Object(claims))) => Ok(Self(claims)),
            Ok(_) | Err(_) => Err(ClaimsError),
        }
    }

    /// A claim by its name, in which `/` and `.` have no meaning.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The bytes that they hold on the heap, estimated from above.
    pub(super) fn size(&self) -> usize {
        size_of_object(&self.0)
    }

    /// A value at a JSON Pointer (RFC 6901) that is not empty.
    pub(super) fn pointer(&self, pointer: &str) -> Option<&Value> {
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

fn size_of_heap(value: &Value) -> usize {
    match value {
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

/// JSON without duplicate keys; `serde_json` alone keeps the last.
mod unique {
    use std::fmt;

    use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
    use serde_json::{Map, Number, Value};

    pub(super) struct Unique(pub(super) Value);

    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(UniqueVisitor).map(Self)
        }
    }

    struct UniqueVisitor;

    impl<'de> Visitor<'de> for UniqueVisitor {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON without duplicate keys")
        }

        fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
            Ok(Value::Bool(value))
        }

        fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
            Ok(Value::Number(value.into()))
        }

        fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
            Ok(Value::Number(value.into()))
        }

        fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
            Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
        }

        fn visit_str<E>(self, value: &str) -> Result<Value, E> {
            Ok(Value::String(value.to_owned()))
        }

        fn visit_string<E>(self, value: String) -> Result<Value, E> {
            Ok(Value::String(value))
        }

        fn visit_unit<E>(self) -> Result<Value, E> {
            Ok(Value::Null)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
            let mut array = Vec::new();
            while let Some(Unique(element)) = elements.next_element()? {
                array.push(element);
            }
            Ok(Value::Array(array))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
            let mut object = Map::new();
            while let Some(key) = entries.next_key::<String>()? {
                let Unique(value) = entries.next_value()?;
                if object.insert(key, value).is_some() {
                    return Err(A::Error::custom("a key stands twice"));
                }
            }
            Ok(Value::Object(object))
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
