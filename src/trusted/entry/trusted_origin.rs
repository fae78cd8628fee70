use std::time::SystemTime;

use super::{
    actor::Actor,
    draft::OriginDraft,
    id::EntryId,
    scopes::{Scopes, Status},
    stamp::{Stamp, from_millis, to_millis},
    version::Version,
};
use crate::origin::OriginPattern;

/// An entry of the registry: an origin, or a family of origins, and its permissions.
///
/// Made by a store from an [`OriginDraft`], or from an
/// [`OriginRecord`](crate::trusted::entry::OriginRecord) that a source has loaded; both are
/// checked. Entries do not change: an edit makes a new one.
///
/// ```
/// use std::time::SystemTime;
/// use tower_cors::trusted::{
///     entry::{Actor, EntryId, OriginDraft, Scope, Version},
///     store::EntryEdit,
/// };
///
/// let draft = OriginDraft::new("Shop", "https://shop.example.com", Scope::Cors)?.allow_credentials(true)?;
/// let admin = Actor::new("admin@example.com")?;
/// let now = SystemTime::now();
/// let edit = EntryEdit::new(admin, now, Version::new(1));
/// let entry = edit.create(EntryId::generate(now), draft);
///
/// assert!(entry.scopes().contains(Scope::Cors));
/// assert!(!entry.scopes().contains(Scope::Redirect));
/// # Ok::<(), tower_cors::trusted::entry::EntryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOrigin {
    pub(crate) id: EntryId,
    pub(crate) version: Version,
    pub(crate) draft: OriginDraft,
    pub(crate) created: Stamp,
    pub(crate) last_updated: Stamp,
}

impl TrustedOrigin {
    /// A new entry.
    pub(crate) fn created(
        id: EntryId,
        draft: OriginDraft,
        by: Actor,
        at: SystemTime,
        version: Version,
    ) -> Self {
        let stamp = Stamp {
            millis: to_millis(at),
            by,
        };
        Self {
            id,
            version,
            draft,
            created: stamp.clone(),
            last_updated: stamp,
        }
    }

    /// The same entry with other content.
    pub(crate) fn replaced(
        &self,
        draft: OriginDraft,
        by: Actor,
        at: SystemTime,
        version: Version,
    ) -> Self {
        Self {
            id: self.id,
            version,
            draft,
            created: self.created.clone(),
            last_updated: Stamp {
                millis: to_millis(at),
                by,
            },
        }
    }

    /// This entry, read from a file that was edited by hand, in place of the one that was `there`.
    pub(crate) fn edited_by_hand(
        self,
        there: Option<&Self>,
        at: SystemTime,
        version: Version,
    ) -> Self {
        let stamp = Stamp {
            millis: to_millis(at),
            by: Actor("file".into()),
        };
        let created = match there {
            Some(there) => there.created.clone(),
            None if self.created.millis == 0 => stamp.clone(),
            None => self.created,
        };
        Self {
            id: self.id,
            version,
            draft: self.draft,
            created,
            last_updated: stamp,
        }
    }

    /// The id, which never changes.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The store's version with which this content came.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The content, as an administrator writes it.
    pub fn draft(&self) -> &OriginDraft {
        &self.draft
    }

    /// The name, which no other entry of the store has.
    pub fn name(&self) -> &str {
        self.draft.name()
    }

    /// The origin, or the family of origins.
    pub fn pattern(&self) -> &OriginPattern {
        self.draft.pattern()
    }

    /// The permissions of the origin while the entry is active.
    pub fn scopes(&self) -> Scopes {
        self.draft.scopes()
    }

    /// Whether the entry counts.
    pub fn status(&self) -> Status {
        self.draft.status()
    }

    /// Whether pages of the origin may send cookies.
    pub fn allows_credentials(&self) -> bool {
        self.draft.allows_credentials()
    }

    /// When the entry was created, to the millisecond.
    pub fn created_at(&self) -> SystemTime {
        from_millis(self.created.millis)
    }

    /// Who created the entry.
    pub fn created_by(&self) -> &Actor {
        &self.created.by
    }

    /// When the entry was last changed, to the millisecond.
    pub fn last_updated_at(&self) -> SystemTime {
        from_millis(self.last_updated.millis)
    }

    /// Who last changed the entry.
    pub fn last_updated_by(&self) -> &Actor {
        &self.last_updated.by
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::trusted::entry::Scope;

    #[test]
    fn an_edit_by_hand_makes_up_only_what_it_does_not_say() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let created = |seconds| {
            let draft = OriginDraft::new("name", "https://a.example", Scope::Cors).unwrap();
            let (id, by) = (EntryId::from_number(1).unwrap(), Actor::new("me").unwrap());
            TrustedOrigin::created(id, draft, by, at(seconds), Version::ZERO)
        };
        let there = created(5);
        for (said, there, expected) in [
            // Nothing is said of when it was made.
            (0, None, (at(9), "file")),
            (3, None, (at(3), "me")),
            (3, Some(&there), (at(5), "me")),
            (0, Some(&there), (at(5), "me")),
        ] {
            let edited = created(said).edited_by_hand(there, at(9), Version::new(2));
            let found = (edited.created_at(), edited.created_by().as_str());
            assert_eq!(found, expected, "{said} {there:?}");
            let last = (edited.last_updated_at(), edited.last_updated_by().as_str());
            assert_eq!(last, (at(9), "file"));
        }
    }
}
