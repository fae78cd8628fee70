//! How a replica follows its source, until something fails.

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::replica_of::Replica;
use crate::trusted::{
    entry::Version,
    offload,
    source::{Change, ChangeFeed, OriginSource, SourceError, SourceSnapshot},
};

/// However short the staleness is at which the registry fails closed.
const SHORTEST_RESYNC: Duration = Duration::from_millis(10);

/// So many entries are compared elsewhere.
const MANY: usize = 10_000;

impl<S: OriginSource> Replica<S> {
    /// Until something fails; and whether anything has been loaded until then.
    pub(crate) async fn follow<F, T>(&self, sleep: &F) -> (SourceError, bool)
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
            // What is served may be newer: the source has gone back to where it was then.
            Applied::All(Some(version))
                if version == loaded && self.origins.version() == version =>
            {
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

    /// Loads everything until nothing more has to be loaded, and returns the source's version.
    ///
    /// A loop: a bulk job sends a reload with each of its statements, thousands of them while one
    /// load is under way, and a stack frame for each would end the process.
    async fn load<F, T>(
        &self,
        feed: &mut ChangeFeed,
        mut meanwhile: Meanwhile,
        sleep: &F,
    ) -> Result<Version, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        loop {
            match self.load_all(feed, meanwhile, sleep).await? {
                Loaded::All(version) => return Ok(version),
                Loaded::MoreToLoad => meanwhile = Meanwhile::Wait,
            }
        }
    }

    /// Loads everything once.
    async fn load_all<F, T>(
        &self,
        feed: &mut ChangeFeed,
        mut meanwhile: Meanwhile,
        sleep: &F,
    ) -> Result<Loaded, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let mut load = SourceSnapshot::new();
        // As many as come within the time that a load may take.
        let mut since = Vec::new();
        // A feed that fails meanwhile is no reason to throw the load away.
        let mut broken = None;
        let version = {
            let mut loading = pin!(within(self.timeout, sleep, self.source.load(&mut load)));
            loop {
                let next = pin!(next(feed, &mut broken));
                match select(loading.as_mut(), next).await {
                    Either::Left((version, _)) => break version?,
                    Either::Right((change, _)) => {
                        if change.is_reload() {
                            // What comes behind it is only served together with what it is for.
                            meanwhile = Meanwhile::Wait;
                        }
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
                let next = pin!(next(feed, &mut broken));
                match select(serving.as_mut(), next).await {
                    Either::Left((served, _)) => break served?,
                    Either::Right((change, _)) => since.push(change),
                }
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        wants_more |= since.iter().any(|c| c.is_reload() && c.version() > version);
        if wants_more {
            // The next load has all that has come so far.
            return Ok(Loaded::MoreToLoad);
        }
        for change in since {
            self.apply(change);
        }
        Ok(Loaded::All(version))
    }

    pub(crate) async fn serve(
        &self,
        load: SourceSnapshot,
        version: Version,
    ) -> Result<(), SourceError> {
        let origins = self.origins.clone();
        let served = if load.len().max(origins.len()) > MANY {
            // Comparing so many would block a thread of the runtime.
            offload(move || origins.apply_load(load, version))
                .await
                .map_err(SourceError::new)?
        } else {
            origins.apply_load(load, version)
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

/// What one load has come to.
enum Loaded {
    /// The registry serves what the source held at this version, and what came after it.
    All(Version),
    /// A reload came meanwhile, for something that this load does not have.
    MoreToLoad,
}

enum Applied<V> {
    All(V),
    Reload,
}

/// The next change. Once the feed has failed, none comes any more.
async fn next(feed: &mut ChangeFeed, broken: &mut Option<SourceError>) -> Change {
    if broken.is_none() {
        match change_of(feed.next().await) {
            Ok(change) => return change,
            Err(error) => *broken = Some(error),
        }
    }
    pending().await
}

fn change_of(next: Option<Result<Change, SourceError>>) -> Result<Change, SourceError> {
    next.unwrap_or_else(|| Err(SourceError::new("the feed has ended")))
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
