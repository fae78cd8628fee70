//! A registry that follows a source, and what the source can do to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::sync::{Semaphore, mpsc};
use tower_cors::trusted::{
    Change, ChangeFeed, EmbeddedStore, EntryError, Load, OriginEvent, OriginEventKind,
    OriginRecord, OriginSource, OriginStore, Received, Replica, ReplicaMonitor, Row, SourceError,
    SourceFuture, TrustedOrigins, Version, WhenStale,
};

use super::{
    admin, cors, entries, origin,
    support::{Subject, get_from},
};

/// A store that does what the test says: breaks, loses, and holds rows that are no entries.
#[derive(Clone, Debug, Default)]
struct Source(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    version: u64,
    rows: BTreeMap<u64, OriginRecord>,
    junk: Vec<String>,
    is_down: bool,
    hangs: bool,
    feeds: Vec<mpsc::UnboundedSender<Result<Change, SourceError>>>,
    /// Committed by somebody between the opening of the feed and the load.
    before_load: Option<u64>,
    /// Whether it says its version without a load.
    tells_version: bool,
    /// A load goes on when there is a permit.
    gate: Option<Arc<Semaphore>>,
}

fn record(id: u64, version: u64) -> OriginRecord {
    let id = format!("{id:016x}");
    let mut record = OriginRecord::new(&id, &id, &format!("https://app-{id}.example"));
    record.version = version;
    record.scopes = vec!["CORS".to_owned()];
    record
}

fn app(id: u64) -> tower_cors::Origin {
    origin(&format!("https://app-{id:016x}.example"))
}

impl State {
    fn put(&mut self, id: u64) {
        self.version += 1;
        let record = record(id, self.version);
        self.rows.insert(id, record.clone());
        self.tell(record.into());
    }

    fn tell(&mut self, row: Row) {
        let version = Version::new(self.version);
        self.send(&Change::Put { version, row });
    }

    fn delete(&mut self, id: u64) {
        self.version += 1;
        self.rows.remove(&id);
        let version = Version::new(self.version);
        let id = format!("{id:016x}").parse().unwrap();
        let by = Some(admin());
        self.send(&Change::Delete { version, id, by });
    }

    /// Many rows at once, of which the feed does not tell one by one.
    fn put_many(&mut self, ids: std::ops::Range<u64>) {
        self.version += 1;
        let version = Version::new(self.version);
        let rows = ids.map(|id| (id, record(id, version.number())));
        self.rows.extend(rows);
        self.send(&Change::Reload { version });
    }

    fn send(&mut self, change: &Change) {
        self.feeds
            .retain(|feed| feed.send(Ok(change.clone())).is_ok());
    }
}

impl Source {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    fn check(&self) -> Result<(), SourceError> {
        match self.with(|state| state.is_down) {
            true => Err(SourceError::new("the store is down")),
            false => Ok(()),
        }
    }
}

impl OriginSource for Source {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        Box::pin(async move {
            self.check()?;
            if self.with(|state| state.hangs) {
                std::future::pending::<()>().await;
            }
            let (sender, receiver) = mpsc::unbounded_channel();
            self.with(|state| state.feeds.push(sender));
            let feed = stream::unfold(receiver, |mut receiver| async {
                let next = receiver.recv().await?;
                Some((next, receiver))
            });
            Ok(Box::pin(feed) as ChangeFeed)
        })
    }

    fn load<'a>(&'a self, load: &'a mut Load) -> SourceFuture<'a, Version> {
        Box::pin(async move {
            self.check()?;
            if let Some(id) = self.with(|state| state.before_load.take()) {
                self.with(|state| state.put(id));
            }
            let (version, gate) = self.with(|state| {
                for record in state.rows.values() {
                    load.push(record.clone());
                }
                for key in &state.junk {
                    load.push(Row::Invalid {
                        key: key.clone(),
                        error: EntryError::Form("not JSON".to_owned()),
                    });
                }
                (Version::new(state.version), state.gate.clone())
            });
            if let Some(gate) = gate {
                gate.acquire().await.map_err(SourceError::new)?.forget();
            }
            Ok(version)
        })
    }

    fn version(&self) -> SourceFuture<'_, Option<Version>> {
        Box::pin(async move {
            self.check()?;
            Ok(self.with(|state| state.tells_version.then_some(Version::new(state.version))))
        })
    }
}

struct Follower {
    source: Source,
    origins: TrustedOrigins,
    monitor: ReplicaMonitor,
    task: tokio::task::JoinHandle<std::convert::Infallible>,
}

impl Follower {
    fn start(source: Source, when_stale: WhenStale) -> Self {
        Self::start_with(source, when_stale, Duration::from_secs(3600))
    }

