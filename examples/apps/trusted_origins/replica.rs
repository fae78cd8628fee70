//! One replica of the service: its registry, and the requests that it has refused.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use axum::{
    extract::{Request, State},
    http::header::ORIGIN,
    middleware::Next,
    response::Response,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tower_cors::{
    Denial, DenialKind,
    trusted::{
        self,
        entry::Version,
        registry::OriginRegistry,
        replica::{ReplicaMonitor, WhenStale},
    },
};

use crate::backend::Shared;

/// How long a replica serves without news from its store. `WhenStale::KeepLast` would keep it up for
/// longer, with entries that may have been deactivated since.
const MAX_STALENESS: Duration = Duration::from_secs(15 * 60);

/// How long a start waits for the store.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many refusals are kept.
const REFUSALS: usize = 20;

pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Shared>,
    pub(crate) origins: OriginRegistry,
    monitor: ReplicaMonitor,
    refusals: Mutex<Refusals>,
}

#[derive(Default)]
struct Refusals {
    count: u64,
    last: VecDeque<Value>,
}

impl Replica {
    /// Follows the store from now on.
    pub(crate) async fn start(address: SocketAddr, store: Arc<dyn Shared>) -> Arc<Self> {
        let origins = OriginRegistry::new();
        let stale = WhenStale::FailClosedAfter(MAX_STALENESS);
        let replica = trusted::replica::Replica::new(Arc::clone(&store), origins.clone(), stale);
        let monitor = replica.monitor();
        // A store that is away does not keep the service from starting: it refuses until then.
        match timeout(PATIENCE, replica.load_once()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("the store cannot be read yet: {error}"),
            Err(_) => eprintln!("the store has not been read yet"),
        }
        tokio::spawn(replica.run(tokio::time::sleep));
        Arc::new(Self {
            address,
            store,
            origins,
            monitor,
            refusals: Mutex::default(),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits a little until the replica serves the version, so that administrators see what they
    /// have just done.
    pub(crate) async fn serves(&self, version: Version) {
        for _ in 0..200 {
            if self.origins.version() >= version {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// For the admin page.
    pub(crate) fn status(&self) -> Value {
        let status = self.monitor.status();
        let staleness = self.origins.staleness();
        let refusals = self.refusals();
        json!({
            "url": self.url(),
            "version": self.origins.version().number(),
            "entries": self.origins.len(),
            "available": self.origins.is_available(),
            "connected": status.is_connected,
            "stalenessMillis": staleness.map(|staleness| staleness.as_millis()),
            "lastFailure": status.last_failure.map(|(_, error)| error.to_string()),
            "invalidRows": self.origins.invalid_rows(),
            "firstInvalidRows": self
                .origins
                .invalid_rows_up_to(5)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            "refused": refusals.count,
            "lastRefusals": refusals.last,
        })
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        // A list that is shown to people is good enough after a panic elsewhere.
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, refusal: Value) {
        let mut refusals = self.refusals();
        refusals.count += 1;
        refusals.last.truncate(REFUSALS - 1);
        refusals.last.push_front(refusal);
    }
}

/// Keeps the refusals of the CORS layer inside for the admin page. Clients do not see them.
pub(crate) async fn note_refusals(
    State(replica): State<Arc<Replica>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if let Some(denial) = response.extensions().get::<Denial>() {
        let origin = origin.as_ref().map(|origin| origin.as_bytes());
        let origin = String::from_utf8_lossy(origin.unwrap_or_default());
        let millis = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        replica.refused(json!({
            "at": u64::try_from(millis.as_millis()).unwrap_or_default(),
            "origin": origin.chars().take(200).collect::<String>(),
            "request": format!("{method} {}", path.chars().take(200).collect::<String>()),
            "reason": in_plain_words(denial),
        }));
    }
    response
}

/// Why a page was refused, in the words of the admin page. `Denial` speaks of the layer's settings,
/// which administrators do not know.
fn in_plain_words(denial: &Denial) -> String {
    match denial.kind() {
        DenialKind::OriginNotAllowed => "no active entry trusts this origin with calls".to_owned(),
        DenialKind::OpaqueOrigin => {
            "the page has no origin of its own, as in a sandboxed frame, so no entry can name it"
                .to_owned()
        }
        DenialKind::Unavailable => {
            "this replica has not heard from its store for too long, and refuses everybody"
                .to_owned()
        }
        _ => denial.to_string(),
    }
}

/// The replicas of this process, for the admin page.
pub(crate) type Replicas = Arc<Vec<Arc<Replica>>>;
