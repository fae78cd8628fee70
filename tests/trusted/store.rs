//! What every store promises, with a file and without; and a model of it all.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use futures_util::FutureExt;
use proptest::prelude::*;
use tower_cors::trusted::{
    entry::{EntryId, Scope, Status, TrustedOrigin, Version},
    registry::OriginRegistry,
    source::{OriginSource, SourceSnapshot},
    store::{EmbeddedStore, OriginStore, RegistryWriter, StoreError},
};

use super::{admin, block_on, cors, draft, entries, origin};

fn with_each_store(test: impl Fn(&EmbeddedStore)) {
    test(&EmbeddedStore::in_memory());
    let folder = tempfile::tempdir().unwrap();
    test(&EmbeddedStore::open(folder.path().join("origins.json")).unwrap());
}

#[test]
fn the_life_of_an_entry() {
    with_each_store(|store| {
        let somebody_else = tower_cors::trusted::entry::Actor::new("ann").unwrap();
        assert!(store.origins().is_empty());
        let created = block_on(store.create(cors("https://a.example"), admin())).unwrap();
        assert_eq!(created.status(), Status::Active);
        assert_eq!(created.created_by(), &admin());
        assert_eq!(created.created_at(), created.last_updated_at());
        assert_eq!(created.version(), Version::new(1));
        assert_eq!(block_on(store.fetch(created.id())).unwrap(), created);

        let other = draft("A", "https://*.a.example", [Scope::Cors, Scope::Redirect]);
        let edit = store.replace(
            created.id(),
            Some(created.version()),
            other.clone(),
            somebody_else.clone(),
        );
        let replaced = block_on(edit).unwrap();
        assert_eq!(replaced.draft(), &other);
        assert_eq!(replaced.created_by(), &admin());
        assert_eq!(replaced.last_updated_by(), &somebody_else);
        assert!(replaced.version() > created.version());
        assert!(store.origins().is_trusted(&origin("https://x.a.example")));
        assert!(!store.origins().is_trusted(&origin("https://a.example")));

        let off = block_on(store.deactivate(replaced.id(), None, admin())).unwrap();
        assert_eq!(off.status(), Status::Inactive);
        assert!(!store.origins().is_empty(), "inactive entries count");
        let again = block_on(store.deactivate(off.id(), None, admin())).unwrap();
        assert_eq!(again, off, "what is so already is no change");
        assert!(!store.origins().is_trusted(&origin("https://x.a.example")));

        let gone = block_on(store.delete(off.id(), Some(off.version()), admin())).unwrap();
        assert!(gone > off.version());
        assert_eq!(store.origins().version(), gone);
        let missing = block_on(store.fetch(off.id()));
        assert!(matches!(missing, Err(StoreError::NotFound { id }) if id == off.id()));
        // Name and origin are free again.
        block_on(store.create(other, admin())).unwrap();
    });
}

#[test]
fn what_is_refused_changes_nothing() {
    with_each_store(|store| {
        let a = block_on(store.create(cors("https://a.example"), admin())).unwrap();
        let b = block_on(store.create(cors("https://b.example"), admin())).unwrap();
        block_on(store.deactivate(b.id(), None, admin())).unwrap();
        let before = entries(store.origins());
        let version = store.origins().version();

        // Inactive entries hold their names and origins, too.
        let name = draft("https://b.example", "https://c.example", Scope::Cors);
        let error = block_on(store.create(name, admin())).unwrap_err();
        assert!(matches!(&error, StoreError::NameTaken { name } if name == "https://b.example"));
        assert_eq!(error.field(), "name");
        for spelling in ["https://b.example", "HTTPS://B.example:443"] {
            let taken = draft("c", spelling, Scope::Redirect);
            let error = block_on(store.replace(a.id(), None, taken, admin())).unwrap_err();
            assert!(
                matches!(&error, StoreError::OriginTaken { origin } if origin == "https://b.example")
            );
        }
        let stale = store.deactivate(b.id(), Some(b.version()), admin());
        let error = block_on(stale).unwrap_err();
        assert!(matches!(error, StoreError::Changed { current } if current == version));
        let nobody = EntryId::from_number(1).unwrap();
        let error = block_on(store.delete(nobody, None, admin())).unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }));

        assert_eq!(entries(store.origins()), before);
        assert_eq!(store.origins().version(), version);
    });
}

