use std::{
    fmt,
    hash::{DefaultHasher, Hash},
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
};

/// The content of a kind of revocation that is not known, of whatever form. It is not kept: only a
/// fingerprint of it is, by which it is known again.
pub(crate) struct Content<'a> {
    pub(crate) fingerprint: &'a mut DefaultHasher,
    /// Whether there is content.
    pub(crate) is_there: &'a mut bool,
}

impl Content<'_> {
    fn nested(&mut self) -> Content<'_> {
        Content {
            fingerprint: self.fingerprint,
            is_there: self.is_there,
        }
    }

    /// The form comes first, so that `1` and `"1"` differ.
    fn add<E>(self, form: Form, value: impl Hash) -> Result<(), E> {
        (form, value).hash(self.fingerprint);
        Ok(())
    }
}

#[derive(Hash)]
enum Form {
    Nothing,
    Bool,
    Unsigned,
    Signed,
    Float,
    Text,
    Bytes,
    Some,
    List,
    Map,
    End,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        *self.is_there = true;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the content of a revocation")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.add(Form::Nothing, ())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.add(Form::Nothing, ())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.add(Form::Bool, value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.add(Form::Unsigned, value)
    }

    fn visit_u128<E>(self, value: u128) -> Result<(), E> {
        self.add(Form::Unsigned, value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.add(Form::Signed, value)
    }

    fn visit_i128<E>(self, value: i128) -> Result<(), E> {
        self.add(Form::Signed, value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.add(Form::Float, value.to_bits())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.add(Form::Text, value)
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<(), E> {
        self.add(Form::Bytes, value)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        Form::Some.hash(self.fingerprint);
        self.deserialize(value)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        self.deserialize(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        Form::List.hash(self.fingerprint);
        while list.next_element_seed(self.nested())?.is_some() {}
        self.add(Form::End, ())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        Form::Map.hash(self.fingerprint);
        while map.next_key_seed(self.nested())?.is_some() {
            map.next_value_seed(self.nested())?;
        }
        self.add(Form::End, ())
    }

    fn visit_enum<A: EnumAccess<'de>>(mut self, data: A) -> Result<(), A::Error> {
        let ((), content) = data.variant_seed(self.nested())?;
        content.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::Hasher};

    use serde::de::{
        IntoDeserializer,
        value::{Error, MapAccessDeserializer, MapDeserializer},
    };

    use super::*;
    use crate::revocation::Revoked;

    #[test]
    fn different_contents_have_different_fingerprints() {
        let kinds = [
            r#""user""#,
            r#"{"user": 7}"#,
            r#"{"user": -7}"#,
            r#"{"user": 7.5}"#,
            r#"{"user": "7"}"#,
            r#"{"user": [7]}"#,
            r#"{"user": [[7]]}"#,
            r#"{"user": [[], 7]}"#,
            r#"{"user": {"7": 7}}"#,
            r#"{"user": ["7", 7]}"#,
            r#"{"user": true}"#,
            r#"{"user": null}"#,
            r#"{"issuer": null}"#,
        ];
        let read = |json: &&str| serde_json::from_str::<Revoked>(json).unwrap();
        let read_all = || kinds.iter().map(read).collect::<HashSet<_>>();
        assert_eq!(read_all().len(), kinds.len());
        assert_eq!(read_all(), read_all());
    }

    /// Formats beside JSON have more forms.
    #[test]
    fn every_form_has_a_fingerprint() {
        let fingerprint = |visit: &dyn Fn(Content<'_>) -> Result<(), Error>| {
            let (mut fingerprint, mut is_there) = (DefaultHasher::new(), false);
            visit(Content {
                fingerprint: &mut fingerprint,
                is_there: &mut is_there,
            })
            .unwrap();
            fingerprint.finish()
        };
        let variant = |name: &'static str| {
            MapAccessDeserializer::new(MapDeserializer::new([(name, 7_u64)].into_iter()))
        };
        let nothing = fingerprint(&|_| Ok(()));
        let all = [
            nothing,
            fingerprint(&|content| content.visit_none()),
            fingerprint(&|content| content.visit_bool(true)),
            fingerprint(&|content| content.visit_u128(7)),
            fingerprint(&|content| content.visit_i128(7)),
            fingerprint(&|content| content.visit_bytes(b"7")),
            fingerprint(&|content| content.visit_str("7")),
            fingerprint(&|content| content.visit_some(7_u64.into_deserializer())),
            fingerprint(&|content| content.visit_enum(variant("a"))),
            fingerprint(&|content| content.visit_enum(variant("b"))),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        let inner = fingerprint(&|content| content.visit_newtype_struct(7_u64.into_deserializer()));
        assert_eq!(inner, fingerprint(&|content| content.visit_u64(7)));
        assert_eq!(
            fingerprint(&|content| content.visit_unit()),
            fingerprint(&|content| content.visit_none())
        );
    }
}
