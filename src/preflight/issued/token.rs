use std::time::SystemTime;

use crate::origin::Origin;

/// A token that has been issued, as far as an [`IssuedIndex`](crate::preflight::IssuedIndex) is concerned:
/// its id, the session that it belongs to, the origins that it names, and when it expires.
///
/// It holds nothing that would let anyone use the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Issued {
    id: Box<str>,
    session: Option<Box<str>>,
    #[cfg_attr(feature = "serde", serde(with = "origins"))]
    origins: Box<[Origin]>,
    expires_at: SystemTime,
}

impl Issued {
    /// A token by its id: the claim `jti`, or whatever tells it from all others.
    pub fn new<I>(id: impl Into<Box<str>>, origins: I, expires_at: SystemTime) -> Self
    where
        I: IntoIterator<Item = Origin>,
    {
        Self {
            id: id.into(),
            session: None,
            origins: origins.into_iter().collect(),
            expires_at,
        }
    }

    /// Names the session that the token belongs to, whose tokens can be revoked together.
    #[must_use]
    pub fn session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// The token's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The session that it belongs to.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The origins that it names.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// When it expires.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

/// What has been revoked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[expect(
    clippy::exhaustive_enums,
    reason = "replicas must agree on what there is"
)]
pub enum Revoked {
    /// The token with this id.
    Token(Box<str>),
    /// All tokens of this session, also those that are not known yet.
    Session(Box<str>),
}

impl Revoked {
    pub(crate) fn id(&self) -> &str {
        let (Self::Token(id) | Self::Session(id)) = self;
        id
    }
}

/// A revocation, which is remembered as long as what it revokes could be accepted or read: see
/// [`IssuedIndex::revoke`](crate::preflight::IssuedIndex::revoke).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[expect(clippy::exhaustive_structs, reason = "plain data between replicas")]
pub struct Revocation {
    /// What is revoked.
    pub revoked: Revoked,
    /// Until when it has to be remembered.
    pub until: SystemTime,
}

/// What an [`IssuedIndex`](crate::preflight::IssuedIndex) holds at a moment, for other replicas to
/// [`merge`](crate::preflight::IssuedIndex::merge). How it travels is the application's choice; with the
/// feature `serde` it has a form in JSON and others.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::{Origin, preflight::{Issued, IssuedIndex}};
///
/// let (here, there) = (IssuedIndex::new(100), IssuedIndex::new(100));
/// let page: Origin = "https://example.com".parse().unwrap();
/// let expiry = SystemTime::now() + Duration::from_secs(600);
///
/// here.register(&Issued::new("1", [page.clone()], expiry))?;
/// assert_eq!(there.merge(&here.snapshot()).added, 1);
/// assert!(there.contains(&page));
///
/// here.revoke("1")?;
/// assert_eq!(there.merge(&here.snapshot()).revoked, 1);
/// assert!(!there.contains(&page));
/// # Ok::<(), tower_cors::preflight::RegisterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[expect(clippy::exhaustive_structs, reason = "plain data between replicas")]
pub struct IssuedSnapshot {
    /// The tokens that live, and those that expired a short time ago.
    pub tokens: Vec<Issued>,
    /// What has been revoked.
    pub revocations: Vec<Revocation>,
}

/// What came of merging a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// How many tokens were not known before.
    pub added: usize,
    /// How many revocations were not known before.
    pub revoked: usize,
    /// How many entries the index could not take: see
    /// [`RegisterError`](crate::preflight::RegisterError). What is expired or known is not among them.
    pub refused: usize,
}

/// Origins are texts, and parsed again.
#[cfg(feature = "serde")]
mod origins {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::origin::Origin;

    pub(crate) fn serialize<S: Serializer>(
        origins: &[Origin],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(origins.iter().map(Origin::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<[Origin]>, D::Error> {
        let texts: Vec<String> = Vec::deserialize(deserializer)?;
        let origins = texts.iter().map(|text| text.parse());
        origins.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}
