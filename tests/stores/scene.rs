use std::{
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;
use tower_cors::{
    Origin,
    trusted::{
        entry::{Actor, OriginDraft, Scope, TrustedOrigin},
        registry::OriginRegistry,
        replica::{Replica, ReplicaMonitor, WhenStale},
        source::{OriginSource, SourceSnapshot},
        store::{OriginStore, RegistryWriter},
    },
};

use crate::{
    server::Kind,
    stores::{nats::NatsOrigins, postgres::PostgresOrigins},
};

/// How long anything may take that comes by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a load may take, of a million entries too, on a busy machine.
const LOADING: Duration = Duration::from_secs(180);

/// How often replicas load that do not load without a reason.
pub(crate) const RARELY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) trait Shared: OriginSource + OriginStore {}
impl<T: OriginSource + OriginStore> Shared for T {}

/// A connection of its own to the store of a server.
pub(crate) async fn connect(kind: Kind, url: &str) -> Arc<dyn Shared> {
    match kind {
        Kind::Postgres => {
            let store = PostgresOrigins::new(url).expect("it is an address");
            store.migrate().await.expect("the server answers");
            Arc::new(store)
        }
        Kind::Nats => Arc::new(NatsOrigins::new(url)),
    }
}

/// A replica that follows the store until it is dropped.
pub(crate) struct Following {
    pub(crate) origins: OriginRegistry,
    pub(crate) monitor: ReplicaMonitor,
    task: JoinHandle<()>,
}

impl Following {
    /// One that never loads without a reason, which would hide a feed that loses changes.
    pub(crate) async fn start(source: Arc<dyn Shared>) -> Self {
        Self::resyncing(source, RARELY).await
    }

    pub(crate) async fn resyncing(source: Arc<dyn Shared>, period: Duration) -> Self {
        Self::when_stale(source, period, WhenStale::KeepLast).await
    }

    /// One that denies once its news are as old as this.
    pub(crate) async fn failing_closed(source: Arc<dyn Shared>, after: Duration) -> Self {
        Self::when_stale(source, RARELY, WhenStale::FailClosedAfter(after)).await
    }

    async fn when_stale(source: Arc<dyn Shared>, period: Duration, stale: WhenStale) -> Self {
        Self::with(OriginRegistry::new(), source, period, stale).await
    }

    pub(crate) async fn with(
        origins: OriginRegistry,
        source: Arc<dyn Shared>,
        period: Duration,
        stale: WhenStale,
    ) -> Self {
        let replica = Replica::new(source, origins.clone(), stale)
            .retry(Duration::from_millis(50), Duration::from_secs(1))
            .timeout(LOADING)
            .resync_every(period);
        let monitor = replica.monitor();
        let task = tokio::spawn(async move {
            replica.run(tokio::time::sleep).await;
        });
        let following = Self {
            origins,
            monitor,
            task,
        };
        following.loads().await;
        following
    }

    async fn loads(&self) {
        let start = Instant::now();
        while !self.origins.is_available() {
            let status = self.monitor.status();
            assert!(start.elapsed() < LOADING, "{status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Arc<TrustedOrigin>> {
        self.origins.list(None, usize::MAX, |_| true)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Tries until it succeeds.
pub(crate) async fn insist<T, E: Debug>(what: &str, attempt: impl AsyncFn() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{what}: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The entries of the store, read again.
pub(crate) async fn stored(store: &Arc<dyn Shared>) -> Vec<Arc<TrustedOrigin>> {
    let origins = OriginRegistry::new();
    let mut load = SourceSnapshot::new();
    let at = store.load(&mut load).await.expect("the store answers");
    RegistryWriter::new(&origins).load(load, at).unwrap();
    origins.list(None, usize::MAX, |_| true)
}

/// Store and replicas hold the same, entry by entry, and each replica's lookups say so.
pub(crate) async fn agree(store: &Arc<dyn Shared>, replicas: &[&Following]) {
    let entries = stored(store).await;
    for replica in replicas {
        eventually("the replica holds what the store holds", || {
            replica.entries() == entries
        })
        .await;
        for entry in &entries {
            let fetched = store.fetch(entry.id()).await.expect("it is there");
            assert_eq!(fetched, *entry);
            if let Ok(origin) = entry.pattern().as_str().parse::<Origin>() {
                let is_active = entry.status().as_str() == "ACTIVE";
                assert_eq!(replica.origins.is_trusted(&origin), is_active, "{entry:?}");
            }
        }
    }
}

pub(crate) fn actor(name: &str) -> Actor {
    Actor::new(name).unwrap()
}

pub(crate) fn draft(name: &str) -> OriginDraft {
    let origin = format!("https://{name}.example.com");
    let draft = OriginDraft::new(name, &origin, Scope::Cors).unwrap();
    draft.allow_credentials(true).unwrap()
}

pub(crate) fn origin(name: &str) -> Origin {
    format!("https://{name}.example.com").parse().unwrap()
}
