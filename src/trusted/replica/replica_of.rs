use std::{
    convert::Infallible,
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use super::monitor::ReplicaMonitor;
use crate::trusted::{
    registry::OriginRegistry,
    source::{OriginSource, SourceError, SourceSnapshot},
};

/// What a registry does when its source has been out of reach for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one has to be chosen, knowing the other"
)]
pub enum WhenStale {
    /// It serves what it knew last, however old: the service stays up, and a deactivated origin
    /// may still be trusted.
    KeepLast,
    /// Once it has not been confirmed for this long, it denies everybody, until it is again:
    /// answers have the status 503.
    FailClosedAfter(Duration),
}

/// Keeps a registry in step with an [`OriginSource`].
///
/// It watches, loads, applies changes as they come, loads the whole again every now and then where
/// something has changed, and begins anew after a failure, later each time. [`run`](Self::run) is a future for the
/// application to spawn, on whatever runtime it has.
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
/// // Not to start without the source is a choice; else the service denies until it is there.
/// replica.load_once().await?;
/// tokio::spawn(replica.run(tokio::time::sleep));
/// # Ok(())
/// # }
/// ```
pub struct Replica<S> {
    pub(crate) source: S,
    pub(crate) origins: OriginRegistry,
    pub(crate) resync_every: Duration,
    pub(crate) timeout: Duration,
    retry: (Duration, Duration),
    pub(crate) monitor: ReplicaMonitor,
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
            monitor: ReplicaMonitor::new(),
        }
    }

    /// How often everything is loaded anew, against what a feed may have lost, unless the source's
    /// [`version`](OriginSource::version) says that nothing has changed. Default: every 30
    /// seconds, or three times within the staleness at which the registry fails closed: a feed
    /// that is silent does not keep it open unless it sends
    /// [`Change::Current`](crate::trusted::source::Change::Current).
    ///
    /// Changes are applied while the rest is loaded.
    #[must_use]
    pub fn resync_every(mut self, period: Duration) -> Self {
        self.resync_every = period;
        self
    }

    /// How long opening a feed, and loading, may take. Default: 30 seconds each.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long to wait after the first failure, and at most after many. Default: 100
    /// milliseconds, doubled each time, and 5 seconds. Some chance is added, so that replicas do
    /// not come back all at once.
    #[must_use]
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
            let mut load = SourceSnapshot::new();
            let version = self.source.load(&mut load).await?;
            self.serve(load, version).await
        };
        let result = load.await;
        if let Err(error) = &result {
            self.monitor.lock().fail(error);
        }
        result
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
            self.monitor.lock().fail(&error);
            if has_followed {
                wait = first;
            }
            sleep(wait + chance(wait)).await;
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

/// Up to half of the time.
fn chance(wait: Duration) -> Duration {
    let percent = u32::try_from(RandomState::new().hash_one(0) % 50).unwrap_or_default();
    wait * percent / 100
}
