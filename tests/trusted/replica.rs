//! A registry that follows a source, and the failures of that source.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tower_cors::trusted::{
    entry::Version,
    registry::OriginRegistry,
    replica::{Replica, WhenStale},
    source::{Change, OriginSource},
    store::{EmbeddedStore, OriginStore, RegistryWriter},
};

use super::{
    admin, cors, entries, origin,
    source::{Follower, Source, app, record},
};
use crate::support::service::{Subject, get_from};

#[tokio::test]
async fn changes_arrive_also_those_between_watch_and_load() {
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.before_load = Some(2);
    });
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    assert!(follower.origins.is_trusted(&app(2)));
    source.with(|state| {
        state.put(3);
        state.delete(1);
        state.put(2);
    });
    follower.until_in_step().await;
    assert!(!follower.origins.is_trusted(&app(1)));
    let status = follower.monitor.status();
    assert_eq!((status.loads, status.failures), (1, 0));
    // What came between is in the load already, so that it changes nothing.
    assert_eq!(status.changes, 3);
    assert!(status.is_connected);
}

#[tokio::test]
async fn a_cut_feed_and_a_store_that_is_down_for_a_while_lose_nothing() {
    let source = Source::default();
    source.with(|state| (0..20).for_each(|id| state.put(id)));
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    for round in 0..10 {
        source.with(|state| {
            state.is_down = round % 2 == 1;
            state.feeds.clear();
            state.delete(round);
            state.put(100 + round);
        });
        if round % 2 == 1 {
            follower
                .until("aware of it", |f| !f.monitor.status().is_connected)
                .await;
            assert!(follower.origins.is_trusted(&app(15)), "the last is served");
            source.with(|state| state.is_down = false);
        }
        follower.until_in_step().await;
    }
    assert!(follower.monitor.status().last_failure.is_some());
}

#[tokio::test]
async fn rows_that_are_no_entries_are_skipped_counted_and_reported() {
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.put(2);
        state.rows.get_mut(&2).unwrap().origin = "https://app/".to_owned();
        state.junk.push("k".to_owned());
    });
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    assert_eq!(follower.origins.len(), 1);
    assert_eq!(follower.origins.invalid_rows(), 2);
    let reported = follower.origins.invalid_rows_up_to(10);
    assert_eq!(
        reported.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "row \"0000000000000002\": origin: an origin has no path, not even a trailing slash: \
             write \"https://app\"",
            "row \"k\": not a record: not JSON",
        ]
    );
    assert_eq!(follower.origins.invalid_rows_up_to(1), reported[..1]);

    // A good row turns bad by hand, and good again; its origin is trusted only while it is good.
    source.with(|state| {
        state.version += 1;
        let mut row = record(1, state.version);
        row.scopes.clear();
        state.rows.insert(1, row.clone());
        state.tell(row.into());
    });
    follower.until_in_step().await;
    assert!(!follower.origins.is_trusted(&app(1)));
    assert_eq!(follower.origins.invalid_rows(), 3);
    source.with(|state| state.put(1));
    follower.until_in_step().await;
    assert!(follower.origins.is_trusted(&app(1)));
    assert_eq!(follower.origins.invalid_rows(), 2);
}

#[tokio::test]
async fn rows_may_spell_an_origin_as_people_do() {
    let source = Source::default();
    let spelt = |source: &Source, id: u64, origin: &str| {
        source.with(|state| {
            state.version += 1;
            let mut row = record(id, state.version);
            row.origin = origin.to_owned();
            state.rows.insert(id, row.clone());
            state.tell(row.into());
        });
    };
    spelt(&source, 1, "HTTPS://SHOP.example:443");
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    // By the feed, too.
    spelt(&source, 2, "https://*.Bücher.example");
    spelt(&source, 3, "https://shop.example/");
    follower.until_in_step().await;
    let served = entries(&follower.origins);
    let served: Vec<&str> = served.iter().map(|e| e.pattern().as_str()).collect();
    assert_eq!(
        served,
        ["https://shop.example", "https://*.xn--bcher-kva.example"]
    );
    assert_eq!(follower.origins.invalid_rows(), 1);
    assert!(follower.origins.is_trusted(&origin("https://shop.example")));
    assert!(
        follower
            .origins
            .is_trusted(&origin("https://a.xn--bcher-kva.example"))
    );
    assert!(
        !follower
            .origins
            .is_trusted(&origin("https://xn--bcher-kva.example"))
    );
}