    fn start_with(source: Source, when_stale: WhenStale, resync: Duration) -> Self {
        let origins = TrustedOrigins::new();
        let replica = Replica::new(source.clone(), origins.clone(), when_stale)
            .retry(Duration::from_millis(2), Duration::from_millis(10))
            .resync_every(resync)
            .timeout(match source.with(|state| state.gate.is_some()) {
                // The test opens the gate.
                true => Duration::from_secs(60),
                false => Duration::from_millis(200),
            });
        let monitor = replica.monitor();
        let task = tokio::spawn(replica.run(tokio::time::sleep));
        Self {
            source,
            origins,
            monitor,
            task,
        }
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "not {what}: {:?}",
                self.monitor.status()
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_in_step(&self) {
        self.until("in step", |f| {
            f.source.with(|state| Version::new(state.version)) == f.origins.version()
                && f.origins.is_available()
        })
        .await;
        // Entry by entry.
        let held: Vec<OriginRecord> = self.source.with(|s| s.rows.values().cloned().collect());
        let held: Vec<_> = held.iter().filter_map(|r| r.check().ok()).collect();
        let served: Vec<_> = entries(&self.origins)
            .iter()
            .map(|e| (**e).clone())
            .collect();
        assert_eq!(served, held);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

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
async fn past_its_staleness_a_registry_fails_closed_if_so_chosen() {
    let limit = Duration::from_millis(600);
    let source = Source::default();
    source.with(|state| state.put(1));
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

    source.with(|state| state.is_down = false);
    closing.until_in_step().await;
    assert!(closing.origins.is_trusted(&page));
}

#[tokio::test]
async fn a_registry_turns_stale_also_when_its_task_is_gone() {
    let limit = Duration::from_millis(500);
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
    let gate = Arc::new(Semaphore::new(1));
    let source = Source::default();
    source.with(|state| {
        (0..4).for_each(|id| state.put(id));
        state.gate = Some(Arc::clone(&gate));
    });
    let every = Duration::from_millis(20);
    let follower = Follower::start_with(source.clone(), WhenStale::KeepLast, every);
    follower.until_in_step().await;
    let mut events = follower.origins.subscribe(100);
    // The next load has read the rows, and does not come to its end.
    tokio::time::sleep(10 * every).await;
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

#[tokio::test]
async fn a_resync_loads_nothing_where_nothing_has_changed() {
    let source = Source::default();
    source.with(|state| {
        state.tells_version = true;
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
async fn what_a_feed_does_not_bring_one_by_one_is_loaded_and_is_no_failure() {
    let gate = Arc::new(Semaphore::new(2));
    let source = Source::default();
    source.with(|state| {
        state.put(1);
        state.gate = Some(Arc::clone(&gate));
    });
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
    assert!(!follower.origins.apply(Change::Reload {
        version: Version::new(1000)
    }));
    assert_eq!(follower.origins.len(), 40);
}

/// What the feed has not brought is told by its differences: each entry once, as it is now.
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
            // Who it was is not known of what was missed.
            "deleted 0000000000000001 None",
            "deleted 0000000000000003 Some(\"admin@example.com\")",
        ]
    );
}

#[tokio::test]
async fn a_registry_that_may_never_be_stale_does_not_load_without_a_pause() {
    let source = Source::default();
    source.with(|state| state.put(1));
    let origins = TrustedOrigins::new();
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

#[test]
fn only_what_is_not_older_than_what_is_served_confirms_it() {
    let origins = TrustedOrigins::new();
    let mut load = Load::new();
    load.push(record(1, 5));
    origins.apply_load(load, Version::new(5)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let current = |version| Change::Current {
        version: Version::new(version),
    };
    assert!(!origins.apply(current(4)));
    assert!(origins.staleness().unwrap() >= Duration::from_millis(45));
    let before = Instant::now();
    assert!(!origins.apply(current(5)));
    assert!(origins.staleness().unwrap() <= before.elapsed() + Duration::from_millis(2));
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
async fn not_to_start_without_the_source_is_a_choice() {
    let source = Source::default();
    source.with(|state| state.is_down = true);
    let origins = TrustedOrigins::new();
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
    let version = Version::new(2);
    let mut row = record(2, 2);
    row.status = "INACTIVE".to_owned();
    let row = row.into();
    assert!(!follower.origins.apply(Change::Put { version, row }));
    assert!(follower.origins.is_trusted(&app(2)));
    let same = Change::Put {
        version: Version::new(3),
        row: record(2, 3).into(),
    };
    assert!(!follower.origins.apply(same));
    assert!(follower.origins.apply(Change::Current {
        version: Version::new(9)
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
            let origins = TrustedOrigins::new();
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
    let origins = TrustedOrigins::new();
    let replica = Replica::new(store.clone(), origins.clone(), WhenStale::KeepLast);
    replica.load_once().await.unwrap();
    assert_eq!(entries(&origins), entries(store.origins()));
}
