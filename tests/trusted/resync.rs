//! Loading while changes come, and events for changes that the feed has missed.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
    task::{Context, Wake, Waker},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use tokio::sync::Semaphore;
use tower_cors::trusted::{
    entry::Version,
    registry::{OriginEvent, OriginEventKind, OriginRegistry, Received},
    replica::{Replica, WhenStale},
    source::Change,
    store::RegistryWriter,
};

use super::{
    admin,
    source::{Follower, Source, app, record},
};

/// A source of these rows, each load of which needs a permit.
fn gated(rows: Range<u64>, permits: usize) -> (Source, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(permits));
    let source = Source::default();
    source.with(|state| {
        rows.for_each(|id| state.put(id));
        state.gate = Some(Arc::clone(&gate));
    });
    (source, gate)
}

#[tokio::test]
async fn a_resync_finds_what_a_feed_has_lost() {
    let source = Source::default();
    source.with(|state| state.put(1));
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    source.with(|state| {
        // Without a word to the feed.
        state.version += 1;
        let version = state.version;
        state.rows.insert(2, record(2, version));
    });
    follower.until_in_step().await;
    assert_eq!(follower.monitor.status().failures, 0);
}

#[tokio::test]
async fn changes_are_served_while_everything_is_loaded_and_the_load_does_not_undo_them() {
    let (source, gate) = gated(0..4, 1);
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    let mut events = follower.origins.subscribe(100);
    // The next load has read the rows, and does not come to its end.
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 2))
        .await;
    let loads = follower.monitor.status().loads;
    source.with(|state| {
        state.delete(1);
        state.put(7);
        let mut row = record(2, state.version + 1);
        row.scopes.clear();
        state.version += 1;
        state.rows.insert(2, row.clone());
        state.tell(row.into());
    });
    follower
        .until("served", |f| {
            !f.origins.is_trusted(&app(1))
                && f.origins.is_trusted(&app(7))
                && !f.origins.is_trusted(&app(2))
        })
        .await;
    assert_eq!(follower.monitor.status().loads, loads);
    gate.add_permits(1);
    follower
        .until("loaded", |f| f.monitor.status().loads > loads)
        .await;
    follower.until_in_step().await;
    assert_eq!(follower.origins.invalid_rows(), 1);
    assert_eq!(follower.monitor.status().failures, 0);
    // Each is told once, by the feed, which knows who.
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    let Received::Event(OriginEvent {
        kind: OriginEventKind::Deleted { by, .. },
        ..
    }) = &told[0]
    else {
        panic!("{told:?}");
    };
    assert_eq!(by.as_ref(), Some(&admin()));
}

/// Else a version would be said to be served whose bulk change is not.
#[tokio::test]
async fn behind_a_change_of_many_nothing_is_served_before_the_load() {
    let (source, gate) = gated(1..2, 1);
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 2))
        .await;
    source.with(|state| {
        state.put(2);
        state.put_many(10..30);
        state.put(3);
        state.current();
    });
    follower
        .until("served", |f| f.origins.is_trusted(&app(2)))
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(follower.origins.version(), Version::new(2));
    assert!(!follower.origins.is_trusted(&app(3)));
    gate.add_permits(1000);
    follower.until_in_step().await;
    let status = follower.monitor.status();
    assert_eq!((status.failures, status.is_connected), (0, true));
}

/// A load of so many entries is compared on a thread of its own, and the feed goes on meanwhile.
#[tokio::test]
async fn a_change_that_comes_while_a_long_load_is_compared_is_served_after_it() {
    let (source, _gate) = gated(0..10_001, 1);
    source.with(|state| state.after_load = Some(20_000));
    let follower = Follower::start(source, WhenStale::KeepLast);
    follower.until_in_step().await;
    assert!(follower.origins.is_trusted(&app(20_000)));
    assert_eq!(follower.monitor.status().loads, 1);
}

/// The thread that first wakes a subscriber, which is the one that has compared the load.
#[derive(Default)]
struct Comparer(OnceLock<ThreadId>);

impl Wake for Comparer {
    fn wake(self: Arc<Self>) {
        self.0.get_or_init(|| thread::current().id());
    }
}

/// To compare so many entries would hold up the requests that the same thread serves.
#[tokio::test]
async fn a_long_load_is_compared_on_another_thread() {
    for (entries, is_on_this_thread) in [(10_000, true), (10_001, false)] {
        let (source, _gate) = gated(0..entries, 1);
        let follower = Follower::start(source, WhenStale::KeepLast);
        let comparer = Arc::new(Comparer::default());
        let waker = Waker::from(Arc::clone(&comparer));
        let mut events = follower.origins.subscribe(1);
        let first = events.poll_next_unpin(&mut Context::from_waker(&waker));
        assert!(
            first.is_pending(),
            "nothing is loaded before the test waits"
        );
        follower.until_in_step().await;
        // What was loaded is served a moment before subscribers are woken.
        let is_told = |_: &Follower| comparer.0.get().is_some();
        follower.until("told", is_told).await;
        let thread = comparer.0.get().expect("the load has woken the subscriber");
        assert_eq!(
            *thread == thread::current().id(),
            is_on_this_thread,
            "{entries} entries"
        );
    }
}

