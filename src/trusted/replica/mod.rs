//! Following a source: [`Replica`] keeps a registry in step with it.

mod follow;
mod monitor;
mod waiting;

use std::{convert::Infallible, fmt, future::Future, time::Duration};

pub use self::monitor::{ReplicaMonitor, ReplicaStatus};
use crate::{
    random,
    trusted::{
        registry::OriginRegistry,
        source::{OriginSource, SourceError, SourceSnapshot},
    },
};

/// How a registry behaves when its source has been out of reach for long. [`Replica`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// It serves the last known entries, however old: the service stays up, and a deactivated origin
    /// may still be trusted.
    KeepLast,
    /// Once it has not been confirmed for this long, it denies everybody, until it is again:
    /// answers have the status 503.
    FailClosedAfter(Duration),
}

/// Keeps a registry in step with an [`OriginSource`].
///
/// It watches, loads, applies changes as they come, loads the whole again every now and then where
/// something has changed, and begins anew after a failure, later each time. [`run`](Self::run) is a
/// future for the application to spawn, on whatever runtime it has.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::trusted::{
///     registry::OriginRegistry,
///     replica::{Replica, WhenStale},
///     store::EmbeddedStore,
/// };
///
/// # async fn start(store: EmbeddedStore) -> Result<(), tower_cors::trusted::source::SourceError> {
/// let origins = OriginRegistry::new();
/// let stale = WhenStale::FailClosedAfter(Duration::from_secs(120));
/// let replica = Replica::new(store, origins.clone(), stale);
///
/// // Optional: fail at start if the source is unreachable. Otherwise the service denies until the
/// // first load.
/// replica.load_once().await?;
/// tokio::spawn(replica.run(tokio::time::sleep));
/// # Ok(())
/// # }
/// ```
#[must_use = "it does nothing until it is run"]
pub struct Replica<S> {
    source: S,
    origins: OriginRegistry,
    resync_every: Duration,
    timeout: Duration,
    retry: (Duration, Duration),
    monitor: ReplicaMonitor,
}

const RESYNC: Duration = Duration::from_secs(30);

impl<S: OriginSource> Replica<S> {
    /// A replica of `source` in `origins`, which must have no other source.
    pub fn new(source: S, origins: OriginRegistry, when_stale: WhenStale) -> Self {
        origins.freshness().set_limit(match when_stale {
            WhenStale::KeepLast => None,
            WhenStale::FailClosedAfter(limit) => Some(limit),
        });
        Self {
            source,
            origins,
            resync_every: match when_stale {
                WhenStale::KeepLast => RESYNC,
                WhenStale::FailClosedAfter(limit) => RESYNC.min(limit / 3),
            },
            timeout: Duration::from_secs(30),
            retry: (Duration::from_millis(100), Duration::from_secs(5)),
            monitor: ReplicaMonitor::default(),
        }
    }

    /// How often everything is loaded again, in case a feed has lost changes, unless the source's
    /// [`position`](OriginSource::position) says that nothing has changed. Default: every 30
    /// seconds, or three times within the staleness at which the registry fails closed: a feed
    /// that is silent does not keep it open unless it sends
    /// [`Change::Current`](crate::trusted::source::Change::Current).
    ///
    /// Changes are applied while the rest is loaded.
    pub fn resync_every(mut self, period: Duration) -> Self {
        self.resync_every = period;
        self
    }

    /// How long the source may be silent: until a feed is open, until it has said where it is, and
    /// between two rows of a load. A load that goes on may take as long as it takes. Its silence is
    /// noticed after at most twice this time. Default: 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long to wait after the first failure, and at most after many. Default: 100
    /// milliseconds, doubled each time, and 5 seconds. Some chance is added, so that replicas do
    /// not come back all at once.
    pub fn retry(mut self, first: Duration, longest: Duration) -> Self {
        self.retry = (first, longest.max(first));
        self
    }

    /// Tells how it goes, while [`run`](Self::run) runs elsewhere.
    pub fn monitor(&self) -> ReplicaMonitor {
        self.monitor.clone()
    }

    /// Loads what the source holds, once. This takes as long as the source takes: give it a limit
    /// with the runtime's timer, as `tokio::time::timeout`.
    ///
    /// # Errors
    ///
    /// The source is out of reach, or has gone back in time; what was served still is.
    pub async fn load_once(&self) -> Result<(), SourceError> {
        let load = async {
            let begun = self.origins.freshness().now();
            let mut load = SourceSnapshot::new();
            let at = self.source.load(&mut load).await?;
            self.serve(load, at, begun).await
        };
        let result = load.await;
        if let Err(error) = &result {
            self.fail(error);
        }
        result
    }

    fn fail(&self, error: &SourceError) {
        let time = self.origins.freshness().time();
        self.monitor.lock().fail(time, error);
    }

    /// Follows the source for ever. `sleep` is the runtime's, as `tokio::time::sleep`.
    ///
    /// Dropping the future ends the replica; the registry turns stale then.
    pub async fn run<F, T>(self, sleep: F) -> Infallible
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let (first, longest) = self.retry;
        let mut wait = first;
        loop {
            let (error, has_followed) = self.follow(&sleep).await;
            self.fail(&error);
            if has_followed {
                wait = first;
            }
            sleep(wait + jitter(wait)).await;
            wait = wait.saturating_mul(2).min(longest);
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Replica<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("source", &self.source)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

/// Up to half of the time, by chance, so that replicas do not all come back at once.
fn jitter(wait: Duration) -> Duration {
    let percent = u32::try_from(random::number() % 50).unwrap_or_default();
    wait * percent / 100
}