#[test]
fn of_two_who_race_for_a_name_one_wins() {
    with_each_store(|store| {
        for round in 0..50 {
            let name = format!("name {round}");
            let barrier = Barrier::new(2);
            let race = |origin: String| {
                barrier.wait();
                block_on(store.create(draft(&name, &origin, Scope::Cors), admin()))
            };
            let (one, two) = thread::scope(|scope| {
                let one = scope.spawn(|| race(format!("https://one-{round}.example")));
                let two = scope.spawn(|| race(format!("https://two-{round}.example")));
                (one.join().unwrap(), two.join().unwrap())
            });
            let losers = [&one, &two].into_iter().filter_map(|r| r.as_ref().err());
            let losers: Vec<_> = losers.collect();
            assert!(
                matches!(losers[..], [StoreError::NameTaken { name: taken }] if *taken == name),
                "{losers:?}"
            );
            assert_eq!(store.origins().len(), round + 1);
        }
    });
}

#[test]
fn of_two_who_edit_the_same_version_one_wins() {
    with_each_store(|store| {
        let entry = block_on(store.create(cors("https://a.example"), admin())).unwrap();
        let barrier = Barrier::new(2);
        let edit = |name: &str| {
            barrier.wait();
            let draft = draft(name, "https://a.example", Scope::Cors);
            block_on(store.replace(entry.id(), Some(entry.version()), draft, admin()))
        };
        let (one, two) = thread::scope(|scope| {
            let one = scope.spawn(|| edit("one"));
            let two = scope.spawn(|| edit("two"));
            (one.join().unwrap(), two.join().unwrap())
        });
        assert_ne!(one.is_ok(), two.is_ok());
        let error = one.err().or(two.err()).unwrap();
        let current = store.origins().version();
        assert!(matches!(error, StoreError::Changed { current: c } if c == current));
    });
}

#[test]
fn lists_have_cursors_and_filters() {
    let store = EmbeddedStore::in_memory();
    for i in 0..3000 {
        let draft = cors(&format!("https://app-{i}.example"));
        block_on(store.create(draft, admin())).unwrap();
    }
    let all = entries(store.origins());
    assert_eq!(all.len(), 3000);
    assert!(all.is_sorted_by_key(|entry| entry.id()));
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = store.origins().list(after, 200, |e| e.name().contains('7'));
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 200);
        after = Some(last.id());
        pages.extend(page);
    }
    let expected: Vec<_> = all.into_iter().filter(|e| e.name().contains('7')).collect();
    assert_eq!(pages, expected);
    assert!(store.origins().list(None, 0, |_| true).is_empty());

    // A long search is done in steps, and finds the same.
    let sevens = |entry: &TrustedOrigin| entry.name().contains('7');
    let found = block_on(store.origins().search(None, usize::MAX, sevens));
    assert_eq!(found, store.origins().list(None, usize::MAX, sevens));
    let mut nothing = Box::pin(store.origins().search(None, 1, |_| false));
    for _ in 0..3 {
        assert!(
            nothing.as_mut().now_or_never().is_none(),
            "other work comes between"
        );
    }
    assert!(block_on(nothing).is_empty());
}

