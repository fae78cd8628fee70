use std::{
    convert::Infallible,
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::{ChangeFeed, Load, OriginSource, SourceError, TrustedOrigins};

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
/// It watches, loads, applies changes as they come, loads the whole again every now and then, and
/// begins anew after a failure, later each time. [`run`](Self::run) is a future for the
/// application to spawn, on whatever runtime it has.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::trusted::{EmbeddedStore, Replica, TrustedOrigins, WhenStale};
///
/// # async fn start(store: EmbeddedStore) -> Result<(), tower_cors::trusted::SourceError> {
/// let origins = TrustedOrigins::new();
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
    source: S,
    origins: TrustedOrigins,
    resync_every: Duration,
    timeout: Duration,
    retry: (Duration, Duration),
    status: Arc<Mutex<ReplicaStatus>>,
}

const RESYNC: Duration = Duration::from_secs(30);

impl<S: OriginSource> Replica<S> {
    /// A replica of `source` in `origins`, which must have no other source.
    pub fn new(source: S, origins: TrustedOrigins, when_stale: WhenStale) -> Self {
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
            status: Arc::default(),
        }
    }

    /// How often everything is loaded anew, against what a feed may have lost. Default: every 30
    /// seconds, or three times within the staleness at which the registry fails closed: a feed
    /// that is silent does not keep it open unless it sends
    /// [`Change::Current`](super::Change::Current).
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
        ReplicaMonitor {
            status: Arc::clone(&self.status),
        }
    }

    /// Loads what the source holds, once.
    ///
    /// # Errors
    ///
    /// The source is out of reach, or has gone back in time; what was served still is.
    pub async fn load_once(&self) -> Result<(), SourceError> {
        let result = self.load().await;
        if let Err(error) = &result {
            lock(&self.status).fail(error);
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
            lock(&self.status).fail(&error);
            if has_followed {
                wait = first;
            }
            sleep(wait + chance(wait)).await;
            wait = wait.saturating_mul(2).min(longest);
        }
    }

    /// Until something fails; and whether anything has been loaded until then.
    async fn follow<F, T>(&self, sleep: &F) -> (SourceError, bool)
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let opened = async {
            // First the feed, so that what is committed during the load is not missed.
            let feed = within(self.timeout, sleep, self.source.watch()).await?;
            within(self.timeout, sleep, self.load()).await?;
            Ok(feed)
        };
        match opened.await {
            Ok(feed) => (self.apply_all(feed, sleep).await, true),
            Err(error) => (error, false),
        }
    }

    async fn apply_all<F, T>(&self, mut feed: ChangeFeed, sleep: &F) -> SourceError
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let mut resync = Box::pin(sleep(self.resync_every));
        loop {
            // The timer first, so that a flood of changes does not put off the resync for ever.
            match select(resync.as_mut(), feed.next()).await {
                Either::Left(((), _)) => {
                    if let Err(error) = within(self.timeout, sleep, self.load()).await {
                        return error;
                    }
                    resync = Box::pin(sleep(self.resync_every));
                }
                Either::Right((Some(Ok(change)), _)) => {
                    if self.origins.apply(change) {
                        lock(&self.status).changes += 1;
                    }
                }
                Either::Right((Some(Err(error)), _)) => return error,
                Either::Right((None, _)) => return SourceError::new("the feed has ended"),
            }
        }
    }

    async fn load(&self) -> Result<(), SourceError> {
        let mut load = Load::new();
        let version = self.source.load(&mut load).await?;
        self.origins
            .apply_load(load, version)
            .map_err(SourceError::new)?;
        lock(&self.status).loaded();
        Ok(())
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

async fn within<V, F, T>(
    timeout: Duration,
    sleep: &F,
    future: impl Future<Output = Result<V, SourceError>> + Send,
) -> Result<V, SourceError>
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    let future: Pin<Box<dyn Future<Output = Result<V, SourceError>> + Send + '_>> =
        Box::pin(future);
    match select(future, Box::pin(sleep(timeout))).await {
        Either::Left((result, _)) => result,
        Either::Right(((), _)) => Err(SourceError::new(format_args!(
            "no answer within {timeout:?}"
        ))),
    }
}

/// Up to half of the time.
fn chance(wait: Duration) -> Duration {
    let percent = u32::try_from(RandomState::new().hash_one(0) % 50).unwrap_or_default();
    wait * percent / 100
}

/// How it goes with a [`Replica`]. Cloning is one reference count.
#[derive(Clone, Debug)]
pub struct ReplicaMonitor {
    status: Arc<Mutex<ReplicaStatus>>,
}

impl ReplicaMonitor {
    /// How it goes now.
    pub fn status(&self) -> ReplicaStatus {
        lock(&self.status).clone()
    }
}

/// How it goes with a [`Replica`]. Version, staleness and invalid rows are the registry's to tell.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Whether the source was within reach when it was last needed.
    pub is_connected: bool,
    /// How many times the whole was loaded.
    pub loads: u64,
    /// How many changes the feed has brought.
    pub changes: u64,
    /// How many times something failed.
    pub failures: u64,
    /// What failed last, and when.
    pub last_failure: Option<(SystemTime, SourceError)>,
}

impl ReplicaStatus {
    fn loaded(&mut self) {
        self.is_connected = true;
        self.loads += 1;
    }

    fn fail(&mut self, error: &SourceError) {
        self.is_connected = false;
        self.failures += 1;
        self.last_failure = Some((SystemTime::now(), error.clone()));
    }
}

fn lock(status: &Mutex<ReplicaStatus>) -> MutexGuard<'_, ReplicaStatus> {
    // Nothing panics while it holds the lock.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}
