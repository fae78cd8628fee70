//! Claims of any bytes: no panic, and an object is taken exactly where no key stands twice in it, or
//! in any object within.
#![no_main]

use std::{collections::HashSet, fmt};

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tower_cors::token::{claim::Claims, verify::jwt::JwtKeys};

fuzz_target!(|bytes: &[u8]| {
    let has_single_keys = serde_json::from_slice(bytes).is_ok_and(|json| match json {
        Json::Object { single } => single,
        Json::Other { .. } => false,
    });
    assert_eq!(Claims::parse(bytes).is_ok(), has_single_keys);
    let _ = JwtKeys::from_jwk_set(bytes);
});

/// What is known of a JSON text: whether, all the way down, no key stands twice.
enum Json {
    Object { single: bool },
    Other { single: bool },
}

impl Json {
    fn is_single(&self) -> bool {
        let (Self::Object { single } | Self::Other { single }) = self;
        *single
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

const LEAF: Json = Json::Other { single: true };

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_str<E>(self, _: &str) -> Result<Json, E> {
        Ok(LEAF)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut single = true;
        while let Some(element) = elements.next_element::<Json>()? {
            single &= element.is_single();
        }
        Ok(Json::Other { single })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let (mut single, mut keys) = (true, HashSet::new());
        while let Some((key, value)) = members.next_entry::<String, Json>()? {
            single &= keys.insert(key) && value.is_single();
        }
        Ok(Json::Object { single })
    }
}