#[tokio::test]
async fn past_its_staleness_a_registry_fails_closed_if_so_chosen() {
    let limit = Duration::from_millis(600);
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.frame(2);
    });
    let every = Duration::from_millis(20);
    let closing = Follower::start_with(source.clone(), WhenStale::FailClosedAfter(limit), every);
    let keeping = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    closing.until_in_step().await;
    keeping.until_in_step().await;
    let page = app(1);
    tokio::time::sleep(2 * limit).await;
    // Only resyncs can have kept it fresh, or made it fresh again on a busy machine.
    closing
        .until("fresh", |f| f.origins.is_trusted(&page))
        .await;
    let framing = "https://app-0000000000000002.example";
    assert_eq!(&*closing.origins.frame_ancestors(), framing);

    source.with(|state| {
        state.is_down = true;
        state.feeds.clear();
    });
    closing.until("stale", |f| !f.origins.is_available()).await;
    assert!(closing.origins.staleness().unwrap() >= limit);
    assert!(!closing.origins.is_trusted(&page));
    assert_eq!(&*closing.origins.frame_ancestors(), "'none'");
    let policy = closing.origins.clone();
    let outcome = tokio::task::spawn_blocking(move || {
        Subject::policy(policy, |builder| builder).send(&get_from(app(1).as_str()))
    });
    outcome
        .await
        .unwrap()
        .assert_layer(503, &["cache-control: no-store", "vary: origin"]);
    // Its last resync may have been a little later.
    let is_past = |f: &Follower| f.origins.staleness().is_some_and(|s| s >= limit);
    keeping.until("stale", is_past).await;
    assert!(keeping.origins.is_trusted(&page));
    assert_eq!(&*keeping.origins.frame_ancestors(), framing);

    source.with(|state| state.is_down = false);
    closing.until_in_step().await;
    closing
        .until("fresh again", |f| f.origins.is_trusted(&page))
        .await;
}

#[tokio::test]
async fn a_registry_turns_stale_also_when_its_task_is_gone() {
    // More than a busy machine needs to see that it is fresh.
    let limit = Duration::from_secs(4);
    let source = Source::default();
    source.with(|state| state.put(1));
    let follower = Follower::start(source, WhenStale::FailClosedAfter(limit));
    follower.until_in_step().await;
    follower.task.abort();
    follower
        .until("stale", |f| !f.origins.is_trusted(&app(1)))
        .await;
}

#[tokio::test]
async fn a_source_that_has_gone_back_in_time_is_not_taken() {
    let source = Source::default();
    source.with(|state| (0..5).for_each(|id| state.put(id)));
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    source.with(|state| {
        state.rows.clear();
        state.version = 1;
        state.feeds.clear();
    });
    follower
        .until("refused", |f| f.monitor.status().failures > 2)
        .await;
    let (_, error) = follower.monitor.status().last_failure.unwrap();
    assert!(
        error.to_string().contains("the source is at version 1"),
        "{error}"
    );
    assert!(follower.origins.is_trusted(&app(4)));
    assert_eq!(follower.origins.version(), Version::new(5));
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up_and_tried_again() {
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.hangs = true;
    });
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower
        .until("timed out", |f| f.monitor.status().failures > 0)
        .await;
    let (_, error) = follower.monitor.status().last_failure.unwrap();
    assert_eq!(error.to_string(), "no answer within 200ms");
    source.with(|state| state.hangs = false);
    follower.until_in_step().await;
}

