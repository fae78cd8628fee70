use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::Arc,
};

use super::origin_store::StoreError;
use crate::trusted::entry::TrustedOrigin;

/// The names and the origins of all entries, each of which may exist once.
#[derive(Default)]
pub(crate) struct Unique {
    names: HashSet<ByName>,
    patterns: HashSet<ByPattern>,
}

impl Unique {
    /// Whether `entry` may take the place of `before`, or be new.
    pub(crate) fn check(
        &self,
        before: Option<&Arc<TrustedOrigin>>,
        entry: &TrustedOrigin,
    ) -> Result<(), StoreError> {
        let is_other = |there: &TrustedOrigin| before.is_none_or(|own| own.id() != there.id());
        if self.names.get(entry.name()).is_some_and(|n| is_other(&n.0)) {
            let name = entry.name().to_owned();
            return Err(StoreError::NameTaken { name });
        }
        let origin = entry.pattern().as_str();
        if self.patterns.get(origin).is_some_and(|p| is_other(&p.0)) {
            let origin = origin.to_owned();
            return Err(StoreError::OriginTaken { origin });
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, entry: Arc<TrustedOrigin>) {
        self.names.insert(ByName(Arc::clone(&entry)));
        self.patterns.insert(ByPattern(entry));
    }

    pub(crate) fn remove(&mut self, entry: &TrustedOrigin) {
        self.names.remove(entry.name());
        self.patterns.remove(entry.pattern().as_str());
    }
}

impl FromIterator<Arc<TrustedOrigin>> for Unique {
    fn from_iter<I: IntoIterator<Item = Arc<TrustedOrigin>>>(entries: I) -> Self {
        let mut unique = Self::default();
        for entry in entries {
            unique.insert(entry);
        }
        unique
    }
}

macro_rules! found_by {
    ($found_by:ident, $entry:ident => $key:expr) => {
        /// An entry in a set, found by one of its texts without a copy of it.
        struct $found_by(Arc<TrustedOrigin>);

        impl Borrow<str> for $found_by {
            fn borrow(&self) -> &str {
                let $entry = &self.0;
                $key
            }
        }

        impl Hash for $found_by {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Borrow::<str>::borrow(self).hash(state);
            }
        }

        impl PartialEq for $found_by {
            fn eq(&self, other: &Self) -> bool {
                Borrow::<str>::borrow(self) == Borrow::<str>::borrow(other)
            }
        }

        impl Eq for $found_by {}
    };
}

found_by!(ByName, entry => entry.name());

found_by!(ByPattern, entry => entry.pattern().as_str());
