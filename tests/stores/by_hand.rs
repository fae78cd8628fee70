//! What operators do to stores with other means than this crate's.

use async_nats::jetstream;
use tower_cors::trusted::{
    entry::{EntryId, OriginDraft, Scope, Status, Version},
    store::StoreError,
};

use crate::{
    scene::{Following, actor, agree, connect, draft, eventually, origin, stored},
    server::{Kind, Server},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn statements_that_do_several_things_at_once_arrive_whole() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let row = |id: u64, status: &str| {
        format!(
            "({id}, 'row {id}', 'https://row-{id}.example.com', '{{CORS}}'::text[], '{status}')"
        )
    };
    let insert = "INSERT INTO trusted_origins (id, name, origin, scopes, status) VALUES";
    let columns = "(id, name, origin, scopes, status)";
    let values = "VALUES (wanted.id, wanted.name, wanted.origin, wanted.scopes, wanted.status)";

    let gone = "DELETE FROM trusted_origins WHERE id = 3";
    let one_gone_two_changed_one_new = if has_merge(&operator).await {
        format!(
            "MERGE INTO trusted_origins AS t USING (VALUES {}, {}, {}, {}) \
                 AS wanted {columns} ON t.id = wanted.id \
             WHEN MATCHED AND t.id = 3 THEN DELETE \
             WHEN MATCHED THEN UPDATE SET status = wanted.status \
             WHEN NOT MATCHED THEN INSERT {columns} {values}",
            row(5, "ACTIVE"),
            row(1, "ACTIVE"),
            row(3, "ACTIVE"),
            row(2, "INACTIVE"),
        )
    } else {
        format!(
            "WITH gone AS ({gone}) {insert} {}, {}, {} \
             ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status",
            row(5, "ACTIVE"),
            row(1, "ACTIVE"),
            row(2, "INACTIVE"),
        )
    };

    let mut last = Version::ZERO;
    for (number, statement) in [
        format!("{insert} {}, {}", row(1, "ACTIVE"), row(3, "ACTIVE")),
        // New rows before those that are there, and behind.
        format!(
            "{insert} {}, {}, {} ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status",
            row(2, "ACTIVE"),
            row(1, "INACTIVE"),
            row(4, "ACTIVE"),
        ),
        one_gone_two_changed_one_new,
        // Two statements in one.
        "WITH moved AS (DELETE FROM trusted_origins WHERE id = 2 RETURNING 6 AS id) \
         INSERT INTO trusted_origins (id, name, origin, scopes) \
         SELECT id, 'row 6', 'https://row-6.example.com', '{CORS}' FROM moved"
            .to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        operator.batch_execute(&statement).await.unwrap();
        let version = stored_version(&operator).await;
        assert!(version > last, "{statement}");
        last = version;
        agree(&store, &[&replica]).await;
        eventually("the version arrives", || {
            replica.origins.version() == version
        })
        .await;
        let expected: &[u64] = [&[1, 3][..], &[1, 2, 3, 4], &[1, 2, 4, 5], &[1, 4, 5, 6]][number];
        let held = replica.entries().into_iter();
        let held: Vec<u64> = held.map(|entry| u64::from(entry.id())).collect();
        assert_eq!(held, expected);
    }
    let status = replica.monitor.status();
    // A feed that has fallen silent on a busy machine is made anew; nothing else is loaded.
    assert!(status.loads <= 1 + status.failures, "{status:?}");
    assert!(replica.origins.is_trusted(&origin("row-1")));

    // An invalid row can only be deleted. Other edits get an error.
    operator
        .batch_execute("UPDATE trusted_origins SET origin = 'row-1' WHERE id = 1")
        .await
        .unwrap();
    is_no_entry(&store, EntryId::from_number(1).unwrap()).await;
}

/// From version 15 on.
async fn has_merge(operator: &tokio_postgres::Client) -> bool {
    let version = "SELECT current_setting('server_version_num')::integer";
    let version = operator.query_one(version, &[]).await.unwrap();
    version.get::<_, i32>(0) >= 150_000
}

async fn stored_version(operator: &tokio_postgres::Client) -> Version {
    let version = "SELECT version FROM trusted_origins_version";
    let version = operator.query_one(version, &[]).await.unwrap();
    Version::new(version.get::<_, i64>(0).unsigned_abs())
}

