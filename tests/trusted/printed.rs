//! What `Debug` shows: how far things have come, and none of the entries that they hold.

use std::fmt::Debug;

use tower_cors::trusted::{
    registry::OriginRegistry,
    replica::{Replica, WhenStale},
    source::{OriginSource, SourceSnapshot},
    store::{EmbeddedStore, OriginStore},
};

use super::{admin, block_on, cors};

#[test]
fn versions_and_numbers_are_printed_and_entries_are_not() {
    let store = EmbeddedStore::in_memory();
    let events = store.origins().subscribe(4);
    for host in ["a", "b"] {
        let draft = cors(&format!("https://{host}.example"));
        block_on(store.create(draft, admin())).unwrap();
    }
    let mut load = SourceSnapshot::new();
    block_on(store.load(&mut load)).unwrap();
    let follower = OriginRegistry::new();
    let replica = Replica::new(store.clone(), follower, WhenStale::KeepLast);
    for (thing, printed) in [
        (
            store.origins() as &dyn Debug,
            "OriginRegistry { version: Version(2), .. }",
        ),
        (&events, "Events { .. }"),
        (&load, "SourceSnapshot { entries: 2, invalid: 0 }"),
        (
            &store,
            "EmbeddedStore { origins: OriginRegistry { version: Version(2), .. }, .. }",
        ),
        (
            &replica,
            "Replica { source: EmbeddedStore { origins: OriginRegistry { version: Version(2), .. }, \
             .. }, origins: OriginRegistry { version: Version(0), .. }, .. }",
        ),
    ] {
        assert_eq!(format!("{thing:?}"), printed);
    }
}
