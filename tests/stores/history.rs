//! Stores that are replaced under their replicas, and what replicas may believe of them.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use tower_cors::trusted::entry::Version;

use crate::{
    proxy::Proxy,
    scene::{Following, Shared, actor, agree, connect, draft, eventually, insist, origin},
    server::{Kind, Server},
};

async fn create(store: &Arc<dyn Shared>, name: &str) {
    store.create(draft(name), actor("ann")).await.unwrap();
}

async fn operator_of(url: &str) -> tokio_postgres::Client {
    let (operator, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    operator
}

/// As a restored dump is: the triggers are off meanwhile, and the connections stay.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_restored_table_that_comes_to_the_same_version_is_told_from_the_one_that_is_served() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    create(&store, "shop").await;
    let operator = operator_of(&url).await;
    let backup = "CREATE TABLE entries_of_backup AS SELECT * FROM trusted_origins;
        CREATE TABLE version_of_backup AS SELECT * FROM trusted_origins_version";
    operator.batch_execute(backup).await.unwrap();
    create(&store, "withdrawn").await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    assert!(replica.origins.is_trusted(&origin("withdrawn")));
    assert_eq!(replica.origins.version(), Version::new(2));

    let restore = "SET session_replication_role = replica;
        DELETE FROM trusted_origins;
        INSERT INTO trusted_origins SELECT * FROM entries_of_backup;
        DELETE FROM trusted_origins_version;
        INSERT INTO trusted_origins_version SELECT * FROM version_of_backup;
        SELECT setval('trusted_origins_versions', 1)";
    operator.batch_execute(restore).await.unwrap();
    create(&store, "new").await;
    eventually("the restored table is served", || {
        !replica.origins.is_trusted(&origin("withdrawn"))
            && replica.origins.is_trusted(&origin("new"))
    })
    .await;
    assert_eq!(replica.origins.version(), Version::new(2));
    assert_eq!(replica.monitor.status().histories, 1);
    agree(&store, &[&replica]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_new_stream_that_comes_to_the_same_version_is_told_from_the_one_that_is_served() {
    let server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    let store = connect(Kind::Nats, &url).await;
    create(&store, "shop").await;
    create(&store, "withdrawn").await;
    let source = connect(Kind::Nats, &url).await;
    let replica = Following::resyncing(source, Duration::from_secs(1)).await;
    let before = store.position().await.unwrap();
    let operator = jetstream::new(async_nats::connect(&url).await.unwrap());
    operator.delete_stream("KV_trusted-origins").await.unwrap();
    let again = connect(Kind::Nats, &url).await;
    create(&again, "shop").await;
    create(&again, "new").await;
    eventually("the new stream is served", || {
        !replica.origins.is_trusted(&origin("withdrawn"))
            && replica.origins.is_trusted(&origin("new"))
    })
    .await;
    assert_eq!(replica.origins.version(), Version::new(2));
    agree(&again, &[&replica]).await;
    assert_ne!(again.position().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_feed_of_postgres_and_its_table_agree_on_where_they_are() {
    a_feed_and_its_store_agree(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_feed_of_nats_and_its_stream_agree_on_where_they_are() {
    a_feed_and_its_store_agree(Kind::Nats).await;
}

/// Else each heartbeat would be taken for one of another history.
async fn a_feed_and_its_store_agree(kind: Kind) {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let replica = Following::start(connect(kind, &url).await).await;
    for name in ["a", "b"] {
        create(&store, name).await;
    }
    let entry = store.create(draft("c"), actor("ann")).await.unwrap();
    store.delete(entry.id(), None, actor("ann")).await.unwrap();
    agree(&store, &[&replica]).await;
    // Two heartbeats.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut load = tower_cors::trusted::source::SourceSnapshot::new();
    let at = store.load(&mut load).await.unwrap();
    assert_eq!(replica.origins.position(), at);
    assert!(at.history().is_some());
    assert_eq!(store.position().await.unwrap(), Some(at));
    let status = replica.monitor.status();
    assert_eq!((status.histories, status.failures), (0, 0));
    assert_eq!(status.loads, 1);
    assert!(replica.origins.staleness().unwrap() < Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn news_of_postgres_are_as_old_as_their_way_was_long() {
    news_are_as_old_as_their_way_was_long(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn news_of_nats_are_as_old_as_their_way_was_long() {
    news_are_as_old_as_their_way_was_long(Kind::Nats).await;
}

async fn news_are_as_old_as_their_way_was_long(kind: Kind) {
    let server = Server::start(kind);
    let proxy = Proxy::to(server.port()).await;
    let replica = Following::start(connect(kind, &server.url_at(proxy.port)).await).await;
    let delay = Duration::from_secs(2);
    proxy.delay(delay);
    // Until answers to older questions have come.
    tokio::time::sleep(2 * delay).await;
    for _ in 0..60 {
        let staleness = replica.origins.staleness().unwrap();
        assert!(
            staleness >= delay - Duration::from_millis(50),
            "{staleness:?}"
        );
        assert!(staleness < 5 * delay, "{staleness:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(replica.monitor.status().failures, 0);
}

/// Neither version nor feed tell of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn edits_with_the_triggers_off_are_found_at_a_resync() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    create(&store, "shop").await;
    let source = connect(Kind::Postgres, &url).await;
    let replica = Following::resyncing(source, Duration::from_secs(1)).await;
    // The counters of the server are some seconds late.
    let quiet = || async {
        let loads = replica.monitor.status().loads;
        tokio::time::sleep(Duration::from_secs(3)).await;
        replica.monitor.status().loads == loads
    };
    insist("nothing is loaded without a reason", async || {
        quiet().await.then_some(()).ok_or("it is")
    })
    .await;
    let operator = operator_of(&url).await;
    let edit = "SET session_replication_role = replica;
        UPDATE trusted_origins SET status = 'INACTIVE'";
    operator.batch_execute(edit).await.unwrap();
    eventually("the edit is found", || {
        !replica.origins.is_trusted(&origin("shop"))
    })
    .await;
    assert_eq!(replica.monitor.status().failures, 0);
}

/// The alarm on invalid rows must be exact.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn every_invalid_row_of_postgres_counts_and_nothing_else() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    assert_eq!(replica.origins.invalid_rows(), 0, "the table is empty");
    let operator = operator_of(&url).await;
    // A table that has lost its primary key.
    let by_hand = "ALTER TABLE trusted_origins DROP CONSTRAINT trusted_origins_id;
        ALTER TABLE trusted_origins ALTER id DROP NOT NULL;
        INSERT INTO trusted_origins (id, name, origin, scopes)
        SELECT NULL, 'row ' || n, 'https://row-' || n || '.example.com', '{CORS}'
        FROM generate_series(1, 12) AS n;
        INSERT INTO trusted_origins (id, name, origin, scopes)
        VALUES (13, 'a path', 'https://path.example.com/', '{CORS}')";
    operator.batch_execute(by_hand).await.unwrap();
    eventually("all are counted", || replica.origins.invalid_rows() == 13).await;
    assert_eq!(replica.origins.invalid_rows_up_to(20).len(), 13);
    operator
        .batch_execute("DELETE FROM trusted_origins WHERE id IS NULL")
        .await
        .unwrap();
    let correct = "UPDATE trusted_origins SET origin = 'https://path.example.com'";
    operator.batch_execute(correct).await.unwrap();
    eventually("none is left", || {
        replica.origins.invalid_rows() == 0 && replica.origins.is_trusted(&origin("path"))
    })
    .await;
    drop(store);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_table_that_is_gone_is_noticed_although_its_version_is_there() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    create(&store, "shop").await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let operator = operator_of(&url).await;
    operator
        .batch_execute("DROP TABLE trusted_origins CASCADE")
        .await
        .unwrap();
    eventually("that is told", || {
        let staleness = replica.origins.staleness().unwrap();
        !replica.monitor.status().is_connected && staleness > Duration::from_secs(5)
    })
    .await;
    assert!(
        replica.origins.is_trusted(&origin("shop")),
        "the last is served"
    );

    // A new table under the old name, beside the version of the old one.
    let again = insist("the table is made again", async || {
        Ok::<_, String>(connect(Kind::Postgres, &url).await)
    })
    .await;
    eventually("the new table is served", || replica.origins.is_empty()).await;
    create(&again, "docs").await;
    agree(&again, &[&replica]).await;
}