/// What replicas know to be old they do not take.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_version_that_was_raised_by_hand_does_not_go_back() {
    let server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    let store = connect(Kind::Postgres, &url).await;
    let replica = Following::start(connect(Kind::Postgres, &url).await).await;
    let (operator, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let many = |first: u32, last: u32| {
        format!(
            "INSERT INTO trusted_origins (id, name, origin, scopes) \
             SELECT n, 'row ' || n, 'https://row-' || n || '.example.com', '{{CORS}}' \
             FROM generate_series({first}, {last}) AS n"
        )
    };
    let mut last = Version::ZERO;
    for statement in [
        many(1, 3),
        "DELETE FROM trusted_origins WHERE id = 1".to_owned(),
        "UPDATE trusted_origins SET status = 'INACTIVE' WHERE id = 2".to_owned(),
        many(100, 5099),
        "DELETE FROM trusted_origins WHERE id >= 100".to_owned(),
        "TRUNCATE trusted_origins".to_owned(),
    ] {
        operator
            .batch_execute("UPDATE trusted_origins_version SET version = version + 1000000")
            .await
            .unwrap();
        let raised = stored_version(&operator).await;
        assert!(raised > last);
        // The feed says so every now and then.
        eventually("the raised version arrives", || {
            replica.origins.version() == raised
        })
        .await;
        operator.batch_execute(&statement).await.unwrap();
        last = stored_version(&operator).await;
        assert!(last > raised, "{statement}: {last} after {raised}");
        eventually("the change arrives", || replica.origins.version() == last).await;
        agree_on_entries(&store, &replica).await;
    }
    operator
        .batch_execute("UPDATE trusted_origins_version SET version = trusted_origins_next()")
        .await
        .unwrap();
    assert!(stored_version(&operator).await > last);
}

async fn agree_on_entries(store: &std::sync::Arc<dyn crate::scene::Shared>, replica: &Following) {
    let entries = stored(store).await;
    eventually("the replica holds what the store holds", || {
        replica.entries() == entries
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn entries_with_one_name_are_served_and_can_be_told_apart_again() {
    let server = Server::start(Kind::Nats);
    let url = server.url_at(server.port());
    let store = connect(Kind::Nats, &url).await;
    let replica = Following::start(connect(Kind::Nats, &url).await).await;
    store.create(draft("shop"), actor("ann")).await.unwrap();
    let operator = jetstream::new(async_nats::connect(&url).await.unwrap());
    let bucket = operator.get_key_value("trusted-origins").await.unwrap();
    let ids = [1, 2].map(|number| EntryId::from_number(number).unwrap());
    for (id, site) in ids.iter().zip(["one", "two"]) {
        let record =
            format!(r#"{{"name":"twin","origin":"https://{site}.example.com","scopes":["CORS"]}}"#);
        bucket.put(id.to_string(), record.into()).await.unwrap();
    }
    agree(&store, &[&replica]).await;
    assert!(
        ["one", "two"]
            .iter()
            .all(|site| replica.origins.is_trusted(&origin(site)))
    );

    // A shared name does not stop edits that leave it as it is.
    let off = store.deactivate(ids[0], None, actor("ann")).await.unwrap();
    assert_eq!(off.status(), Status::Inactive);
    let moved = OriginDraft::new("twin", "https://three.example.com", Scope::Cors).unwrap();
    store
        .replace(ids[0], None, moved.clone(), actor("ann"))
        .await
        .unwrap();
    let taken = OriginDraft::new("twin", "https://shop.example.com", Scope::Cors).unwrap();
    let taken = store.replace(ids[0], None, taken, actor("ann")).await;
    assert!(
        matches!(&taken, Err(StoreError::OriginTaken { origin }) if origin == "https://shop.example.com"),
        "{taken:?}"
    );
    // It is taken until the last of them is gone.
    for id in ids {
        let again = store.create(moved.clone(), actor("ann")).await;
        assert!(
            matches!(&again, Err(StoreError::NameTaken { name }) if name == "twin"),
            "{again:?}"
        );
        store.delete(id, None, actor("ann")).await.unwrap();
    }
    let entry = store.create(moved, actor("ann")).await.unwrap();
    agree(&store, &[&replica]).await;

    bucket
        .put(entry.id().to_string(), "{".into())
        .await
        .unwrap();
    is_no_entry(&store, entry.id()).await;
}

async fn is_no_entry(store: &std::sync::Arc<dyn crate::scene::Shared>, id: EntryId) {
    let by = || actor("ann");
    for edit in [
        store.fetch(id).await,
        store.replace(id, None, draft("x"), by()).await,
        store.deactivate(id, None, by()).await,
    ] {
        assert!(
            matches!(&edit, Err(StoreError::Invalid(row)) if row.key == id.to_string()),
            "{edit:?}"
        );
    }
    store.delete(id, None, by()).await.unwrap();
}
