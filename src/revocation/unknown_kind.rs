use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use crate::random;

/// A kind of revocation that a newer version knows and this one does not: see
/// [`Revoked::Unknown`](crate::revocation::Revoked::Unknown).
///
/// ```
/// use tower_cors::revocation::UnknownKind;
///
/// let kind = UnknownKind::from("user");
/// assert_eq!(kind.name(), "user");
/// assert_ne!(kind, UnknownKind::from("issuer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UnknownKind {
    name: Box<str>,
    /// Tells revocations of one kind apart, in this process.
    fingerprint: u64,
}

impl UnknownKind {
    /// The name of the kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn into_name(self) -> Box<str> {
        self.name
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    #[cfg(feature = "serde")]
    pub(crate) fn new(name: Box<str>, fingerprint: &DefaultHasher) -> Self {
        let fingerprint = fingerprint.finish();
        Self { name, fingerprint }
    }

    /// Begins a fingerprint. The content of a revocation may name users, so it starts with a number
    /// that nobody can guess: no user could choose a name with the fingerprint of another one.
    pub(crate) fn begin_fingerprint(name: &str) -> DefaultHasher {
        static SECRET: LazyLock<u64> = LazyLock::new(random::number);
        let mut hasher = DefaultHasher::new();
        SECRET.hash(&mut hasher);
        name.hash(&mut hasher);
        hasher
    }
}

impl From<&str> for UnknownKind {
    fn from(name: &str) -> Self {
        Self {
            name: name.into(),
            fingerprint: Self::begin_fingerprint(name).finish(),
        }
    }
}
