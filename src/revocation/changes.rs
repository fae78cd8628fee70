use std::time::SystemTime;

use super::unknown_kind::UnknownKind;

/// How many changes are handed over at once, so that nobody waits long for the lock.
pub(crate) const PAGE: usize = 1024;

/// What has been revoked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Revoked {
    /// The token with this id.
    Token(Box<str>),
    /// All tokens of this session, those to come included.
    Session(Box<str>),
    /// What a newer version has revoked and this one does not know. Nothing tells which tokens it is
    /// about, so [`Revocations::merge`](crate::revocation::Revocations::merge) revokes everything
    /// that was issued until it was made; or until it was merged first, where nothing says when it
    /// was made.
    Unknown(UnknownKind),
}

impl Revoked {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Token(id) | Self::Session(id) => id,
            Self::Unknown(kind) => kind.name(),
        }
    }

    pub(crate) fn into_id(self) -> Box<str> {
        match self {
            Self::Token(id) | Self::Session(id) => id,
            Self::Unknown(kind) => kind.into_name(),
        }
    }
}

/// A revocation as replicas exchange it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Revocation {
    /// What is revoked.
    pub revoked: Revoked,
    /// When it was revoked; `None` where an older replica does not say.
    #[cfg_attr(feature = "serde", serde(default))]
    pub since: Option<SystemTime>,
    /// Until when it has to be remembered, because a token that it revokes could be accepted.
    pub until: SystemTime,
}

impl Revocation {
    /// A revocation that was made `since` and is remembered `until`, as a store has kept it.
    pub fn new(revoked: Revoked, since: SystemTime, until: SystemTime) -> Self {
        Self {
            revoked,
            since: Some(since),
            until,
        }
    }
}

/// Up to where a replica has read the changes of another one. The default is the beginning.
///
/// It names the list that it was read from, so that after a restart of the other side nothing is
/// missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct ChangeCursor {
    pub(crate) list: u64,
    pub(crate) sequence: u64,
}

impl ChangeCursor {
    /// The sequence number after which this list has to be read on.
    pub(crate) fn in_list(self, list: u64) -> u64 {
        if self.list == list { self.sequence } else { 0 }
    }
}

/// What has changed in a list of [`Revocations`](super::Revocations) since a
/// [cursor](ChangeCursor), for other replicas to [`merge`](super::Revocations::merge).
///
/// With the feature `serde` it has a form in JSON and others. Fields that are not known are passed
/// over, and [kinds](Revoked::Unknown) that are not known revoke more, so that replicas of two versions
/// understand each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct RevocationChanges {
    /// What has been revoked.
    pub revocations: Vec<Revocation>,
    /// Everything that was issued at this time or before is revoked.
    pub issued_until: Option<SystemTime>,
    /// Where to read on.
    pub next: ChangeCursor,
    /// Whether there is more to read at once.
    pub has_more: bool,
}

impl RevocationChanges {
    /// Changes as a store has kept them; they are read from its beginning again.
    pub fn from_store<I>(revocations: I, issued_until: Option<SystemTime>) -> Self
    where
        I: IntoIterator<Item = Revocation>,
    {
        Self {
            revocations: revocations.into_iter().collect(),
            issued_until,
            ..Self::default()
        }
    }
}

/// By hand, because an unknown kind must not keep a replica from reading the rest of the page.
#[cfg(feature = "serde")]
mod reading {
    use std::fmt;

    use serde::{
        Deserialize, Deserializer,
        de::{EnumAccess, Error, Unexpected, VariantAccess, Visitor},
    };

    use super::{
        super::{content::Content, unknown_kind::UnknownKind},
        Revoked,
    };

