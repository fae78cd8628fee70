use std::{
    convert::Infallible,
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::{
    Change, ChangeFeed, Load, OriginSource, ReplicaMonitor, SourceError, TrustedOrigins, Version,
    offload::offload,
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
    monitor: ReplicaMonitor,
}

const RESYNC: Duration = Duration::from_secs(30);
/// However short the staleness is at which the registry fails closed.
const SHORTEST_RESYNC: Duration = Duration::from_millis(10);
/// So many entries are compared elsewhere.
const MANY: usize = 10_000;

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
            monitor: ReplicaMonitor::new(),
        }
    }

    /// How often everything is loaded anew, against what a feed may have lost, unless the source's
    /// [`version`](OriginSource::version) says that nothing has changed. Default: every 30
    /// seconds, or three times within the staleness at which the registry fails closed: a feed
    /// that is silent does not keep it open unless it sends
    /// [`Change::Current`](super::Change::Current).
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
            let mut load = Load::new();
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

    /// Until something fails; and whether anything has been loaded until then.
    async fn follow<F, T>(&self, sleep: &F) -> (SourceError, bool)
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let opened = async {
            // First the feed, so that what is committed during the load is not missed.
            let mut feed = within(self.timeout, sleep, self.source.watch()).await?;
            let loaded = self.load(&mut feed, Meanwhile::Wait, sleep).await?;
            Ok((feed, loaded))
        };
        match opened.await {
            Ok((feed, loaded)) => (self.apply_all(feed, loaded, sleep).await, true),
            Err(error) => (error, false),
        }
    }

    async fn apply_all<F, T>(
        &self,
        mut feed: ChangeFeed,
        mut loaded: Version,
        sleep: &F,
    ) -> SourceError
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        loop {
            let timer = async {
                sleep(self.resync_every.max(SHORTEST_RESYNC)).await;
                Ok(())
            };
            let resync = match self.applying(&mut feed, timer).await {
                Ok(Applied::All(())) => self.resync(&mut feed, loaded, sleep).await,
                Ok(Applied::Reload) => self.load(&mut feed, Meanwhile::Wait, sleep).await,
                Err(error) => Err(error),
            };
            match resync {
                Ok(version) => loaded = version,
                Err(error) => return error,
            }
        }
    }

    /// Loads, unless the source is sure that nothing has changed since it was `loaded`.
    async fn resync<F, T>(
        &self,
        feed: &mut ChangeFeed,
        loaded: Version,
        sleep: &F,
    ) -> Result<Version, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let asked = Instant::now();
        let answer = within(self.timeout, sleep, self.source.version());
        match self.applying(feed, answer).await? {
            Applied::All(Some(version)) if version == loaded => {
                self.origins.freshness().confirm(asked);
                Ok(loaded)
            }
            Applied::All(_) => self.load(feed, Meanwhile::Apply, sleep).await,
            Applied::Reload => self.load(feed, Meanwhile::Wait, sleep).await,
        }
    }

    /// Applies changes until the future is ready, or until the feed wants a load.
    async fn applying<V>(
        &self,
        feed: &mut ChangeFeed,
        future: impl Future<Output = Result<V, SourceError>> + Send,
    ) -> Result<Applied<V>, SourceError> {
        let mut future = pin!(future);
        loop {
            // The feed second, so that a flood of changes does not put off the future for ever.
            match select(future.as_mut(), feed.next()).await {
                Either::Left((result, _)) => return result.map(Applied::All),
                Either::Right((change, _)) => match change_of(change)? {
                    change if change.is_reload() => return Ok(Applied::Reload),
                    change => self.apply(change),
                },
            }
        }
    }

    fn apply(&self, change: Change) {
        if self.origins.apply(change) {
            self.monitor.lock().changes += 1;
        }
    }

    /// Loads everything, and returns the version of the source then.
    async fn load<F, T>(
        &self,
        feed: &mut ChangeFeed,
        meanwhile: Meanwhile,
        sleep: &F,
    ) -> Result<Version, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let mut load = Load::new();
        // As many as come within the time that a load may take.
        let mut since = Vec::new();
        let version = {
            let mut loading = pin!(within(self.timeout, sleep, self.source.load(&mut load)));
            loop {
                match select(loading.as_mut(), feed.next()).await {
                    Either::Left((version, _)) => break version?,
                    Either::Right((change, _)) => {
                        let change = change_of(change)?;
                        if meanwhile == Meanwhile::Apply {
                            self.apply(change.clone());
                        }
                        since.push(change);
                    }
                }
            }
        };
        // The load must not undo what came after it.
        let mut newer = since.into_iter().filter(|c| c.version() > version);
        let mut wants_more = false;
        for change in newer.by_ref() {
            wants_more = change.is_reload();
            if wants_more {
                break;
            }
            load.apply(change);
        }
        let at = version.max(load.applied);
        let mut since: Vec<Change> = newer.collect();
        {
            let mut serving = pin!(self.serve(load, at));
            loop {
                match select(serving.as_mut(), feed.next()).await {
                    Either::Left((served, _)) => break served?,
                    Either::Right((change, _)) => since.push(change_of(change)?),
                }
            }
        }
        wants_more |= since.iter().any(|c| c.is_reload() && c.version() > version);
        if wants_more {
            // It has all that has come so far.
            return Box::pin(self.load(feed, Meanwhile::Wait, sleep)).await;
        }
        for change in since {
            self.apply(change);
        }
        Ok(version)
    }

    async fn serve(&self, load: Load, version: Version) -> Result<(), SourceError> {
        let origins = self.origins.clone();
        let served = match load.len().max(origins.len()) > MANY {
            // Comparing takes its time, which the runtime's threads have not.
            true => offload(move || origins.apply_load(load, version)).await?,
            false => origins.apply_load(load, version),
        };
        served.map_err(SourceError::new)?;
        self.monitor.lock().loaded();
        Ok(())
    }
}

/// What becomes of changes that come while everything is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// They are served at once: the registry has missed nothing before them.
    Apply,
    /// They wait for the load, which has what came before them.
    Wait,
}

enum Applied<V> {
    All(V),
    Reload,
}

fn change_of(next: Option<Result<Change, SourceError>>) -> Result<Change, SourceError> {
    next.unwrap_or_else(|| Err(SourceError::new("the feed has ended")))
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