#[tokio::test]
async fn a_feed_that_ends_during_a_load_does_not_undo_it() {
    let (source, gate) = gated(1..2, 0);
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower
        .until("watching", |f| {
            f.source.with(|state| !state.feeds.is_empty())
        })
        .await;
    source.with(|state| state.feeds.clear());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(follower.monitor.status().failures, 0);
    // For this load alone.
    gate.add_permits(1);
    follower
        .until("begun anew", |f| f.monitor.status().failures == 1)
        .await;
    assert!(follower.origins.is_trusted(&app(1)));
}

#[tokio::test]
async fn a_resync_loads_nothing_where_nothing_has_changed() {
    let source = Source::default();
    source.with(|state| {
        state.tells_position = true;
        state.put(1);
    });
    let every = Duration::from_millis(20);
    let limit = Duration::from_secs(3600);
    let follower = Follower::start_with(source.clone(), WhenStale::FailClosedAfter(limit), every);
    follower.until_in_step().await;
    let fresh = follower.origins.staleness().unwrap();
    tokio::time::sleep(20 * every).await;
    assert_eq!(follower.monitor.status().loads, 1);
    follower
        .until("confirmed", |f| {
            f.origins.staleness().unwrap() < fresh + 10 * every
        })
        .await;

    // Anything new may hide something that was lost before it.
    source.with(|state| {
        state.version += 1;
        let version = state.version;
        state.rows.insert(2, record(2, version));
        state.put(3);
    });
    follower
        .until("loaded", |f| f.monitor.status().loads == 2)
        .await;
    follower.until_in_step().await;
    assert!(follower.origins.is_trusted(&app(2)));
}

