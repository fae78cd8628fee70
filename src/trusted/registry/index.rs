//! [`Index`]: from an origin to its permissions. Lookups and edits cost the same however many
//! entries there are.

use std::{hash::BuildHasher, sync::Arc};

use foldhash::quality::RandomState;

use super::{
    access::Access,
    families::{Families, Key},
    tree::{Node, Slot},
};
use crate::{origin::Origin, trusted::entry::TrustedOrigin};

/// An immutable map with cheap edits: a clone shares everything with its original, and an edit
/// copies only the path to what it changes.
///
/// Entries hang in a tree of hashes. The hash only finds them; the entry's
/// pattern decides whether it matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    root: Node,
    hasher: RandomState,
    families: Arc<Families>,
}

impl Index {
    /// The permissions of the origin.
    pub(crate) fn access(&self, origin: &Origin) -> Access {
        let exact = self.probe(self.hash(&Key::Exact(origin.as_bytes())), origin);
        if self.families.is_empty() {
            exact
        } else {
            exact.and(self.access_by_family(origin))
        }
    }

    fn access_by_family(&self, origin: &Origin) -> Access {
        let mut access = Access::default();
        self.for_each_family(origin, |key| {
            access = access.and(self.probe(self.hash(&key), origin));
        });
        access
    }

    /// The keys under which patterns that match the origin may be filed, exact ones left out.
    fn for_each_family(&self, origin: &Origin, mut visit: impl FnMut(Key<'_>)) {
        let (scheme, host) = (origin.scheme_bytes(), origin.host_bytes());
        if self.families.schemes > 0 {
            visit(Key::Scheme(scheme));
        }
        if self.families.hosts > 0 {
            visit(Key::Host(scheme, host));
        }
        let dots = host.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        for base in dots.map(|(dot, _)| &host[dot + 1..]) {
            if self.families.any_port.contains(base.len()) {
                visit(Key::Base(scheme, base));
            }
            if self.families.one_port.contains(base.len()) {
                visit(Key::BaseAndPort(scheme, base, origin.port()));
            }
        }
        for &((before, behind), _) in &self.families.around_star {
            // The `*` stands for one character at least.
            if before + behind < host.len() {
                let behind = &host[host.len() - behind..];
                visit(Key::InLabel(scheme, &host[..before], behind));
            }
        }
    }

    /// All entries that match the origin.
    pub(crate) fn matching(&self, origin: &Origin) -> Vec<Arc<TrustedOrigin>> {
        let mut found = Vec::new();
        let mut add = |key: Key<'_>| {
            let hash = self.hash(&key);
            let matching = self.root.leaf(hash).iter().filter(|slot| slot.hash == hash);
            let matching = matching.map(|slot| &slot.entry);
            found.extend(matching.filter(|e| e.pattern().matches(origin)).cloned());
        };
        add(Key::Exact(origin.as_bytes()));
        self.for_each_family(origin, add);
        found
    }

    pub(crate) fn insert(&mut self, entry: Arc<TrustedOrigin>) {
        let key = Key::of(entry.pattern());
        let hash = self.hash(&key);
        if !matches!(key, Key::Exact(_)) {
            Arc::make_mut(&mut self.families).count(&key, |count| *count += 1);
        }
        self.root.insert(Slot { hash, entry }, 0);
    }

    /// Takes out the entry with the same id, which must have been inserted with this pattern.
    pub(crate) fn remove(&mut self, entry: &TrustedOrigin) {
        let key = Key::of(entry.pattern());
        let is_removed = self.root.remove(self.hash(&key), entry, 0);
        if is_removed && !matches!(key, Key::Exact(_)) {
            Arc::make_mut(&mut self.families).count(&key, |count| *count -= 1);
        }
    }

    fn hash(&self, key: &Key<'_>) -> u64 {
        self.hasher.hash_one(key)
    }

