use std::{fmt, sync::Arc};

use super::{array::array_code, hint::Said};
use crate::origin::{Listing, Nearest, Origin, OriginSet};

/// A listing that a policy goes by, as texts need it.
pub(crate) trait ListingTexts: Listing {
    /// Why it does not let the origin in, in its own words.
    fn why_not(&self, origin: &Origin) -> Option<Said>;

    /// The code that lists the origin as well.
    fn code_to_add(&self, origin: &Origin) -> Option<String>;
}

/// Longer lists are not repeated in code.
pub(crate) const MAX_WRITTEN: usize = 12;

impl ListingTexts for OriginSet {
    fn why_not(&self, _: &Origin) -> Option<Said> {
        None
    }

    fn code_to_add(&self, origin: &Origin) -> Option<String> {
        let mut entries = self.entries_up_to(MAX_WRITTEN)?;
        entries.push(origin.as_str().to_owned());
        Some(array_code("OriginSet::parse(", &entries, ")?"))
    }
}

/// Where a policy looks origins up. A clone is one reference count.
#[derive(Clone, Default)]
pub(crate) struct Listings(Arc<[Arc<dyn ListingTexts>]>);

impl Listings {
    pub(super) fn of(listing: impl ListingTexts + 'static) -> Self {
        Self(Arc::new([Arc::new(listing) as Arc<dyn ListingTexts>]))
    }

    /// Both.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&*other.0).cloned().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry that matches the origin.
    pub(crate) fn entry_for(&self, origin: &Origin) -> Option<String> {
        self.0.iter().find_map(|listing| listing.entry_for(origin))
    }

    /// The entry that differs least from an origin that none matches.
    pub(crate) fn nearest(&self, origin: &Origin) -> Option<Nearest> {
        // A wildcard policy of two may have let it in; then nothing is near.
        if self.entry_for(origin).is_some() {
            return None;
        }
        let mut listings = self.0.iter();
        listings.find_map(|listing| Nearest::find(&**listing, origin))
    }

    /// Why the origin is not let in, in the words of the first listing that has some.
    pub(crate) fn why_not(&self, origin: &Origin) -> Option<Said> {
        self.0.iter().find_map(|listing| listing.why_not(origin))
    }

    /// The code that lists the origin as well, if there is one listing.
    pub(crate) fn code_to_add(&self, origin: &Origin) -> Option<String> {
        match &*self.0 {
            [listing] => listing.code_to_add(origin),
            _ => None,
        }
    }
}

/// Listings are for texts only: two policies with the same properties are alike to a layer, whatever
/// they list.
impl PartialEq for Listings {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Listings {}

impl fmt::Debug for Listings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.0).finish()
    }
}