#[tokio::test]
async fn a_source_that_has_gone_back_to_what_was_loaded_is_not_taken_for_what_is_served() {
    let source = Source::default();
    source.with(|state| {
        state.tells_position = true;
        state.put(1);
    });
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    source.with(|state| {
        state.put(2);
        state.version = 1;
        state.rows.remove(&2);
    });
    follower
        .until("refused", |f| f.monitor.status().failures > 0)
        .await;
    let (_, error) = follower.monitor.status().last_failure.unwrap();
    assert!(
        error.to_string().contains("the source is at version 1"),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_feed_does_not_bring_one_by_one_is_loaded_and_is_no_failure() {
    let (source, gate) = gated(1..2, 2);
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    source.with(|state| state.put_many(10..30));
    follower.until_in_step().await;
    assert_eq!(follower.origins.len(), 21);

    // Twice, and the second time while the first is loaded.
    source.with(|state| state.put_many(30..40));
    tokio::time::sleep(Duration::from_millis(100)).await;
    source.with(|state| {
        state.put_many(40..50);
        state.delete(1);
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(follower.origins.len(), 21);
    gate.add_permits(10);
    follower.until_in_step().await;
    let status = follower.monitor.status();
    assert_eq!((status.failures, status.is_connected), (0, true));
    let at = Version::new(1000).into();
    assert!(!RegistryWriter::new(&follower.origins).apply(Change::Reload { at }));
    assert_eq!(follower.origins.len(), 40);
}

/// Else nothing would be served while one bulk job follows another, and the registry would turn stale.
#[tokio::test]
async fn a_load_is_served_also_where_another_has_to_follow_it() {
    let (source, gate) = gated(1..2, 1);
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    // First a resync, which finds the version that is served already. Then the load for the reload
    // that came meanwhile, during which there comes another.
    for (load, version) in [(2, 1), (3, 2), (4, 3)] {
        let is_loading = |load| move |f: &Follower| f.source.with(|s| s.at_gate == load);
        follower.until("loading", is_loading(load)).await;
        source.with(|state| state.put_many(10 * load..10 * load + 2));
        // Until the feed was read.
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.add_permits(1);
        follower.until("loading anew", is_loading(load + 1)).await;
        assert_eq!(follower.origins.version(), Version::new(version));
        assert_eq!(follower.monitor.status().loads, load);
    }
    assert!(follower.origins.is_trusted(&app(30)));
    assert!(!follower.origins.is_trusted(&app(40)));
}

/// A bulk job: each statement of many rows is one reload, and each comes while the one before it
/// is loaded.
#[test]
fn a_hundred_thousand_reloads_one_during_the_load_of_another_do_not_use_up_the_stack() {
    let follow = || {
        let source = Source::default();
        source.with(|state| state.bulk_edits = 100_000);
        let work = async {
            let follower = Follower::start(source.clone(), WhenStale::KeepLast);
            follower.until("loaded", |f| f.origins.is_available()).await;
            // An unoptimised build on a busy machine takes some seconds.
            while source.with(|state| state.bulk_edits > 0) {
                assert_eq!(follower.monitor.status().failures, 0);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            follower.until_in_step().await;
            assert_eq!(follower.monitor.status().loads, 100_001);
        };
        super::block_on(work);
    };
    // With the stack that a runtime gives its threads.
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(follow).unwrap().join().unwrap();
}

/// Changes that the feed has missed are reported as differences: each entry once, as it is now.
#[tokio::test]
async fn subscribers_learn_the_differences_that_a_cut_feed_has_missed() {
    let source = Source::default();
    source.with(|state| (1..=3).for_each(|id| state.put(id)));
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    let mut events = follower.origins.subscribe(100);
    source.with(|state| {
        state.feeds.clear();
        state.delete(1);
        state.put(2);
        state.put(2);
        state.put(4);
        state.put(5);
        state.delete(5);
    });
    follower.until_in_step().await;
    source.with(|state| state.delete(3));
    follower.until_in_step().await;
    let mut last = Version::ZERO;
    let told = std::iter::from_fn(|| events.try_next()).map(|received| {
        let Received::Event(event) = received else {
            panic!("{received:?}");
        };
        assert!(event.version >= last);
        last = event.version;
        match event.kind {
            OriginEventKind::Created { entry } => format!("created {}", entry.id()),
            OriginEventKind::Replaced { entry, .. } => format!("replaced {}", entry.id()),
            OriginEventKind::Deleted { entry, by } => {
                format!("deleted {} {:?}", entry.id(), by.map(|by| by.to_string()))
            }
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "replaced 0000000000000002",
            "created 0000000000000004",
            // The actor of a missed change is not known.
            "deleted 0000000000000001 None",
            "deleted 0000000000000003 Some(\"admin@example.com\")",
        ]
    );
}

#[tokio::test]
async fn a_registry_that_may_never_be_stale_does_not_load_without_a_pause() {
    let source = Source::default();
    source.with(|state| state.put(1));
    let origins = OriginRegistry::new();
    let stale = WhenStale::FailClosedAfter(Duration::ZERO);
    let replica = Replica::new(source, origins.clone(), stale);
    let monitor = replica.monitor();
    let begun = Instant::now();
    let task = tokio::spawn(replica.run(tokio::time::sleep));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let loads = monitor.status().loads;
    let most = begun.elapsed().as_millis() as u64 / 10 + 1;
    task.abort();
    assert!((1..=most).contains(&loads), "{loads} of {most}");
}

/// The source has committed a change that the feed has not brought yet when the load is read.
#[tokio::test]
async fn a_change_that_is_older_than_a_load_is_not_applied_to_it() {
    let (source, gate) = gated(1..2, 1);
    source.with(|state| state.reads_behind_gate = true);
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    source.with(|state| state.put_many(10..12));
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 2))
        .await;
    source.with(|state| {
        // Version 3: off, which the feed brings. Version 4: on again, which is still on its way.
        state.version += 1;
        let mut off = record(1, state.version);
        off.status = "INACTIVE".to_owned();
        state.tell(off.into());
        state.version += 1;
        let on = record(1, state.version);
        state.rows.insert(1, on);
    });
    // Until the feed was read.
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.add_permits(10);
    follower.until_in_step().await;
    assert!(follower.origins.is_trusted(&app(1)));
}

/// Else the registry would say that it serves a version whose predecessors it has missed.
#[tokio::test]
async fn behind_a_reconnection_changes_wait_for_the_load() {
    let (source, gate) = gated(1..2, 1);
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    source.with(|state| {
        state.feeds.clear();
        state.delete(1);
    });
    follower
        .until("loading", |f| f.source.with(|state| state.at_gate == 2))
        .await;
    source.with(|state| state.put(3));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(follower.origins.version(), Version::new(1));
    assert!(follower.origins.is_trusted(&app(1)));
    assert!(!follower.origins.is_trusted(&app(3)));
    gate.add_permits(10);
    follower.until_in_step().await;
    assert!(!follower.origins.is_trusted(&app(1)));
    assert!(follower.origins.is_trusted(&app(3)));
}

/// The timeout of these tests is 200 milliseconds.
#[tokio::test]
async fn a_load_may_take_long_as_long_as_rows_come() {
    let source = Source::default();
    source.with(|state| {
        (0..10).for_each(|id| state.put(id));
        state.row_takes = Some(Duration::from_millis(60));
    });
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    assert_eq!(follower.monitor.status().failures, 0);

    // A row that never comes is noticed.
    source.with(|state| {
        state.row_takes = Some(Duration::from_secs(3600));
        state.put_many(10..12);
    });
    follower
        .until("given up", |f| f.monitor.status().failures > 0)
        .await;
    let (_, error) = follower.monitor.status().last_failure.unwrap();
    assert_eq!(error.to_string(), "no answer within 200ms");
}
