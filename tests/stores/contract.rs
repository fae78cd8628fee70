//! What every store promises, and that replicas see it.

use futures_util::future::join_all;
use tower_cors::trusted::{
    entry::{OriginDraft, Scope, Status, Version},
    registry::{OriginEventKind, Received},
    store::StoreError,
};

use crate::{
    scene::{Following, actor, agree, connect, draft, eventually, origin},
    server::{Kind, Server},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn postgres_keeps_entries_and_brings_changes() {
    keeps_entries_and_brings_changes(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn nats_keeps_entries_and_brings_changes() {
    keeps_entries_and_brings_changes(Kind::Nats).await;
}

async fn keeps_entries_and_brings_changes(kind: Kind) {
    // On a busy machine a feed may fall silent for so long that it is made anew.
    for _ in 0..3 {
        if is_told_of_each(kind).await {
            return;
        }
    }
    panic!("the feed has failed three times");
}

/// Whether the feed has not failed meanwhile, behind which changes come in other words.
async fn is_told_of_each(kind: Kind) -> bool {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let ann = actor("ann");

    // One replica from the beginning on, one that comes later.
    let first = Following::start(connect(kind, &url).await).await;
    let shop = store.create(draft("shop"), ann.clone()).await.unwrap();
    let docs = store.create(draft("docs"), ann.clone()).await.unwrap();
    assert!(shop.version() < docs.version());
    let second = Following::start(connect(kind, &url).await).await;
    for replica in [&first, &second] {
        eventually("shop is trusted", || {
            replica.origins.is_trusted(&origin("shop"))
        })
        .await;
    }
    let mut events = first.origins.subscribe(100);

    // Names and origins are unique, of inactive entries too.
    let bob = actor("bob");
    let at_shop = Some(shop.version());
    let inactive = store.deactivate(shop.id(), at_shop, bob.clone()).await;
    let inactive = inactive.unwrap();
    assert_eq!(inactive.status(), Status::Inactive);
    assert_eq!(inactive.created_by(), &ann);
    assert_eq!(inactive.last_updated_by(), &bob);
    let again = store.create(draft("shop"), ann.clone()).await;
    assert!(
        matches!(&again, Err(StoreError::NameTaken { name }) if name == "shop"),
        "{again:?}"
    );
    let renamed = OriginDraft::new("other name", "https://shop.example.com", Scope::Cors);
    let again = store
        .replace(docs.id(), None, renamed.unwrap(), ann.clone())
        .await;
    assert!(
        matches!(&again, Err(StoreError::OriginTaken { origin }) if origin == "https://shop.example.com"),
        "{again:?}"
    );

    // Setting the current status changes nothing; an old version is refused.
    let same = store
        .deactivate(shop.id(), None, ann.clone())
        .await
        .unwrap();
    assert_eq!(same, inactive);
    let current = inactive.version();
    let late = store
        .replace(shop.id(), at_shop, draft("x"), ann.clone())
        .await;
    assert!(is_changed(&late, current), "{late:?}");
    let late = store.delete(shop.id(), at_shop, ann.clone()).await;
    assert!(is_changed(&late, current), "{late:?}");
    agree(&store, &[&first, &second]).await;

    // A name is free once its entry is renamed or gone.
    let moved = store.replace(shop.id(), Some(current), draft("moved"), bob.clone());
    let moved = moved.await.unwrap();
    assert_eq!((moved.name(), moved.status()), ("moved", Status::Active));
    store.create(draft("shop"), ann.clone()).await.unwrap();
    let gone = store
        .delete(docs.id(), Some(docs.version()), bob.clone())
        .await;
    let gone = gone.unwrap();
    assert!(gone > moved.version());
    let missing = store.fetch(docs.id()).await;
    assert!(matches!(missing, Err(StoreError::NotFound { id }) if id == docs.id()));
    for edit in [
        store.activate(docs.id(), None, bob.clone()).await.map(drop),
        store.delete(docs.id(), None, bob.clone()).await.map(drop),
    ] {
        assert!(matches!(edit, Err(StoreError::NotFound { .. })), "{edit:?}");
    }
    store.create(draft("docs"), ann.clone()).await.unwrap();
    agree(&store, &[&first, &second]).await;

    if first.monitor.status().failures > 0 {
        return false;
    }
    // Each change was an event, in order, and says who made it.
    let mut kinds = Vec::new();
    let mut version = Version::ZERO;
    while let Some(received) = events.try_next() {
        let Received::Event(event) = received else {
            panic!("{received:?}");
        };
        assert!(event.version > version);
        version = event.version;
        kinds.push(match event.kind {
            OriginEventKind::Created { entry } => format!("created {}", entry.name()),
            OriginEventKind::Replaced { entry, .. } => format!("replaced {}", entry.name()),
            OriginEventKind::Deactivated { entry } => format!("deactivated {}", entry.name()),
            OriginEventKind::Deleted { entry, by } => {
                format!("deleted {} by {}", entry.name(), by.unwrap())
            }
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        kinds,
        [
            "deactivated shop",
            "replaced moved",
            "created shop",
            "deleted docs by bob",
            "created docs"
        ]
    );
    true
}

fn is_changed<T>(result: &Result<T, StoreError>, version: Version) -> bool {
    matches!(result, Err(StoreError::Changed { current }) if *current == version)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn of_admins_who_race_for_a_name_in_postgres_one_wins() {
    one_of_those_who_race_wins(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn of_admins_who_race_for_a_name_in_nats_one_wins() {
    one_of_those_who_race_wins(Kind::Nats).await;
}

async fn one_of_those_who_race_wins(kind: Kind) {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    let replica = Following::start(connect(kind, &url).await).await;
    let admins = join_all((0..4).map(|_| connect(kind, &url))).await;
    let store = &admins[0];
    for round in 0..20 {
        let name = format!("round-{round}");
        let attempts = admins.iter().enumerate().map(|(number, admin)| {
            // Half of them want the name with another origin.
            let suffix = ["", ".admin"][number % 2];
            let origin = format!("https://{name}{suffix}.example.com");
            let scope = Scope::Cors;
            let draft = OriginDraft::new(&name, &origin, scope).unwrap();
            let (admin, by) = (admin.clone(), actor(&format!("admin {number}")));
            tokio::spawn(async move { admin.create(draft, by).await })
        });
        let results: Vec<_> = join_all(attempts).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        let winners = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(winners, 1, "{results:?}");
        for lost in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(
                matches!(lost, StoreError::NameTaken { name: taken } if *taken == name),
                "{lost:?}"
            );
        }

        // The same entry, changed by all of them from the same version.
        let entry = results.into_iter().find_map(Result::ok).unwrap();
        let edits = admins.iter().enumerate().map(|(number, admin)| {
            let new = draft(&format!("{name}-by-{number}"));
            let (id, version, by) = (entry.id(), entry.version(), actor("anybody"));
            let admin = admin.clone();
            tokio::spawn(async move { admin.replace(id, Some(version), new, by).await })
        });
        let results: Vec<_> = join_all(edits).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        let winner = results.iter().find_map(|result| result.as_ref().ok());
        let winner = winner.unwrap_or_else(|| panic!("{results:?}"));
        let lost = results
            .iter()
            .filter(|lost| is_changed(lost, winner.version()));
        assert_eq!(lost.count(), admins.len() - 1, "{results:?}");

        // Entries of their own, which all of them want to give one name.
        let entries = (0..admins.len()).map(|number| {
            let own = draft(&format!("{name}-own-{number}"));
            store.create(own, actor("anybody"))
        });
        let entries: Vec<_> = join_all(entries).await;
        let shared = format!("{name} shared");
        let edits = entries.into_iter().zip(&admins).map(|(entry, admin)| {
            let (entry, admin) = (entry.unwrap(), admin.clone());
            let new = OriginDraft::new(&shared, entry.pattern().as_str(), Scope::Cors).unwrap();
            let edit = async move { admin.replace(entry.id(), None, new, actor("anybody")).await };
            tokio::spawn(edit)
        });
        let results: Vec<_> = join_all(edits).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        let lost = results
            .iter()
            .filter(|lost| matches!(lost, Err(StoreError::NameTaken { name }) if *name == shared));
        assert_eq!(lost.count(), admins.len() - 1, "{results:?}");
        assert!(results.iter().any(Result::is_ok), "{results:?}");
    }
    agree(store, &[&replica]).await;
    assert_eq!(replica.origins.len(), 20 * (1 + admins.len()));
}
