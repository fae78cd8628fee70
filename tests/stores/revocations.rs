//! The carriers of revocations of `examples/apps/trusted_application` against real servers.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use tokio::task::JoinHandle;
use tower_cors::revocation::{Revocations, TokenIdentity};

use crate::{
    carriers::{CarrierError, nats::NatsCarrier, postgres::PostgresCarrier},
    server::{Kind, Server},
};

/// A replica of an application, as far as revocations go. It ends with the test.
pub(crate) struct Replica {
    pub(crate) revocations: Revocations,
    carrier: JoinHandle<Infallible>,
    /// What the carrier has reported, once each.
    reported: Arc<Mutex<BTreeSet<String>>>,
}

impl Replica {
    pub(crate) fn start(kind: Kind, url: &str) -> Self {
        let revocations = Revocations::new(1000);
        // Servers that are away are part of the test.
        let reported = Arc::<Mutex<BTreeSet<String>>>::default();
        let reports = Arc::clone(&reported);
        let report = move |error: &CarrierError| {
            reports.lock().unwrap().insert(error.to_string());
        };
        let carrier = match kind {
            Kind::Postgres => {
                let carrier = PostgresCarrier::new(url, &revocations).unwrap();
                tokio::spawn(carrier.run(report))
            }
            Kind::Nats => {
                let carrier = NatsCarrier::new(url, &revocations);
                tokio::spawn(carrier.run(report))
            }
        };
        Self {
            revocations,
            carrier,
            reported,
        }
    }

    /// What has kept the carrier from carrying.
    pub(crate) fn reported(&self) -> Vec<String> {
        self.reported.lock().unwrap().iter().cloned().collect()
    }

    /// Waits until the token is revoked here.
    pub(crate) async fn hears_of(&self, token: TokenIdentity<'_>) {
        let start = Instant::now();
        while !self.revocations.is_revoked(&token) {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{token:?} is not revoked"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn replicas_hear_of_each_other(kind: Kind) {
    let mut server = Server::start(kind);
    let url = server.url_at(server.port());
    let (one, two) = (Replica::start(kind, &url), Replica::start(kind, &url));
    let token = TokenIdentity::new;
    one.revocations.revoke("a \0 ü").unwrap();
    two.hears_of(token().id("a \0 ü")).await;
    two.revocations.revoke_session("7").unwrap();
    one.hears_of(token().session("7")).await;
    assert!(!one.revocations.is_revoked(&token().id("7")));
    // A session with the name of a token is another thing.
    assert!(!two.revocations.is_revoked(&token().session("a \0 ü")));

    // While the server is away, each heeds its own; then both come to know all.
    server.kill();
    one.revocations.revoke("while it was away").unwrap();
    two.revocations.revoke_session("8").unwrap();
    server.restart();
    two.hears_of(token().id("while it was away")).await;
    one.hears_of(token().session("8")).await;

    // One that comes later has missed nothing, nor one that is full.
    let late = Replica::start(kind, &url);
    for token in [
        token().id("a \0 ü"),
        token().session("7"),
        token().session("8"),
    ] {
        late.hears_of(token).await;
    }
    let now = SystemTime::now();
    late.revocations.revoke_issued_until(now);
    let issued_then = token().id("any").issued_at(now);
    one.hears_of(issued_then).await;
    two.hears_of(issued_then).await;
    let issued_later = issued_then.issued_at(now + Duration::from_secs(2));
    assert!(!one.revocations.is_revoked(&issued_later));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn revocations_are_carried_over_postgres() {
    replicas_hear_of_each_other(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn revocations_are_carried_over_nats() {
    replicas_hear_of_each_other(Kind::Nats).await;
}