    impl<'de> Deserialize<'de> for Revoked {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_enum("Revoked", &["token", "session"], RevokedVisitor)
        }
    }

    struct RevokedVisitor;

    impl<'de> Visitor<'de> for RevokedVisitor {
        type Value = Revoked;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("what has been revoked")
        }

        fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Revoked, A::Error> {
            let (kind, content) = data.variant()?;
            match kind {
                Kind::Token => content.newtype_variant().map(Revoked::Token),
                Kind::Session => content.newtype_variant().map(Revoked::Session),
                Kind::Unknown(name) => {
                    let mut fingerprint = UnknownKind::begin_fingerprint(&name);
                    let mut is_there = false;
                    let read = content.newtype_variant_seed(Content {
                        fingerprint: &mut fingerprint,
                        is_there: &mut is_there,
                    });
                    match read {
                        Err(error) if is_there => Err(error),
                        // A kind that needs no more words, as a name alone in JSON.
                        Ok(()) | Err(_) => {
                            Ok(Revoked::Unknown(UnknownKind::new(name, &fingerprint)))
                        }
                    }
                }
            }
        }
    }

    enum Kind {
        Token,
        Session,
        Unknown(Box<str>),
    }

    impl<'de> Deserialize<'de> for Kind {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_identifier(KindVisitor)
        }
    }

    struct KindVisitor;

    impl Visitor<'_> for KindVisitor {
        type Value = Kind;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a kind of revocation")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<Kind, E> {
            Ok(match name {
                "token" => Kind::Token,
                "session" => Kind::Session,
                other => Kind::Unknown(other.into()),
            })
        }

        fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Kind, E> {
            match std::str::from_utf8(name) {
                Ok(name) => self.visit_str(name),
                Err(_) => Err(E::invalid_value(Unexpected::Bytes(name), &self)),
            }
        }

        /// Formats that number the kinds do not say where an unknown one ends.
        fn visit_u64<E: Error>(self, number: u64) -> Result<Kind, E> {
            match number {
                0 => Ok(Kind::Token),
                1 => Ok(Kind::Session),
                _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::revocation::{Revocations, TokenIdentity};

    /// Formats without names number the kinds.
    #[cfg(feature = "serde")]
    #[test]
    fn kinds_are_known_by_number_too() {
        use serde::{
            Deserialize,
            de::value::{BoolDeserializer, Error, U32Deserializer},
        };

        let read = |number| Revoked::deserialize(U32Deserializer::<Error>::new(number));
        for (number, mistake) in [
            (0, "newtype variant"),
            (1, "newtype variant"),
            (2, "integer `2`, expected a kind of revocation"),
        ] {
            let error = read(number).unwrap_err().to_string();
            assert!(error.contains(mistake), "{number}: {error}");
        }
        let error = Revoked::deserialize(BoolDeserializer::<Error>::new(true)).unwrap_err();
        assert!(
            error.to_string().contains("what has been revoked"),
            "{error}"
        );
    }

    /// A kind that is not known may have any content, or none; one that is known may not.
    #[cfg(feature = "serde")]
    #[test]
    fn kinds_that_are_not_known_need_no_content() {
        let everything = Some("everything");
        let token = Some("t");
        for (json, expected) in [
            (r#""everything""#, everything),
            (r#"{"everything": null}"#, everything),
            (r#"{"everything": {"of": [1, {"a": 2.5}]}}"#, everything),
            (r#"{"token": "t"}"#, token),
            (r#""token""#, None),
            (r#"{"token": 7}"#, None),
            (r#""session""#, None),
            (r#"{"everything": }"#, None),
            (r#"{"everything": 1, "token": "t"}"#, None),
            (r#"{}"#, None),
            ("7", None),
        ] {
            let read: Option<Revoked> = serde_json::from_str(json).ok();
            assert_eq!(read.as_ref().map(Revoked::id), expected, "{json}");
            let is_unknown = matches!(read, Some(Revoked::Unknown(_)));
            assert_eq!(is_unknown, expected == everything, "{json}");
            let value = serde_json::from_str::<serde_json::Value>(json).ok();
            let again = value.and_then(|value| serde_json::from_value(value).ok());
            assert_eq!(again, read, "{json}");
        }
    }

    #[test]
    fn what_a_store_has_kept_is_revoked_again() {
        let now = SystemTime::now();
        let until = now + Duration::from_secs(3600);
        let kept = Revocation::new(Revoked::Token("t".into()), now, until);
        let changes = RevocationChanges::from_store([kept], Some(UNIX_EPOCH));
        let list = Revocations::new(10);
        assert_eq!(list.merge(&changes), 1);
        assert!(list.is_revoked(&TokenIdentity::new().id("t").issued_at(now)));
        assert!(!list.is_revoked(&TokenIdentity::new().id("u").issued_at(now)));
        assert!(list.is_revoked(&TokenIdentity::new().id("u").issued_at(UNIX_EPOCH)));
    }
}
