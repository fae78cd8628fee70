use std::time::SystemTime;

use crate::trusted::entry::{Actor, EntryId, OriginDraft, TrustedOrigin, Version};

/// One edit of a store, for those who write an [`OriginStore`](crate::trusted::store::OriginStore):
/// makes entries from drafts.
///
/// ```
/// use std::time::SystemTime;
/// use tower_cors::trusted::{
///     entry::{Actor, EntryId, OriginDraft, Scope, Version},
///     store::EntryEdit,
/// };
///
/// let draft = OriginDraft::new("Shop", "https://shop.example.com", Scope::Cors)?;
/// let now = SystemTime::now();
/// let ann = EntryEdit::new(Actor::new("ann")?, now, Version::new(1));
/// let entry = ann.create(EntryId::generate(now), draft);
///
/// let draft = OriginDraft::new("Store", "https://shop.example.com", Scope::Cors)?;
/// let edited = EntryEdit::new(Actor::new("bob")?, now, Version::new(2)).replace(&entry, draft);
/// assert_eq!(edited.id(), entry.id());
/// assert_eq!(edited.created_by().as_str(), "ann");
/// # Ok::<(), tower_cors::trusted::entry::EntryError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct EntryEdit {
    by: Actor,
    time: SystemTime,
    version: Version,
}

impl EntryEdit {
    /// An edit by somebody, at a time, which will have this version.
    pub fn new(by: Actor, time: SystemTime, version: Version) -> Self {
        Self { by, time, version }
    }

    /// When the edit is made.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// A new entry.
    pub fn create(&self, id: EntryId, draft: OriginDraft) -> TrustedOrigin {
        TrustedOrigin::created(id, draft, self.by.clone(), self.time, self.version)
    }

    /// The same entry with other content.
    pub fn replace(&self, entry: &TrustedOrigin, draft: OriginDraft) -> TrustedOrigin {
        entry.replaced(draft, self.by.clone(), self.time, self.version)
    }
}