    fn probe(&self, hash: u64, origin: &Origin) -> Access {
        self.root
            .leaf(hash)
            .iter()
            .filter(|slot| slot.hash == hash && slot.entry.pattern().matches(origin))
            .fold(Access::default(), |sum, slot| {
                sum.and(Access::of(&slot.entry))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        origin::OriginPattern,
        trusted::entry::{Actor, EntryId, OriginDraft, Scope, Scopes, Status, Version},
    };

    fn entry(id: u64, pattern: &str, scopes: Scopes, status: Status) -> Arc<TrustedOrigin> {
        // Any host may be trusted with calls alone.
        let scopes = if pattern.ends_with("://*") {
            Scope::Cors.into()
        } else {
            scopes
        };
        let draft = OriginDraft::dangerously_insecure("name", pattern, scopes).unwrap();
        Arc::new(TrustedOrigin::created(
            EntryId::from_number(id).unwrap(),
            draft.with_status(status),
            Actor::new("somebody").unwrap(),
            SystemTime::UNIX_EPOCH,
            Version::ZERO,
        ))
    }

    /// Few letters and labels, so that entries and origins meet often.
    fn host() -> impl Strategy<Value = String> {
        proptest::collection::vec("[ab]{1,2}", 1..4).prop_map(|labels| labels.join("."))
    }

    fn pattern() -> impl Strategy<Value = String> {
        let scheme = prop_oneof![Just("https"), Just("http"), Just("tauri")];
        let port = prop_oneof![Just(""), Just(":1"), Just(":8080"), Just(":*")];
        let star = prop_oneof![Just(""), Just("*."), Just("a*."), Just("*b.")];
        let web = (scheme, star, host(), port).prop_map(|(scheme, star, host, port)| {
            // Two labels at least, which cross no public suffix.
            format!("{scheme}://{star}{host}.example{port}")
        });
        let web = web.prop_filter("a pattern", |text| text.parse::<OriginPattern>().is_ok());
        let range = prop_oneof![
            Just("http://10.0.0.0/8"),
            Just("http://10.0.0.0/31"),
            Just("http://10.0.0.0/8:*"),
            Just("https://10.0.0.2/31:8080"),
        ];
        let range = range.prop_map(str::to_owned);
        prop_oneof![20 => web, 1 => Just("tauri://*".to_owned()), 2 => range]
    }

    fn origin() -> impl Strategy<Value = Origin> {
        let scheme = prop_oneof![Just("https"), Just("http"), Just("tauri"), Just("ionic")];
        let port = prop_oneof![Just(""), Just(":1"), Just(":8080"), Just(":9")];
        let name = (host(), any::<bool>()).prop_map(|(host, dot)| {
            let dot = if dot { "." } else { "" };
            format!("{host}.example{dot}")
        });
        let address = (0..4_u8).prop_map(|last| format!("10.0.0.{last}"));
        let host = prop_oneof![8 => name, 1 => address];
        (scheme, host, port)
            .prop_map(|(scheme, host, port)| format!("{scheme}://{host}{port}").parse().unwrap())
    }

    #[derive(Clone, Debug)]
    enum Edit {
        Insert(String, u8, bool),
        Remove(usize),
    }

    fn edit() -> impl Strategy<Value = Edit> {
        prop_oneof![
            3 => (pattern(), 1_u8..8, any::<bool>())
                .prop_map(|(pattern, scopes, active)| Edit::Insert(pattern, scopes, active)),
            1 => any::<usize>().prop_map(Edit::Remove),
        ]
    }

    fn scopes(bits: u8) -> Scopes {
        Scope::ALL
            .into_iter()
            .filter(|s| bits & s.bit() != 0)
            .collect()
    }

    fn naive(list: &[Arc<TrustedOrigin>], origin: &Origin) -> Access {
        list.iter()
            .filter(|entry| entry.pattern().matches(origin))
            .fold(Access::default(), |sum, entry| sum.and(Access::of(entry)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn agrees_with_a_list_and_leaves_older_clones_alone(
            edits in proptest::collection::vec(edit(), 0..120),
            origins in proptest::collection::vec(origin(), 1..12),
        ) {
            let mut list: Vec<Arc<TrustedOrigin>> = Vec::new();
            let mut index = Index::default();
            let mut half = None;
            for (i, edit) in edits.iter().enumerate() {
                if i == edits.len() / 2 {
                    half = Some((list.clone(), index.clone()));
                }
                match edit {
                    Edit::Insert(pattern, bits, active) => {
                        let status = if *active { Status::Active } else { Status::Inactive };
                        let entry = entry(i as u64, pattern, scopes(*bits), status);
                        list.push(Arc::clone(&entry));
                        index.insert(entry);
                    }
                    Edit::Remove(at) if !list.is_empty() => {
                        let entry = list.swap_remove(at % list.len());
                        index.remove(&entry);
                    }
                    Edit::Remove(_) => {}
                }
            }
            for origin in &origins {
                prop_assert_eq!(index.access(origin), naive(&list, origin), "{}", origin);
                if let Some((list, index)) = &half {
                    prop_assert_eq!(index.access(origin), naive(list, origin), "{}", origin);
                }
            }
            for entry in list {
                index.remove(&entry);
            }
            prop_assert!(index.families.is_empty());
            for origin in &origins {
                prop_assert_eq!(index.access(origin), Access::default());
            }
        }
    }

    /// Also an empty one, which no wildcard within a label stands for.
    #[test]
    fn any_host_of_a_scheme_is_found() {
        let mut index = Index::default();
        index.insert(entry(1, "app://*", Scope::Cors.into(), Status::Active));
        for (origin, expected) in [("app://", true), ("app://-", true), ("tauri://a", false)] {
            let origin: Origin = origin.parse().unwrap();
            assert_eq!(
                index.access(&origin).allows(Scope::Cors),
                expected,
                "{origin}"
            );
        }
    }

    #[test]
    fn each_kind_of_pattern_is_found() {
        for (pattern, found, not_found) in [
            (
                "https://a.example",
                "https://a.example",
                "https://b.example",
            ),
            (
                "https://*.a.example",
                "https://x.y.a.example",
                "https://xa.example",
            ),
            (
                "https://*.a.example:*",
                "https://x.a.example:1",
                "http://x.a.example:1",
            ),
            (
                "http://localhost:*",
                "http://localhost:1",
                "http://a.localhost:1",
            ),
            (
                "https://pr-*.a.example",
                "https://pr-1.a.example",
                "https://pr-.a.example",
            ),
            (
                "https://*-pr.a.example",
                "https://1-pr.a.example",
                "https://1.x-pr.a.example",
            ),
            ("http://10.0.0.0/31", "http://10.0.0.1", "http://10.0.0.2"),
        ] {
            let mut index = Index::default();
            index.insert(entry(1, pattern, Scope::Cors.into(), Status::Active));
            for (origin, count) in [(found, 1), (not_found, 0)] {
                let origin: Origin = origin.parse().unwrap();
                let allows = index.access(&origin).allows(Scope::Cors);
                assert_eq!(allows, count > 0, "{pattern} {origin}");
                assert_eq!(index.matching(&origin).len(), count, "{pattern} {origin}");
            }
        }
    }

    #[test]
    fn many_entries_of_one_origin_are_told_apart_by_their_ids() {
        let mut index = Index::default();
        let all = Scopes::from(Scope::ALL);
        let entries: Vec<_> = (0..100)
            .map(|id| entry(id, "https://a.example", all, Status::Active))
            .collect();
        for entry in &entries {
            index.insert(Arc::clone(entry));
        }
        let origin: Origin = "https://a.example".parse().unwrap();
        for entry in &entries {
            assert!(index.access(&origin).allows(Scope::Cors));
            index.remove(entry);
        }
        assert_eq!(index.access(&origin), Access::default());
    }

    #[test]
    fn an_entry_that_is_not_there_leaves_others_as_they_are() {
        let mut index = Index::default();
        let pattern = "https://*.a.example";
        let there = entry(1, pattern, Scope::Cors.into(), Status::Active);
        index.insert(there);
        index.remove(&entry(2, pattern, Scope::Cors.into(), Status::Active));
        let origin: Origin = "https://b.a.example".parse().unwrap();
        assert!(index.access(&origin).allows(Scope::Cors));
    }
}