#[tokio::test]
async fn the_wait_after_a_failure_is_doubled_and_up_to_half_is_added_by_chance() {
    let source = Source::default();
    source.with(|state| state.is_down = true);
    let timeout = Duration::from_secs(3600);
    let replica = Replica::new(source, OriginRegistry::new(), WhenStale::KeepLast).timeout(timeout);
    let (sender, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn(replica.run(move |time| {
        let sender = sender.clone();
        async move {
            if time == timeout {
                std::future::pending::<()>().await;
            }
            sender.send(time).unwrap();
            tokio::task::yield_now().await;
        }
    }));
    let (first, longest) = (Duration::from_millis(100), Duration::from_secs(5));
    let mut added = Vec::new();
    for failures in 0..100 {
        let shortest = longest.min(first.saturating_mul(1 << failures.min(10)));
        let wait = waits.recv().await.unwrap();
        assert!(shortest <= wait, "{failures}: {wait:?}");
        assert!(wait < shortest * 3 / 2, "{failures}: {wait:?}");
        added.push((wait - shortest).as_secs_f64() / shortest.as_secs_f64());
    }
    task.abort();
    // One third of the range stays empty once in 10^17 times.
    for third in 0..3 {
        let from = f64::from(third) / 6.0;
        let is_within = |added: &f64| (from..from + 1.0 / 6.0).contains(added);
        assert!(added.iter().any(is_within), "{added:?}");
    }
}

#[tokio::test]
async fn not_to_start_without_the_source_is_a_choice() {
    let source = Source::default();
    source.with(|state| state.is_down = true);
    let origins = OriginRegistry::new();
    let replica = Replica::new(source.clone(), origins.clone(), WhenStale::KeepLast);
    let error = replica.load_once().await.unwrap_err();
    assert_eq!(error.to_string(), "the store is down");
    assert!(!origins.is_available());
    source.with(|state| {
        state.is_down = false;
        state.put(1);
    });
    replica.load_once().await.unwrap();
    assert!(origins.is_trusted(&app(1)));
}

#[tokio::test]
async fn an_old_change_is_nothing_new() {
    let source = Source::default();
    source.with(|state| (0..3).for_each(|id| state.put(id)));
    let follower = Follower::start(source.clone(), WhenStale::KeepLast);
    follower.until_in_step().await;
    let writer = RegistryWriter::new(&follower.origins);
    let mut row = record(2, 2);
    row.status = "INACTIVE".to_owned();
    let old = Change::Put {
        at: Version::new(2).into(),
        row: row.into(),
    };
    assert!(!writer.apply(old));
    assert!(follower.origins.is_trusted(&app(2)));
    let same = Change::Put {
        at: Version::new(3).into(),
        row: record(2, 3).into(),
    };
    assert!(!writer.apply(same));
    assert!(writer.apply(Change::Current {
        at: Version::new(9).into(),
        age: Duration::ZERO,
    }));
    assert_eq!(follower.origins.version(), Version::new(9));
}

#[tokio::test]
async fn replicas_of_an_embedded_store_follow_it_and_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.json");
    let store = EmbeddedStore::open(&path).unwrap();
    let replicas: Vec<_> = (0..3)
        .map(|_| {
            let origins = OriginRegistry::new();
            let replica = Replica::new(store.clone(), origins.clone(), WhenStale::KeepLast);
            (origins, tokio::spawn(replica.run(tokio::time::sleep)))
        })
        .collect();
    for id in 0..20 {
        store
            .create(cors(&format!("https://{id}.a.example")), admin())
            .await
            .unwrap();
    }
    // Several changes of one version: two entries gone by hand, one new.
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = file["entries"].as_array_mut().unwrap();
    list.drain(..2);
    for name in ["x", "y"] {
        let origin = format!("https://{name}.example");
        list.push(serde_json::json!({"name": name, "origin": origin, "scopes": ["CORS"]}));
    }
    std::fs::write(&path, file.to_string()).unwrap();
    assert!(store.reload().unwrap());
    store
        .create(cors("https://last.example"), admin())
        .await
        .unwrap();
    let begun = Instant::now();
    for (origins, task) in replicas {
        while origins.version() != store.origins().version() {
            assert!(begun.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(entries(&origins), entries(store.origins()));
        assert_eq!(origins.len(), 21);
        task.abort();
    }
}

#[tokio::test]
async fn a_replica_that_is_too_slow_for_the_feed_is_told_and_loads_anew() {
    let store = EmbeddedStore::in_memory();
    let entry = store
        .create(cors("https://a.example"), admin())
        .await
        .unwrap();
    let mut feed = store.watch().await.unwrap();
    for i in 0..3000 {
        store.deactivate(entry.id(), None, admin()).await.unwrap();
        store.activate(entry.id(), None, admin()).await.unwrap();
        assert_eq!(store.origins().version(), Version::new(1 + 2 * (i + 1)));
    }
    let error = feed.next().await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the replica was too slow and has missed 1904 changes"
    );
    let origins = OriginRegistry::new();
    let replica = Replica::new(store.clone(), origins.clone(), WhenStale::KeepLast);
    replica.load_once().await.unwrap();
    assert_eq!(entries(&origins), entries(store.origins()));
}
