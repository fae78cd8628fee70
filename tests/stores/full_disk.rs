//! Servers that find no room: the file system of their files is small, and really full.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tower_cors::{
    revocation::TokenIdentity,
    trusted::{entry::EntryId, store::StoreError},
};

use crate::{
    ledger::Ledger,
    revocations,
    scene::{Following, PATIENCE, Shared, actor, agree, connect, draft, eventually, origin},
    server::{Kind, Server},
    traffic::Traffic,
};

/// In mebibytes: what a new server needs, and some more.
const DISK: u32 = 64;
/// The system's words.
const NO_ROOM: &str = "No space left on device";
/// How long an edit may take, whatever the server does.
const LONGEST_EDIT: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_postgres_without_room_refuses_edits_and_is_read() {
    let server = Server::start_on_disk(Kind::Postgres, DISK);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let mut ledger = Ledger::default();
    let shop = ledger.create(&store, draft("shop")).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let load = Traffic::start(replica.origins.clone(), "https://shop.example.com").await;
    let [one, two] = [(); 2].map(|()| revocations::Replica::start(Kind::Postgres, &url));
    one.revocations.revoke("with room").unwrap();
    two.hears_of(TokenIdentity::new().id("with room")).await;
    let position = store.position().await.unwrap().map(|at| at.version());

    server.disk().fill_but(0);
    let (full_since, mut refused) = (Instant::now(), 0);
    while refused < 200 || full_since.elapsed() < Duration::from_secs(4) {
        assert!(full_since.elapsed() < PATIENCE, "all edits fit");
        if let Err(error) = ledger.edit(&store).await {
            let error = error.to_string();
            assert!(error.contains(NO_ROOM), "{error}");
            refused += 1;
            sleep(Duration::from_millis(5)).await;
        }
    }

    // Each replica heeds what is revoked there, and says why the others do not hear of it.
    let token = |number: usize| format!("token-{number}-{}", "x".repeat(200));
    for number in 0..200 {
        one.revocations.revoke(&token(number)).unwrap();
    }
    let last = token(199);
    assert!(one.revocations.is_revoked(&TokenIdentity::new().id(&last)));
    eventually("that is told", || {
        let reported = one.reported();
        reported.iter().any(|error| error.contains(NO_ROOM))
    })
    .await;

    // The database is read as before: entry by entry, from the beginning, and by the replica.
    assert_eq!(store.fetch(shop.id()).await.unwrap(), shop);
    ledger.settle(&store).await;
    let fresh = Following::start(connect(Kind::Postgres, &url).await).await;
    agree(&store, &[&fresh, &replica]).await;
    eventually("the replica hears from the database", || {
        replica.origins.staleness().unwrap() < Duration::from_secs(2)
    })
    .await;

    // Nothing has to be started again.
    server.disk().make_room();
    two.hears_of(TokenIdentity::new().id(&last)).await;
    for _ in 0..20 {
        ledger.edit(&store).await.unwrap();
    }
    ledger.settle(&store).await;
    agree(&store, &[&fresh, &replica]).await;
    assert!(Some(replica.origins.version()) > position);
    load.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn edits_outlive_a_postgres_that_ends_without_room_for_its_log() {
    edits_outlive_a_server_that_gives_up(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn edits_outlive_a_nats_that_gives_up_without_room() {
    edits_outlive_a_server_that_gives_up(Kind::Nats).await;
}

async fn edits_outlive_a_server_that_gives_up(kind: Kind) {
    let mut server = Server::start_on_disk(kind, DISK);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let mut ledger = Ledger::default();
    let shop = ledger.create(&store, draft("shop")).await;
    for _ in 0..20 {
        ledger.edit(&store).await.unwrap();
    }
    let keeping = Following::start(connect(kind, &url).await).await;
    let limit = Duration::from_secs(4);
    let closing = Following::failing_closed(connect(kind, &url).await, limit).await;
    let load = Traffic::start(keeping.origins.clone(), "https://shop.example.com").await;
    let [one, two] = [(); 2].map(|()| revocations::Replica::start(kind, &url));
    let room = match kind {
        Kind::Postgres => {
            write_until_the_log_needs_another_file(&url).await;
            // Less than another file of the log.
            1000 * 1024
        }
        Kind::Nats => 4 * 1024,
    };
    let elsewhere = tokio::spawn(first_failure(connect(kind, &url).await, shop.id()));
    server.disk().fill_but(room);
    let (acknowledged, full_since) = (ledger.acknowledged, Instant::now());
    while closing.origins.is_available() {
        assert!(full_since.elapsed() < PATIENCE, "the server goes on");
        let begun = Instant::now();
        if let Err(error) = ledger.edit(&store).await {
            assert_clear(&error, begun.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(ledger.acknowledged > acknowledged, "nothing has fitted");
    // NATS 2.9 gives up without a word.
    assert!(matches!(kind, Kind::Nats) || server.has_said("PANIC:  could not write to file"));
    let (error, took) = elsewhere.await.unwrap();
    assert_clear(&error, took);
    one.revocations.revoke("without room").unwrap();
    eventually("the replica says that it is stale", || {
        let staleness = keeping.origins.staleness().unwrap();
        staleness > limit && !keeping.monitor.status().is_connected
    })
    .await;
    assert!(keeping.origins.is_trusted(&origin("shop")));
    assert!(!closing.origins.is_trusted(&origin("shop")));
    let answered = load.requests();
    eventually("requests are answered meanwhile", || {
        load.requests() > answered + 100
    })
    .await;

    // An operator starts it again without making room. PostgreSQL may not start; NATS does, without the
    // bucket, which must not be made anew.
    server.disk().fill_but(0);
    server.kill();
    let started = server.tries_to_start();
    assert!(
        started.is_ok() || matches!(kind, Kind::Postgres),
        "{started:?}"
    );
    let begun = Instant::now();
    match ledger.edit(&store).await {
        Ok(()) => assert!(matches!(kind, Kind::Postgres), "there is no room"),
        Err(error) => assert_clear(&error, begun.elapsed()),
    }
    assert!(keeping.origins.is_trusted(&origin("shop")));

    // Room is what it needs.
    server.disk().make_room();
    server.kill();
    server.restart();
    for _ in 0..20 {
        ledger.insist(&store).await;
    }
    ledger.settle(&store).await;
    agree(&store, &[&keeping, &closing]).await;
    eventually("both replicas are available", || {
        closing.origins.is_trusted(&origin("shop"))
            && keeping.origins.staleness().unwrap() < Duration::from_secs(3)
    })
    .await;
    two.hears_of(TokenIdentity::new().id("without room")).await;
    load.stop().await;
}

/// Edits as an administrator elsewhere, who wants nothing that is not so already. Tells of the first edit
/// that fails, and how long it took.
async fn first_failure(store: Arc<dyn Shared>, active: EntryId) -> (StoreError, Duration) {
    loop {
        let begun = Instant::now();
        if let Err(error) = store.activate(active, None, actor("bob")).await {
            return (error, begun.elapsed());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The store says what is wrong, and that in time.
fn assert_clear(error: &StoreError, took: Duration) {
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(took < LONGEST_EDIT, "{took:?}");
}

/// Writes to the log until little is left of its last file. Older files are used again after a
/// checkpoint only, and none is due.
async fn write_until_the_log_needs_another_file(url: &str) {
    let (operator, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let is_nearly_used = "SELECT pg_walfile_name(pg_current_wal_insert_lsn()) = max(name)
            AND (pg_current_wal_insert_lsn() - '0/0') % 1048576 > 896 * 1024
        FROM pg_ls_waldir() WHERE length(name) = 24";
    let write = "SELECT pg_logical_emit_message(false, 'others', repeat('x', 16 * 1024))";
    loop {
        let answer = operator.query_one(is_nearly_used, &[]).await.unwrap();
        if answer.get(0) {
            break;
        }
        operator.batch_execute(write).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_nats_at_its_own_limit_refuses_edits_and_is_read() {
    let mut server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    server.kill();
    server.limit_nats_to(16 * 1024);
    server.restart();
    let store = connect(Kind::Nats, &url).await;
    let mut ledger = Ledger::default();
    let shop = ledger.create(&store, draft("shop")).await;
    let replica = Following::start(connect(Kind::Nats, &url).await).await;
    let mut refused = 0;
    while refused < 50 {
        if let Err(error) = ledger.edit(&store).await {
            let error = error.to_string();
            assert!(error.contains("insufficient resources"), "{error}");
            refused += 1;
        }
    }
    assert!(ledger.acknowledged > 10);
    assert_eq!(store.fetch(shop.id()).await.unwrap(), shop);
    ledger.settle(&store).await;
    let fresh = Following::start(connect(Kind::Nats, &url).await).await;
    agree(&store, &[&fresh, &replica]).await;
    assert_eq!(replica.monitor.status().failures, 0);

    server.kill();
    server.limit_nats_to(1024 * 1024);
    server.restart();
    for _ in 0..20 {
        ledger.insist(&store).await;
    }
    ledger.settle(&store).await;
    agree(&store, &[&fresh, &replica]).await;
}
