//! Figures for people: `scripts/stores.sh figures --nocapture`. No time is asserted.

#![allow(clippy::print_stdout, reason = "the figures are for the reader")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::jetstream;
use futures_util::future::join_all;
use tokio::task::yield_now;
use tower_cors::trusted::{
    entry::{OriginRecord, Status, TrustedOrigin},
    store::EmbeddedStore,
};

use crate::{
    scene::{
        Following, PATIENCE, Shared, actor, agree, connect, draft, eventually, insist, origin,
        stored,
    },
    server::{Kind, Server},
};

const EDITS: usize = 100;
const REPLICAS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures: run scripts/stores.sh"]
async fn figures_from_an_edit_to_every_replica() {
    let memory = EmbeddedStore::in_memory();
    let memory = async || Arc::new(memory.clone()) as Arc<dyn Shared>;
    edits_arrive("memory", &memory).await;

    let folder = tempfile::tempdir().unwrap();
    let file = EmbeddedStore::open(folder.path().join("origins.json")).unwrap();
    let file = async || Arc::new(file.clone()) as Arc<dyn Shared>;
    edits_arrive("file", &file).await;

    for (name, kind) in [("PostgreSQL", Kind::Postgres), ("NATS", Kind::Nats)] {
        let server = Server::start(kind);
        let url = server.url_at(server.port());
        edits_arrive(name, &async || connect(kind, &url).await).await;
    }
}

/// Switches an entry off and on, and waits until every replica refuses, or grants again.
async fn edits_arrive(name: &str, connect: &impl AsyncFn() -> Arc<dyn Shared>) {
    let store = connect().await;
    let entry = store.create(draft("shop"), actor("ann")).await.unwrap();
    let replicas = (0..REPLICAS).map(async |_| Following::start(connect().await).await);
    let replicas = join_all(replicas).await;
    let shop = origin("shop");
    let (mut committed, mut served) = (Vec::new(), Vec::new());
    for number in 0..2 * EDITS {
        let is_refusal = number % 2 == 0;
        let status = if is_refusal {
            Status::Inactive
        } else {
            Status::Active
        };
        let start = Instant::now();
        let edit = store.set_status(entry.id(), None, status, actor("ann"));
        edit.await.unwrap();
        let edited = start.elapsed();
        let is_served = |replica: &Following| replica.origins.is_trusted(&shop) != is_refusal;
        while !replicas.iter().all(is_served) {
            assert!(start.elapsed() < PATIENCE, "an edit does not arrive");
            yield_now().await;
        }
        if is_refusal {
            committed.push(edited);
            served.push(start.elapsed());
        }
    }
    let [(edit, slowest_edit), (median, worst)] = [committed, served].map(median_and_worst);
    println!(
        "{name}: {EDITS} deactivations, {REPLICAS} replicas: all refuse after {median:.1?} \
         (median), {worst:.1?} (worst); the edit itself {edit:.1?}, {slowest_edit:.1?}"
    );
    agree(&store, &replicas.iter().collect::<Vec<_>>()).await;
}

fn median_and_worst(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() - 1])
}

/// A million where the tests are optimised.
const ROWS: usize = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures: run scripts/stores.sh"]
async fn figures_of_many_rows_that_are_loaded_from_postgres() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let many = format!(
        "INSERT INTO trusted_origins (id, name, origin, scopes)
         SELECT n, 'many ' || n, 'https://many-' || n || '.example.com', '{{CORS}}'
         FROM generate_series(1, {ROWS}) AS n"
    );
    operator.batch_execute(&many).await.unwrap();
    all_are_loaded("PostgreSQL", &store, connect(Kind::Postgres, &url).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures: run scripts/stores.sh"]
async fn figures_of_many_keys_that_are_loaded_from_nats() {
    let server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    let store = connect(Kind::Nats, &url).await;
    store.create(draft("first"), actor("ann")).await.unwrap();
    let operator = jetstream::new(async_nats::connect(&url).await.unwrap());
    let mut acknowledgements = Vec::new();
    for number in 1..ROWS {
        let id = format!("{number:016x}");
        let site = format!("https://many-{number}.example.com");
        let mut record = OriginRecord::new(&id, &format!("many {number}"), &site);
        record.scopes.push("CORS".to_owned());
        let subject = format!("$KV.trusted-origins.{id}");
        let publish = operator.publish(subject, record.to_json().into());
        acknowledgements.push(publish.await.unwrap().into_future());
        if acknowledgements.len() == 1000 || number + 1 == ROWS {
            for acknowledged in join_all(acknowledgements.drain(..)).await {
                acknowledged.unwrap();
            }
        }
    }
    all_are_loaded("NATS", &store, connect(Kind::Nats, &url).await).await;
}

async fn all_are_loaded(name: &str, store: &Arc<dyn Shared>, own: Arc<dyn Shared>) {
    let start = Instant::now();
    let replica = Following::start(Arc::clone(&own)).await;
    println!(
        "{name}: {ROWS} entries loaded after {:.1?}",
        start.elapsed()
    );
    assert_eq!(replica.origins.len(), ROWS);
    let start = Instant::now();
    let entry = store.create(draft("one-more"), actor("ann")).await.unwrap();
    println!(
        "{name}: the first edit beside them takes {:.1?}",
        start.elapsed()
    );
    let start = Instant::now();
    store
        .deactivate(entry.id(), None, actor("ann"))
        .await
        .unwrap();
    println!("{name}: the second one {:.1?}", start.elapsed());
    eventually("the edits arrive", || {
        replica
            .origins
            .entry(entry.id())
            .is_some_and(|own| own.status() == Status::Inactive)
    })
    .await;
    assert!(replica.entries() == stored(store).await, "they differ");
    drop(replica);
    edits_arrive_while_all_are_loaded(name, store, &entry, own).await;
}

/// Everything is loaded anew all the time, because there are edits all the time.
async fn edits_arrive_while_all_are_loaded(
    name: &str,
    store: &Arc<dyn Shared>,
    entry: &TrustedOrigin,
    own: Arc<dyn Shared>,
) {
    let replica = Following::resyncing(own, Duration::from_millis(100)).await;
    let site = origin("one-more");
    let mut served = Vec::new();
    let start = Instant::now();
    let loads = replica.monitor.status().loads;
    while served.len() < EDITS || replica.monitor.status().loads < loads + 2 {
        let status = replica.monitor.status();
        assert!(start.elapsed() < 10 * PATIENCE, "{status:?}");
        for status in [Status::Active, Status::Inactive] {
            let edited = Instant::now();
            // A server that sends everything to somebody else may not answer in time.
            insist("an edit", async || {
                store
                    .set_status(entry.id(), None, status, actor("ann"))
                    .await
            })
            .await;
            let is_active = status == Status::Active;
            while replica.origins.is_trusted(&site) != is_active {
                assert!(edited.elapsed() < PATIENCE, "an edit does not arrive");
                yield_now().await;
            }
            served.push(edited.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (edits, loads) = (served.len(), replica.monitor.status().loads - loads);
    let (median, worst) = median_and_worst(served);
    println!(
        "{name}: {edits} edits while everything is loaded {loads} times are served after \
         {median:.1?} (median), {worst:.1?} (worst)"
    );
}
