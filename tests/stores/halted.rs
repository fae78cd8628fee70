//! A server that is stopped in the middle of everything and goes on later, as a machine that is
//! suspended: its connections stay open, and nothing comes.

use std::time::Duration;

use tower_cors::trusted::store::StoreError;

use crate::{
    scene::{Following, actor, agree, connect, draft, eventually, insist, origin},
    server::{Kind, Server},
    traffic::Traffic,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn no_request_fails_while_postgres_is_halted() {
    no_request_fails_while_the_store_is_halted(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn no_request_fails_while_nats_is_halted() {
    no_request_fails_while_the_store_is_halted(Kind::Nats).await;
}

async fn no_request_fails_while_the_store_is_halted(kind: Kind) {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let docs = store.create(draft("docs"), actor("ann")).await.unwrap();
    store.create(draft("shop"), actor("ann")).await.unwrap();
    let replica = Following::start(connect(kind, &url).await).await;
    let load = Traffic::start(replica.origins.clone(), "https://shop.example.com").await;

    server.halt();
    // An edit ends, too: whether it will be done, nobody can say.
    let edit = store.deactivate(docs.id(), None, actor("ann")).await;
    assert!(matches!(edit, Err(StoreError::Unavailable(_))), "{edit:?}");
    eventually("the replica says that it is stale", || {
        replica.origins.staleness().unwrap() > Duration::from_secs(3)
    })
    .await;
    assert!(replica.origins.is_trusted(&origin("shop")));
    let answered = load.requests();
    eventually("requests are answered meanwhile", || {
        load.requests() > answered + 100
    })
    .await;

    server.go_on();
    insist("an edit afterwards", async || {
        store.create(draft("new"), actor("bob")).await
    })
    .await;
    eventually("the edit arrives", || {
        replica.origins.is_trusted(&origin("new"))
    })
    .await;
    agree(&store, &[&replica]).await;
    load.stop().await;
}
