//! Every change once and in order, and the number of changes that were missed.

use std::{
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use futures_util::{FutureExt, Stream, StreamExt};
use tower_cors::trusted::{
    entry::{OriginRecord, Scope, Version},
    registry::{Events, OriginEvent, OriginEventKind, OriginRegistry, Received},
    source::{Change, SourceSnapshot},
    store::{EmbeddedStore, OriginStore, RegistryWriter},
};

use super::{admin, block_on, cors, draft, origin};

fn receive(events: &mut Events) -> Vec<Received> {
    std::iter::from_fn(|| events.try_next()).collect()
}

fn name(received: &Received) -> String {
    let Received::Event(OriginEvent { version, kind, .. }) = received else {
        return format!("{received:?}");
    };
    let kind = match kind {
        OriginEventKind::Loaded { entries } => format!("loaded {entries}"),
        OriginEventKind::Created { entry } => format!("created {}", entry.name()),
        OriginEventKind::Replaced { before, entry } => {
            format!("replaced {} by {}", before.name(), entry.name())
        }
        OriginEventKind::Activated { entry } => format!("activated {}", entry.name()),
        OriginEventKind::Deactivated { entry } => format!("deactivated {}", entry.name()),
        OriginEventKind::Deleted { entry, by } => {
            format!(
                "deleted {} by {}",
                entry.name(),
                by.as_ref().map_or("?", |by| by.as_str())
            )
        }
        other => format!("{other:?}"),
    };
    format!("{version} {kind}")
}

fn names(received: &[Received]) -> Vec<String> {
    received.iter().map(name).collect()
}

#[test]
fn each_change_comes_once_and_in_order_to_every_subscriber() {
    let store = EmbeddedStore::in_memory();
    let mut early = store.origins().subscribe(100);
    let entry = block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let mut late = store.origins().subscribe(100);
    let id = entry.id();
    block_on(store.deactivate(id, None, admin())).unwrap();
    block_on(store.deactivate(id, None, admin())).unwrap();
    block_on(store.activate(id, None, admin())).unwrap();
    let other = draft("b", "https://b.example", Scope::Cors);
    block_on(store.replace(id, None, other, admin())).unwrap();
    block_on(store.delete(id, None, admin())).unwrap();
    let expected = [
        "1 created https://a.example",
        "2 deactivated https://a.example",
        "3 activated https://a.example",
        "4 replaced https://a.example by b",
        "5 deleted b by admin@example.com",
    ];
    assert_eq!(names(&receive(&mut early)), expected);
    assert_eq!(names(&receive(&mut late)), expected[1..]);
    assert_eq!(receive(&mut early), []);
}

#[test]
fn who_is_too_slow_is_told_how_much_was_missed() {
    let store = EmbeddedStore::in_memory();
    let mut slow = store.origins().subscribe(2);
    for i in 0..5 {
        block_on(store.create(cors(&format!("https://{i}.a.example")), admin())).unwrap();
    }
    let received = receive(&mut slow);
    assert_eq!(received[0], Received::Lagged(3));
    assert_eq!(
        names(&received[1..]),
        [
            "4 created https://3.a.example",
            "5 created https://4.a.example"
        ]
    );
    block_on(store.create(cors("https://z.example"), admin())).unwrap();
    assert_eq!(names(&receive(&mut slow)), ["6 created https://z.example"]);
}

#[tokio::test]
async fn subscribers_are_woken_and_the_stream_ends_with_the_registry() {
    let store = EmbeddedStore::in_memory();
    let mut events = store.origins().subscribe(4);
    assert!(events.next().now_or_never().is_none());
    let waiting = tokio::spawn(async move {
        let first = events.next().await;
        (first, events.next().await)
    });
    tokio::task::yield_now().await;
    store
        .create(cors("https://a.example"), admin())
        .await
        .unwrap();
    tokio::task::yield_now().await;
    drop(store);
    let (first, second) = waiting.await.unwrap();
    assert_eq!(name(&first.unwrap()), "1 created https://a.example");
    assert_eq!(second, None);
}

fn record(id: u64, version: u64, status: &str) -> OriginRecord {
    let id = format!("{id:016x}");
    let mut record = OriginRecord::new(&id, &id[15..], &format!("https://{id}.example"));
    record.version = version;
    record.scopes.push("CORS".to_owned());
    record.status = status.to_owned();
    record
}

fn load(origins: &OriginRegistry, version: u64, records: &[OriginRecord]) -> bool {
    let mut load = SourceSnapshot::new();
    for record in records {
        load.push(record.clone());
    }
    RegistryWriter::new(origins)
        .load(load, Version::new(version))
        .unwrap()
}

#[test]
fn a_reload_tells_the_differences_in_the_order_of_versions() {
    let origins = OriginRegistry::new();
    let mut events = origins.subscribe(100);
    let load = |version: u64, records: &[OriginRecord]| load(&origins, version, records);
    let first = [
        record(1, 1, "ACTIVE"),
        record(2, 2, "ACTIVE"),
        record(3, 3, "ACTIVE"),
    ];
    assert!(load(3, &first));
    assert!(!load(3, &first), "nothing has changed");
    assert!(load(
        9,
        &[
            record(1, 7, "INACTIVE"),
            record(2, 2, "ACTIVE"),
            record(4, 5, "ACTIVE")
        ]
    ));
    assert_eq!(
        names(&receive(&mut events)),
        [
            "3 loaded 3",
            "5 created 4",
            "7 deactivated 1",
            "9 deleted 3 by ?"
        ]
    );
}

/// A writer may hand on what its feed brings before it has loaded anything.
#[test]
fn the_first_load_takes_away_what_came_before_it_and_is_not_in_it() {
    let origins = OriginRegistry::new();
    let mut events = origins.subscribe(100);
    let gone = record(1, 1, "ACTIVE");
    let gone_origin = origin(&gone.origin);
    let (at, row) = (Version::new(1).into(), gone.into());
    assert!(RegistryWriter::new(&origins).apply(Change::Put { at, row }));
    assert!(!origins.is_available());
    let stays = record(2, 2, "ACTIVE");
    assert!(load(&origins, 2, std::slice::from_ref(&stays)));
    assert!(origins.is_trusted(&origin(&stays.origin)));
    assert!(!origins.is_trusted(&gone_origin));
    assert_eq!(
        names(&receive(&mut events)),
        ["1 created 1", "2 created 2", "2 deleted 1 by ?"]
    );
}

/// Looks at the registry where it is woken, on the thread of the edit.
struct AtOnce {
    origins: OriginRegistry,
    events: Mutex<Option<Events>>,
    seen: mpsc::Sender<(bool, bool)>,
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let mut events = self.events.lock().unwrap().take().unwrap();
        let Some(Received::Event(event)) = events.try_next() else {
            panic!("who is woken has something to receive");
        };
        let OriginEventKind::Created { entry } = event.kind else {
            panic!("{event:?}");
        };
        let is_served = self.origins.is_trusted(&origin(entry.pattern().as_str()));
        let is_there = self.origins.entry(entry.id()).is_some();
        self.seen.send((is_served, is_there)).unwrap();
    }
}

#[test]
fn what_is_served_has_changed_when_the_event_comes() {
    let store = EmbeddedStore::in_memory();
    let mut events = store.origins().subscribe(4);
    let (seen, receiver) = mpsc::channel();
    let subscriber = Arc::new(AtOnce {
        origins: store.origins().clone(),
        events: Mutex::new(None),
        seen,
    });
    let waker = Waker::from(Arc::clone(&subscriber));
    let poll = std::pin::Pin::new(&mut events).poll_next(&mut Context::from_waker(&waker));
    assert_eq!(poll, Poll::Pending);
    *subscriber.events.lock().unwrap() = Some(events);
    // On a thread of its own: an editor that waits for itself would wait for ever.
    thread::spawn(move || block_on(store.create(cors("https://a.example"), admin())));
    let seen = receiver.recv_timeout(Duration::from_secs(10));
    assert_eq!(seen, Ok((true, true)));
}
