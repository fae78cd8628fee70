//! Stores that have the same version, and another history.

use std::time::Duration;

use tower_cors::trusted::{
    entry::Version,
    replica::WhenStale,
    source::{HistoryId, OriginSource, Position},
    store::{EmbeddedStore, OriginStore},
};

use super::{
    admin, block_on, cors,
    source::{Follower, Source, app, record},
};

/// Entries 1 and 2, at version 2.
fn source() -> Source {
    let source = Source::default();
    source.with(|state| {
        state.tells_position = true;
        state.history = Some("before".to_owned());
        state.put(1);
        state.put(2);
    });
    source
}

/// As after a backup of version 1 was restored, and entry 3 made. The feed brings nothing of it.
fn restore(source: &Source) {
    source.with(|state| {
        state.history = Some("restored".to_owned());
        state.rows.remove(&2);
        state.rows.insert(3, record(3, 2));
    });
}

async fn serves_what_was_restored(follower: &Follower) {
    follower
        .until("serving what was restored", |f| {
            f.origins.is_trusted(&app(3)) && !f.origins.is_trusted(&app(2))
        })
        .await;
    follower.until_in_step().await;
    let status = follower.monitor.status();
    assert_eq!((status.histories, status.failures), (1, 0));
}

#[tokio::test]
async fn a_resync_finds_that_the_same_version_has_another_history() {
    let source = source();
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    restore(&source);
    serves_what_was_restored(&follower).await;
}

#[tokio::test]
async fn a_confirmation_of_another_history_is_none() {
    let source = source();
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    restore(&source);
    source.with(super::source::State::current);
    serves_what_was_restored(&follower).await;
}

/// Changes of a feed carry their position, not only loads.
#[tokio::test]
async fn changes_bring_the_history_that_they_belong_to() {
    let source = source();
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    source.with(|state| {
        state.history = Some("later".to_owned());
        state.put(4);
    });
    let expected = Position::new(Version::new(3)).with_history(HistoryId::new("later"));
    follower
        .until("there", |f| f.origins.position() == expected)
        .await;
    assert_eq!(follower.monitor.status().loads, 1);
    source.with(|state| {
        state.history = Some("restored".to_owned());
        state.rows.remove(&4);
        state.current();
    });
    follower
        .until("corrected", |f| !f.origins.is_trusted(&app(4)))
        .await;
    assert_eq!(follower.monitor.status().histories, 1);
}

#[test]
fn no_two_embedded_stores_have_one_history() {
    let stores = [(); 2].map(|()| EmbeddedStore::in_memory());
    let positions = stores.map(|store| {
        block_on(store.create(cors("https://a.example"), admin())).unwrap();
        block_on(store.position()).unwrap().unwrap()
    });
    assert_eq!(positions[0].version(), positions[1].version());
    assert!(positions[0].contradicts(&positions[1]));
    assert!(!positions[0].contradicts(&positions[0].version().into()));
}

#[test]
fn a_position_tells_its_history() {
    let position = Position::new(Version::new(7));
    assert_eq!(position.history(), None);
    let position = position.with_history(HistoryId::new("a7"));
    let history = position.history().unwrap();
    assert_eq!((history.as_str(), &*history.to_string()), ("a7", "a7"));
}
