use std::time::SystemTime;

use crate::{
    origin::Origin,
    revocation::{ChangeCursor, RevocationChanges, TokenIdentity},
};

/// A token that has been issued, as far as an [`IssuedIndex`](crate::preflight::IssuedIndex) is
/// concerned: its id, whose it is, the origins that it names, and its time.
///
/// It holds nothing that would let anyone use the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "written::Issued")
)]
#[must_use = "it does nothing until it is passed on"]
pub struct Issued {
    id: Box<str>,
    session: Option<Box<str>>,
    tenant: Option<Box<str>>,
    #[cfg_attr(feature = "serde", serde(serialize_with = "written::origins"))]
    origins: Box<[Origin]>,
    /// How many origins of another replica could not be read.
    #[cfg_attr(feature = "serde", serde(skip))]
    left_out: usize,
    issued_at: Option<SystemTime>,
    expires_at: SystemTime,
}

impl Issued {
    /// A token by its id: the claim `jti`, or another value that is unique.
    pub fn new<I>(id: impl Into<Box<str>>, origins: I, expires_at: SystemTime) -> Self
    where
        I: IntoIterator<Item = Origin>,
    {
        Self {
            id: id.into(),
            session: None,
            tenant: None,
            origins: origins.into_iter().collect(),
            left_out: 0,
            issued_at: None,
            expires_at,
        }
    }

    /// Names the session that the token belongs to, whose tokens can be revoked together.
    pub fn session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Names the tenant, or customer, in whose share of the index the token counts.
    pub fn tenant(mut self, tenant: impl Into<Box<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets when the token was issued. Default: when it is registered.
    pub fn issued_at(mut self, time: SystemTime) -> Self {
        self.issued_at = Some(time);
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

    /// The tenant in whose share it counts.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The origins that it names.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// When it expires.
    pub fn expiry(&self) -> SystemTime {
        self.expires_at
    }

    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// When it was issued, if that is known.
    pub(crate) fn issuance(&self) -> Option<SystemTime> {
        self.issued_at
    }

    pub(crate) fn identity(&self) -> TokenIdentity<'_> {
        let mut identity = TokenIdentity::new()
            .id(&self.id)
            .expires_at(self.expires_at);
        if let Some(session) = &self.session {
            identity = identity.session(session);
        }
        match self.issued_at {
            Some(time) => identity.issued_at(time),
            None => identity,
        }
    }
}

/// Up to where a replica has read the changes of an [`IssuedIndex`](crate::preflight::IssuedIndex)
/// and its revocations. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct IssuedCursor {
    pub(crate) tokens: ChangeCursor,
    pub(crate) revocations: ChangeCursor,
}

/// What has changed in an [`IssuedIndex`](crate::preflight::IssuedIndex) since a
/// [cursor](IssuedCursor), for other replicas to
/// [`merge`](crate::preflight::IssuedIndex::merge). How it travels is the application's choice; with
/// the feature `serde` it has a form in JSON and others, in which fields that are not known are
/// passed over, and origins that cannot be read are [left out](Merged::left_out).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::{Origin, preflight::{Issued, IssuedCursor, IssuedIndex}};
///
/// let (here, there) = (IssuedIndex::new(100), IssuedIndex::new(100));
/// let page: Origin = "https://example.com".parse().unwrap();
/// let expiry = SystemTime::now() + Duration::from_secs(600);
///
/// here.register(&Issued::new("1", [page.clone()], expiry))?;
/// let changes = here.changes_since(IssuedCursor::default());
/// assert_eq!(there.merge(&changes).added, 1);
/// assert!(there.contains(&page));
///
/// here.revocations().revoke("1")?;
/// let changes = here.changes_since(changes.next);
/// assert_eq!(there.merge(&changes).revoked, 1);
/// assert!(!there.contains(&page));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct IssuedChanges {
    /// The tokens that have been registered, if they are still there.
    pub tokens: Vec<Issued>,
    /// What has been revoked.
    pub revocations: RevocationChanges,
    /// Where to read on.
    pub next: IssuedCursor,
    /// Whether there is more to read at once.
    pub has_more: bool,
}

/// The result of merging changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// How many tokens were not known before.
    pub added: usize,
    /// How many revocations were not known before.
    pub revoked: usize,
    /// How many tokens the index could not take: see
    /// [`RegisterError`](crate::preflight::RegisterError). Their preflights are refused here.
    /// Tokens that are expired or known already are not counted.
    pub refused: usize,
    /// How many origins of tokens could not be read, as where a newer version has written them.
    /// Their preflights are refused here.
    pub left_out: usize,
}

/// The form in which a token travels. Origins are texts, and parsed again; one that does not parse, as
/// where a newer version has written it, must not keep a replica from reading the rest of the page.
#[cfg(feature = "serde")]
mod written {
    use std::time::SystemTime;

    use serde::{Deserialize, Serializer};

    use crate::origin::Origin;

    #[derive(Deserialize)]
    pub(super) struct Issued {
        id: Box<str>,
        #[serde(default)]
        session: Option<Box<str>>,
        #[serde(default)]
        tenant: Option<Box<str>>,
        origins: Vec<String>,
        #[serde(default)]
        issued_at: Option<SystemTime>,
        expires_at: SystemTime,
    }

    impl From<Issued> for super::Issued {
        fn from(issued: Issued) -> Self {
            let parsed = issued.origins.iter().filter_map(|text| text.parse().ok());
            let origins: Box<[Origin]> = parsed.collect();
            Self {
                id: issued.id,
                session: issued.session,
                tenant: issued.tenant,
                left_out: issued.origins.len() - origins.len(),
                origins,
                issued_at: issued.issued_at,
                expires_at: issued.expires_at,
            }
        }
    }

    pub(super) fn origins<S: Serializer>(
        origins: &[Origin],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(origins.iter().map(Origin::as_str))
    }
}
