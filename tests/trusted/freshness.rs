//! The staleness of a registry, by a clock that the tests set.

use std::{fs, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tower_cors::trusted::{
    entry::Version,
    registry::OriginRegistry,
    replica::{Replica, WhenStale},
    source::{Change, OriginSource, SourceSnapshot},
    store::{EmbeddedStore, OriginStore, RegistryWriter},
};

use super::{
    TestClock, admin, block_on, cors,
    source::{Follower, Source, app, record},
};

const SECOND: Duration = Duration::from_secs(1);

/// A registry at version 5, just loaded.
fn loaded() -> (TestClock, OriginRegistry, RegistryWriter) {
    let clock = TestClock::new();
    let origins = OriginRegistry::with_clock(clock.clone());
    let writer = RegistryWriter::new(&origins);
    // Moments before the registry was made cannot be told apart.
    clock.advance(1000 * SECOND);
    let mut load = SourceSnapshot::new();
    load.push(record(1, 5));
    writer.load(load, Version::new(5)).unwrap();
    (clock, origins, writer)
}

fn current(version: u64, age: Duration) -> Change {
    let at = Version::new(version).into();
    Change::Current { at, age }
}

#[test]
fn only_what_is_not_older_than_what_is_served_confirms_it() {
    let (clock, origins, writer) = loaded();
    clock.advance(10 * SECOND);
    assert!(!writer.apply(current(4, Duration::ZERO)));
    assert_eq!(origins.staleness(), Some(10 * SECOND));
    assert!(!writer.apply(current(5, Duration::ZERO)));
    assert_eq!(origins.staleness(), Some(Duration::ZERO));
}

/// Else it would refuse everybody as if it knew that nobody is trusted.
#[test]
fn what_was_never_loaded_is_not_confirmed() {
    let origins = OriginRegistry::new();
    assert!(RegistryWriter::new(&origins).apply(current(5, Duration::ZERO)));
    assert_eq!(origins.staleness(), None);
    assert!(!origins.is_available());
}

#[test]
fn staleness_counts_from_when_the_news_were_true() {
    let (clock, origins, writer) = loaded();
    clock.advance(60 * SECOND);
    writer.apply(current(5, 4 * SECOND));
    assert_eq!(origins.staleness(), Some(4 * SECOND));
    writer.apply(current(6, 3 * SECOND));
    assert_eq!(origins.staleness(), Some(3 * SECOND));
    // A change may have been on the way for any time.
    clock.advance(SECOND);
    let (at, row) = (Version::new(7).into(), record(2, 7).into());
    assert!(writer.apply(Change::Put { at, row }));
    assert_eq!(origins.staleness(), Some(4 * SECOND));
}

#[test]
fn an_earlier_confirmation_does_not_undo_a_later_one() {
    let (clock, origins, writer) = loaded();
    clock.advance(60 * SECOND);
    writer.apply(current(5, SECOND));
    writer.apply(current(5, 30 * SECOND));
    assert_eq!(origins.staleness(), Some(SECOND));
}

#[test]
fn a_copy_is_as_old_as_it_says() {
    let (clock, origins, writer) = loaded();
    clock.advance(60 * SECOND);
    let mut load = SourceSnapshot::new();
    load.set_age(45 * SECOND);
    writer.load(load, Version::new(6)).unwrap();
    assert_eq!(origins.staleness(), Some(45 * SECOND));
}

/// The rows were read then, or a little later.
#[tokio::test]
async fn a_load_confirms_its_beginning() {
    let gate = Arc::new(Semaphore::new(0));
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.gate = Some(Arc::clone(&gate));
    });
    let clock = TestClock::new();
    let origins = OriginRegistry::with_clock(clock.clone());
    clock.advance(1000 * SECOND);
    let stale = WhenStale::FailClosedAfter(60 * SECOND);
    let hour = Duration::from_secs(3600);
    let follower = Follower::start_in(origins, source, stale, hour);
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 1))
        .await;
    clock.advance(20 * SECOND);
    gate.add_permits(1);
    follower.until_in_step().await;
    assert_eq!(follower.origins.staleness(), Some(20 * SECOND));
    clock.advance(40 * SECOND);
    assert!(follower.origins.is_trusted(&app(1)));
    clock.advance(SECOND);
    assert!(
        !follower.origins.is_trusted(&app(1)),
        "it has failed closed"
    );
}

/// A confirmation that had to wait for a load is as old as it was, and older.
#[tokio::test]
async fn a_confirmation_ages_while_it_waits() {
    let gate = Arc::new(Semaphore::new(1));
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.gate = Some(Arc::clone(&gate));
    });
    let clock = TestClock::new();
    let origins = OriginRegistry::with_clock(clock.clone());
    clock.advance(1000 * SECOND);
    let every = Duration::from_millis(20);
    let follower = Follower::start_in(origins, source.clone(), WhenStale::KeepLast, every);
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 2))
        .await;
    clock.advance(5 * SECOND);
    source.with(super::source::State::current);
    follower
        .until("confirmed", |f| {
            f.origins.staleness() == Some(Duration::ZERO)
        })
        .await;
    clock.advance(7 * SECOND);
    assert_eq!(follower.origins.staleness(), Some(7 * SECOND));
}

fn by_hand(host: &str) -> String {
    format!(r#"{{"entries": [{{"name": "A", "origin": "https://{host}", "scopes": ["CORS"]}}]}}"#)
}

#[test]
fn what_a_file_does_not_say_any_more_is_stale_for_the_store_and_its_replicas() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.json");
    fs::write(&path, by_hand("shop.example")).unwrap();
    let clock = TestClock::new();
    let store = EmbeddedStore::open_with_clock(&path, clock.clone()).unwrap();
    let origins = OriginRegistry::with_clock(clock.clone());
    let replica = Replica::new(store.clone(), origins.clone(), WhenStale::KeepLast);
    clock.advance(1000 * SECOND);
    store.reload().unwrap();
    block_on(replica.load_once()).unwrap();
    assert_eq!(store.origins().staleness(), Some(Duration::ZERO));
    assert!(block_on(store.position()).unwrap().is_some());

    for (mistake, text) in [
        ("half of it", r#"{"entries": ["#.to_owned()),
        ("an entry that is none", by_hand("shop.example/path")),
    ] {
        fs::write(&path, text).unwrap();
        let before = store.origins().staleness().unwrap();
        clock.advance(30 * SECOND);
        assert!(store.reload().is_err(), "{mistake}");
        assert_eq!(store.origins().staleness(), Some(before + 30 * SECOND));
        assert!(block_on(store.position()).unwrap().is_none());
        block_on(replica.load_once()).unwrap();
        assert_eq!(origins.staleness(), Some(before + 30 * SECOND));
    }
    fs::remove_file(&path).unwrap();
    assert!(store.reload().is_err());
    assert_eq!(store.origins().staleness(), Some(60 * SECOND));

    fs::write(&path, by_hand("store.example")).unwrap();
    assert!(store.reload().unwrap());
    assert_eq!(store.origins().staleness(), Some(Duration::ZERO));
    block_on(replica.load_once()).unwrap();
    assert_eq!(origins.staleness(), Some(Duration::ZERO));
}

#[test]
fn an_edit_is_dated_by_the_clock_of_the_store() {
    let clock = TestClock::new();
    let store = EmbeddedStore::in_memory_with_clock(clock.clone());
    let entry = block_on(store.create(cors("https://a.example"), admin())).unwrap();
    clock.advance(SECOND);
    let entry = block_on(store.deactivate(entry.id(), None, admin())).unwrap();
    assert_eq!(entry.last_updated_at(), entry.created_at() + SECOND);
}
