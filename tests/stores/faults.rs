//! What goes wrong with stores, really caused.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_nats::jetstream;
use futures_util::future::join_all;
use tower_cors::trusted::{
    entry::{OriginDraft, Scope, Version},
    registry::{OriginEventKind, Received},
    store::{RegistryWriter, StoreError},
};

use crate::{
    proxy::Proxy,
    scene::{Following, actor, agree, connect, draft, eventually, insist, origin, stored},
    server::{Kind, Server},
    traffic::Traffic,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn no_request_fails_while_postgres_is_down() {
    no_request_fails_while_the_store_is_down(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn no_request_fails_while_nats_is_down() {
    no_request_fails_while_the_store_is_down(Kind::Nats).await;
}

async fn no_request_fails_while_the_store_is_down(kind: Kind) {
    let mut server = Server::start(kind);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let shop = store.create(draft("shop"), actor("ann")).await.unwrap();
    let docs = store.create(draft("docs"), actor("ann")).await.unwrap();
    let replicas =
        join_all((0..3).map(async |_| Following::start(connect(kind, &url).await).await));
    let replicas = replicas.await;
    let load = Traffic::start(replicas[0].origins.clone(), "https://shop.example.com").await;

    server.kill();
    let edit = store.deactivate(docs.id(), None, actor("ann")).await;
    assert!(matches!(edit, Err(StoreError::Unavailable(_))), "{edit:?}");
    for replica in &replicas {
        eventually("the replica says that it is stale", || {
            let staleness = replica.origins.staleness().unwrap();
            staleness > Duration::from_secs(3) && !replica.monitor.status().is_connected
        })
        .await;
        assert!(replica.monitor.status().last_failure.is_some());
        assert!(replica.origins.is_trusted(&origin("shop")));
    }
    let answered = load.requests();

    // Back, and changed before any replica has noticed.
    server.restart();
    let admin = connect(kind, &url).await;
    insist("an edit after the restart", async || {
        admin.deactivate(docs.id(), None, actor("bob")).await
    })
    .await;
    insist("another edit", async || {
        admin.create(draft("new"), actor("bob")).await
    })
    .await;
    for replica in &replicas {
        eventually("what was changed meanwhile arrives", || {
            !replica.origins.is_trusted(&origin("docs"))
                && replica.origins.is_trusted(&origin("new"))
        })
        .await;
        eventually("the replica is not stale any more", || {
            replica.origins.staleness().unwrap() < Duration::from_secs(3)
        })
        .await;
    }
    // The store that was there before goes on, too.
    insist("an edit through the old connection", async || {
        store
            .replace(shop.id(), None, draft("shop"), actor("ann"))
            .await
    })
    .await;
    agree(&admin, &replicas.iter().collect::<Vec<_>>()).await;
    assert!(load.requests() > answered);
    load.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn what_a_cut_feed_of_postgres_has_missed_is_caught_up_with() {
    what_a_cut_feed_has_missed_is_caught_up_with(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn what_a_cut_feed_of_nats_has_missed_is_caught_up_with() {
    what_a_cut_feed_has_missed_is_caught_up_with(Kind::Nats).await;
}

async fn what_a_cut_feed_has_missed_is_caught_up_with(kind: Kind) {
    let server = Server::start(kind);
    let store = connect(kind, &server.url_at(server.port())).await;
    let proxy = Proxy::to(server.port()).await;
    let replica = Following::start(connect(kind, &server.url_at(proxy.port)).await).await;
    let mut events = replica.origins.subscribe(10_000);

    // Edits go on all the time; the wire is cut while their changes are on it.
    let edits = {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..300 {
                let entry = store.create(draft(&format!("e{number}")), actor("ann"));
                let entry = entry.await.unwrap();
                match number % 3 {
                    0 => drop(
                        store
                            .deactivate(entry.id(), None, actor("bob"))
                            .await
                            .unwrap(),
                    ),
                    1 => drop(store.delete(entry.id(), None, actor("bob")).await.unwrap()),
                    _ => {}
                }
            }
        })
    };
    for at in [30, 60, 90] {
        eventually("some changes arrive", || replica.origins.len() >= at).await;
        proxy.cut();
        tokio::time::sleep(Duration::from_millis(200)).await;
        proxy.mend();
    }
    edits.await.unwrap();
    agree(&store, &[&replica]).await;
    assert_eq!(replica.origins.len(), 200);

    // The events alone lead to the same entries, although the feed has missed changes.
    let (mut known, mut version) = (BTreeMap::new(), Version::ZERO);
    while let Some(received) = events.try_next() {
        let Received::Event(event) = received else {
            panic!("{received:?}");
        };
        assert!(event.version >= version, "{event:?}");
        version = event.version;
        match event.kind {
            OriginEventKind::Created { entry } => {
                assert_eq!(known.insert(entry.id(), Arc::clone(&entry)), None);
            }
            OriginEventKind::Activated { entry } | OriginEventKind::Deactivated { entry } => {
                assert!(known.insert(entry.id(), entry).is_some());
            }
            OriginEventKind::Replaced { before, entry } => {
                assert_eq!(known.insert(entry.id(), entry), Some(before));
            }
            OriginEventKind::Deleted { entry, .. } => {
                assert_eq!(known.remove(&entry.id()), Some(entry));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(known.into_values().eq(replica.entries()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_feed_of_postgres_that_has_fallen_silent_is_noticed() {
    a_feed_that_has_fallen_silent_is_noticed(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_feed_of_nats_that_has_fallen_silent_is_noticed() {
    a_feed_that_has_fallen_silent_is_noticed(Kind::Nats).await;
}

async fn a_feed_that_has_fallen_silent_is_noticed(kind: Kind) {
    let server = Server::start(kind);
    let store = connect(kind, &server.url_at(server.port())).await;
    let proxy = Proxy::to(server.port()).await;
    let behind = connect(kind, &server.url_at(proxy.port)).await;
    let replica = Following::start(behind.clone()).await;
    let shop = behind.create(draft("shop"), actor("ann")).await.unwrap();
    eventually("shop arrives", || {
        replica.origins.is_trusted(&origin("shop"))
    })
    .await;

    proxy.freeze();
    store
        .deactivate(shop.id(), None, actor("bob"))
        .await
        .unwrap();
    eventually("the change arrives another way", || {
        !replica.origins.is_trusted(&origin("shop"))
    })
    .await;
    insist("an edit through the same store", async || {
        behind.activate(shop.id(), None, actor("ann")).await
    })
    .await;
    agree(&store, &[&replica]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn replicas_outlive_what_an_operator_does_to_postgres() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    store.create(draft("shop"), actor("ann")).await.unwrap();

    // All connections but the operator's own.
    let loads = replica.monitor.status().loads;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    operator.batch_execute(terminate).await.unwrap();
    eventually("the replica loads anew", || {
        replica.monitor.status().loads > loads
    })
    .await;
    insist("an edit", async || {
        store.create(draft("docs"), actor("ann")).await
    })
    .await;
    agree(&store, &[&replica]).await;

    // Rows that are no entries are skipped, counted and reported; the rest is served.
    let by_hand = "INSERT INTO trusted_origins (id, name, origin, scopes, allow_credentials) VALUES
        (1, 'a path', 'https://path.example.com/', '{CORS}', false),
        (2, 'no scheme', 'example.com', '{CORS}', false),
        (3, 'anybody', 'https://*.github.io', '{CORS}', true),
        (4, 'by hand', 'https://by-hand.example.com', '{CORS}', true)";
    operator.batch_execute(by_hand).await.unwrap();
    eventually("what was put by hand arrives", || {
        replica.origins.is_trusted(&origin("by-hand")) && replica.origins.invalid_rows() == 3
    })
    .await;
    let reported = replica.origins.invalid_rows_up_to(10);
    let reported: Vec<String> = reported.iter().map(ToString::to_string).collect();
    assert!(
        reported[0].starts_with("row \"0000000000000001\": origin: "),
        "{reported:?}"
    );
    agree(&store, &[&replica]).await;
    // One that has turned invalid is not served as it was.
    operator
        .batch_execute("UPDATE trusted_origins SET origin = 'by-hand' WHERE id = 4")
        .await
        .unwrap();
    eventually("it is not trusted any more", || {
        !replica.origins.is_trusted(&origin("by-hand")) && replica.origins.invalid_rows() == 4
    })
    .await;
    // Administrators can remove them.
    for number in 1..=4 {
        let id = tower_cors::trusted::entry::EntryId::from_number(number).unwrap();
        store.delete(id, None, actor("ann")).await.unwrap();
    }
    eventually("no row is invalid", || replica.origins.invalid_rows() == 0).await;

    // The table's constraints refuse malformed rows.
    for wrong in [
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (9, 'shop', 'https://x.example', '{CORS}')",
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (9, 'x', 'https://shop.example.com', '{CORS}')",
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (9, 'x', 'https://x.example', '{}')",
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (9, 'x', 'https://x.example', '{cors}')",
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (9, '', 'https://x.example', '{CORS}')",
        "INSERT INTO trusted_origins (id, name, origin, scopes, status) VALUES (9, 'x', 'https://x.example', '{CORS}', 'ON')",
        "INSERT INTO trusted_origins (id, name, origin, scopes) VALUES (-9, 'x', 'https://x.example', '{CORS}')",
        "UPDATE trusted_origins SET id = 9",
    ] {
        assert!(operator.batch_execute(wrong).await.is_err(), "{wrong}");
    }

    // More than one by one: the replica loads, and nothing has failed.
    let failures = replica.monitor.status().failures;
    let many = "INSERT INTO trusted_origins (id, name, origin, scopes)
        SELECT n, 'many ' || n, 'https://many-' || n || '.example.com', '{CORS}'
        FROM generate_series(100, 5099) AS n";
    operator.batch_execute(many).await.unwrap();
    eventually("many arrive", || replica.origins.len() == 5002).await;
    assert_eq!(replica.entries(), stored(&store).await);
    operator
        .batch_execute("TRUNCATE trusted_origins")
        .await
        .unwrap();
    eventually("all are gone", || replica.origins.is_empty()).await;
    assert_eq!(replica.monitor.status().failures, failures);
}

/// Each statement changes more rows than come one by one, so each is a reload, and many of them come
/// while one load is under way.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_bulk_job_of_many_statements_is_followed_without_a_failure() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let many = "INSERT INTO trusted_origins (id, name, origin, scopes)
        SELECT n, 'many ' || n, 'https://many-' || n || '.example.com', '{CORS}'
        FROM generate_series(1, 1500) AS n";
    operator.batch_execute(many).await.unwrap();
    for number in 0..200 {
        let status = ["INACTIVE", "ACTIVE"][number % 2];
        let update = format!("UPDATE trusted_origins SET status = '{status}'");
        operator.batch_execute(&update).await.unwrap();
    }
    store.create(draft("last"), actor("ann")).await.unwrap();
    eventually("the last change arrives", || {
        replica.origins.is_trusted(&origin("last"))
    })
    .await;
    assert!(replica.entries() == stored(&store).await, "they differ");
    let status = replica.monitor.status();
    assert_eq!((status.failures, status.is_connected), (0, true));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn replicas_outlive_what_an_operator_does_to_nats() {
    let server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    let store = connect(Kind::Nats, &url).await;
    let source = connect(Kind::Nats, &url).await;
    let replica = Following::resyncing(source, Duration::from_secs(3)).await;
    store.create(draft("shop"), actor("ann")).await.unwrap();
    let client = async_nats::connect(&url).await.unwrap();
    let operator = jetstream::new(client);
    let bucket = operator.get_key_value("trusted-origins").await.unwrap();

    // Keys that are no entries are skipped, counted and reported; the rest is served.
    let record = |origin: &str, name: &str| {
        format!(r#"{{"name":"{name}","origin":"{origin}","scopes":["CORS"]}}"#)
    };
    let by_hand = "0000000000000004";
    for (key, value) in [
        (
            "0000000000000001",
            record("https://path.example.com/", "a path"),
        ),
        ("0000000000000002", "{".to_owned()),
        ("not-an-id", record("https://id.example.com", "no id")),
        (by_hand, record("https://by-hand.example.com", "by hand")),
    ] {
        bucket.put(key, value.into()).await.unwrap();
    }
    eventually("what was put by hand arrives", || {
        replica.origins.is_trusted(&origin("by-hand")) && replica.origins.invalid_rows() == 3
    })
    .await;
    agree(&store, &[&replica]).await;
    // Keys that were put by hand hold their names, too.
    let hers = OriginDraft::new("by hand", "https://other.example.com", Scope::Cors).unwrap();
    let taken = store.create(hers, actor("ann")).await;
    assert!(
        matches!(taken, Err(StoreError::NameTaken { .. })),
        "{taken:?}"
    );
    // One that has turned invalid is not served as it was.
    bucket.put(by_hand, "gone".into()).await.unwrap();
    eventually("it is not trusted any more", || {
        !replica.origins.is_trusted(&origin("by-hand")) && replica.origins.invalid_rows() == 4
    })
    .await;
    // Administrators can remove it.
    let id = by_hand.parse().unwrap();
    store.delete(id, None, actor("ann")).await.unwrap();
    eventually("it is gone", || replica.origins.invalid_rows() == 3).await;

    // The whole stream is purged, which no message tells.
    bucket.stream.purge().await.unwrap();
    let again = store.create(draft("shop"), actor("ann")).await;
    assert!(again.is_ok(), "{again:?}");
    let fresh = Following::start(connect(Kind::Nats, &url).await).await;
    agree(&store, &[&fresh]).await;
    assert_eq!(fresh.origins.len(), 1);
    eventually("the next load corrects the replica", || {
        replica.entries() == fresh.entries()
    })
    .await;
}

/// Messages may be purged while a load reads them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_purge_of_nats_during_a_load_is_noticed() {
    let server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    let source = connect(Kind::Nats, &url).await;
    assert!(stored(&source).await.is_empty());
    let operator = jetstream::new(async_nats::connect(&url).await.unwrap());
    let bucket = operator.get_key_value("trusted-origins").await.unwrap();
    let (mut longest, mut taken) = (Duration::ZERO, 0);
    for round in 0..24 {
        let keys = (0..3000).map(|key| bucket.put(format!("key-{key}"), "{".into()));
        assert!(join_all(keys).await.iter().all(Result::is_ok));
        let load = {
            let source = Arc::clone(&source);
            tokio::spawn(async move {
                let mut load = tower_cors::trusted::source::SourceSnapshot::new();
                let begun = std::time::Instant::now();
                let at = source.load(&mut load).await.ok()?;
                let lasted = begun.elapsed();
                let origins = tower_cors::trusted::registry::OriginRegistry::new();
                RegistryWriter::new(&origins)
                    .load(load, at.clone())
                    .unwrap();
                Some((origins.invalid_rows(), at, lasted))
            })
        };
        // The first rounds say how long a load takes; the others purge at any moment of it.
        if round >= 4 {
            tokio::time::sleep(longest * (round - 4) / 20).await;
            bucket.stream.purge().await.unwrap();
        }
        // The load fails if the messages that it waits for are gone.
        let Some((held, at, lasted)) = load.await.unwrap() else {
            continue;
        };
        if round < 4 {
            longest = longest.max(lasted);
        }
        // A replica would load anew unless this is the position.
        if source.position().await.unwrap() == Some(at) {
            taken += 1;
            let there = bucket.stream.get_info().await.unwrap().state.messages;
            assert_eq!(u64::try_from(held), Ok(there), "in round {round}");
        }
    }
    assert!(taken >= 4, "it never is sure");
}
