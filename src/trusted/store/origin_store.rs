use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    debug_as_display::debug_as_display,
    trusted::{
        entry::{Actor, EntryId, OriginDraft, Status, TrustedOrigin, Version},
        source::{InvalidRow, SourceError},
    },
};

/// Where administrators' edits go: a store that several of them may use at once.
///
/// # Contract
///
/// * Names are unique, and so are origins, whether entries are active or not. Of two who race for
///   one, exactly one wins; the other gets [`StoreError::NameTaken`] or
///   [`StoreError::OriginTaken`].
/// * An edit that names the version it was made from fails with [`StoreError::Changed`] when
///   somebody else was faster; no edit is lost silently.
/// * When a method has returned, its change is durable as far as the store promises that, and
///   every [`OriginSource`](crate::trusted::source::OriginSource) on the store will bring it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_cors::trusted::{
///     entry::{Actor, OriginDraft, Scope},
///     store::{EmbeddedStore, OriginStore, StoreError},
/// };
///
/// let store: Box<dyn OriginStore> = Box::new(EmbeddedStore::in_memory());
/// let (ann, bob) = (Actor::new("ann")?, Actor::new("bob")?);
/// let draft = OriginDraft::new("App", "https://app.example", Scope::Cors)?;
/// let seen = store.create(draft, ann.clone()).await?;
///
/// // Both have seen the same version; the second to act learns that it is not current.
/// store.deactivate(seen.id(), Some(seen.version()), ann).await?;
/// let late = store.delete(seen.id(), Some(seen.version()), bob).await;
/// assert!(matches!(late, Err(StoreError::Changed { .. })));
/// # Ok(())
/// # }
/// ```
pub trait OriginStore: fmt::Debug + Send + Sync + 'static {
    /// Adds an entry.
    fn create(&self, draft: OriginDraft, by: Actor) -> StoreFuture<'_, Arc<TrustedOrigin>>;

    /// The entry as it is in the store now.
    fn fetch(&self, id: EntryId) -> StoreFuture<'_, Arc<TrustedOrigin>>;

    /// Gives an entry other content: the one of `expected`, or whichever there is.
    fn replace(
        &self,
        id: EntryId,
        expected: Option<Version>,
        draft: OriginDraft,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>>;

    /// Sets whether an entry counts. Setting the status that the entry has changes nothing.
    fn set_status(
        &self,
        id: EntryId,
        expected: Option<Version>,
        status: Status,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>>;

    /// Removes an entry for good, and returns the version at which it is gone.
    fn delete(&self, id: EntryId, expected: Option<Version>, by: Actor)
    -> StoreFuture<'_, Version>;

    /// Provided: makes the entry count.
    fn activate(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.set_status(id, expected, Status::Active, by)
    }

    /// Provided: keeps the entry, and makes it count for nothing.
    fn deactivate(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        self.set_status(id, expected, Status::Inactive, by)
    }
}

// Stores are used behind pointers.
const _: Option<&dyn OriginStore> = None;

/// Future returned by an [`OriginStore`].
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why an edit was not made. Nothing has changed then, except perhaps where the store is
/// [`Unavailable`](Self::Unavailable).
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another entry has the name.
    #[error("name: {name:?} is taken by another entry: choose another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Another entry has the origin.
    #[error("origin: {origin:?} is taken by another entry: edit that one")]
    OriginTaken {
        /// The origin or pattern.
        origin: String,
    },
    /// There is no such entry.
    #[error("id: there is no entry {id}")]
    NotFound {
        /// The id.
        id: EntryId,
    },
    /// The entry was changed by others since.
    #[error("version: the entry is at version {current} by now: read it again")]
    Changed {
        /// The version of the entry that there is.
        current: Version,
    },
    /// The store has an invalid row there, which cannot be edited. It was written by other means.
    #[error("{0}: delete it, or correct it in the store")]
    Invalid(InvalidRow),
    /// The store is out of reach, or takes no edits for now. Whether the edit was made may be
    /// unknown: read again.
    #[error("the store takes no edits for now: {0}")]
    Unavailable(SourceError),
}

debug_as_display!(StoreError);

impl StoreError {
    /// The field that the error is about, or an empty text when it is about none.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NameTaken { .. } => "name",
            Self::OriginTaken { .. } => "origin",
            Self::NotFound { .. } => "id",
            Self::Changed { .. } => "version",
            Self::Invalid(row) => row.error.field(),
            Self::Unavailable(_) => "",
        }
    }
}

impl From<SourceError> for StoreError {
    fn from(error: SourceError) -> Self {
        Self::Unavailable(error)
    }
}