#[derive(Clone, Debug)]
enum Edit {
    Create(String, String),
    Replace(usize, String, String),
    SetStatus(usize, Status),
    Delete(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let name = || "[ab]{1,2}";
    let pattern = || {
        let port = prop_oneof![Just(""), Just(":*"), Just(":1")];
        (any::<bool>(), "[ab]{1,2}", port).prop_map(|(star, host, port)| {
            let star = if star { "*." } else { "" };
            format!("https://{star}{host}.example{port}")
        })
    };
    let status = prop_oneof![Just(Status::Active), Just(Status::Inactive)];
    prop_oneof![
        3 => (name(), pattern()).prop_map(|(name, origin)| Edit::Create(name, origin)),
        2 => (any::<usize>(), name(), pattern())
            .prop_map(|(at, name, origin)| Edit::Replace(at, name, origin)),
        2 => (any::<usize>(), status).prop_map(|(at, status)| Edit::SetStatus(at, status)),
        1 => any::<usize>().prop_map(Edit::Delete),
    ]
}

/// A naive store: a list of entries, each of which is looked at.
#[derive(Default)]
struct Model(Vec<Arc<TrustedOrigin>>);

impl Model {
    fn is_taken(&self, own: Option<EntryId>, name: &str, origin: &str) -> bool {
        let others = self.0.iter().filter(|e| Some(e.id()) != own);
        others
            .into_iter()
            .any(|e| e.name() == name || e.pattern().as_str() == origin)
    }

    fn is_trusted(&self, origin: &tower_cors::Origin) -> bool {
        let active = self.0.iter().filter(|e| e.status() == Status::Active);
        active.into_iter().any(|e| e.pattern().matches(origin))
    }

    fn pick(&self, at: usize) -> Option<usize> {
        (!self.0.is_empty()).then(|| at % self.0.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn agrees_with_a_list(edits in proptest::collection::vec(edit(), 0..60)) {
        let store = EmbeddedStore::in_memory();
        let follower = OriginRegistry::new();
        let mut feed = block_on(store.watch()).unwrap();
        let mut load = SourceSnapshot::new();
        let version = block_on(store.load(&mut load)).unwrap();
        let writer = RegistryWriter::new(&follower);
        writer.load(load, version).unwrap();
        let mut model = Model::default();
        for edit in edits {
            match edit {
                Edit::Create(name, origin) => {
                    let result = block_on(store.create(draft(&name, &origin, Scope::Cors), admin()));
                    prop_assert_eq!(result.is_err(), model.is_taken(None, &name, &origin));
                    model.0.extend(result);
                }
                Edit::Replace(at, name, origin) => {
                    let Some(at) = model.pick(at) else { continue };
                    let id = model.0[at].id();
                    let draft = draft(&name, &origin, Scope::Cors);
                    let result = block_on(store.replace(id, None, draft, admin()));
                    prop_assert_eq!(result.is_err(), model.is_taken(Some(id), &name, &origin));
                    if let Ok(entry) = result {
                        model.0[at] = entry;
                    }
                }
                Edit::SetStatus(at, status) => {
                    let Some(at) = model.pick(at) else { continue };
                    let id = model.0[at].id();
                    model.0[at] = block_on(store.set_status(id, None, status, admin())).unwrap();
                }
                Edit::Delete(at) => {
                    let Some(at) = model.pick(at) else { continue };
                    let entry = model.0.swap_remove(at);
                    block_on(store.delete(entry.id(), Some(entry.version()), admin())).unwrap();
                }
            }
        }
        use futures_util::StreamExt;
        while let Some(Some(change)) = feed.next().now_or_never() {
            writer.apply(change.unwrap());
        }
        model.0.sort_by_key(|entry| entry.id());
        prop_assert_eq!(&entries(store.origins()), &model.0);
        prop_assert_eq!(&entries(&follower), &model.0);
        prop_assert_eq!(follower.version(), store.origins().version());
        for host in ["a", "b", "aa", "x.a", "x.b", "x.ab"] {
            for port in ["", ":1", ":9"] {
                let origin = origin(&format!("https://{host}.example{port}"));
                let expected = model.is_trusted(&origin);
                prop_assert_eq!(store.origins().is_trusted(&origin), expected, "{}", origin);
                prop_assert_eq!(follower.is_trusted(&origin), expected, "{}", origin);
            }
        }
    }
}
