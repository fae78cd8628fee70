//! How a replica follows its source, until something fails.

use std::{
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::{
    Replica,
    waiting::{Behind, Waiting},
};
use crate::trusted::{
    offload,
    source::{Change, ChangeFeed, OriginSource, Position, Progress, SourceError, SourceSnapshot},
};

/// The shortest pause between two resyncs, however short the staleness at which the registry fails
/// closed.
const SHORTEST_RESYNC: Duration = Duration::from_millis(10);

/// Diff more entries than this on another thread.
const OFFLOAD_FROM: usize = 10_000;

impl<S: OriginSource> Replica<S> {
    /// Follows the source until something fails, and says whether anything was loaded until then.
    pub(super) async fn follow<F, T>(&self, sleep: &F) -> (SourceError, bool)
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let opened = async {
            // First the feed, so that a change that is committed during the load is not missed.
            let mut feed = self.within(sleep, self.source.watch()).await?;
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
        mut loaded: Position,
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
                Ok(at) => loaded = at,
                Err(error) => return error,
            }
        }
    }

    /// Loads, unless the source is sure that nothing has changed since it was `loaded`.
    async fn resync<F, T>(
        &self,
        feed: &mut ChangeFeed,
        loaded: Position,
        sleep: &F,
    ) -> Result<Position, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        let asked = self.origins.freshness().now();
        let answer = self.within(sleep, self.source.position());
        match self.applying(feed, answer).await? {
            // The registry may be ahead of the answer by now, and is not confirmed by it then.
            Applied::All(Some(at)) if at == loaded && at == self.origins.position() => {
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
                Either::Right((change, _)) => match self.received(change)? {
                    change if change.is_reload() => return Ok(Applied::Reload),
                    change => self.apply(change, self.origins.freshness().now()),
                },
            }
        }
    }

    fn apply(&self, change: Change, received: Duration) {
        if self.origins.apply(change, received) {
            self.monitor.lock().changes += 1;
        }
    }

    /// Loads everything until nothing more has to be loaded, and says where the source was.
    ///
    /// A loop: a bulk job sends a reload with each of its statements, thousands of them while one
    /// load is under way, and a stack frame for each would end the process.
    async fn load<F, T>(
        &self,
        feed: &mut ChangeFeed,
        mut meanwhile: Meanwhile,
        sleep: &F,
    ) -> Result<Position, SourceError>
    where
        F: Fn(Duration) -> T + Send + Sync,
        T: Future<Output = ()> + Send,
    {
        loop {
            match self.load_all(feed, meanwhile, sleep).await? {
                Loaded::All(at) => return Ok(at),
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
        let begun = self.origins.freshness().now();
        let mut load = SourceSnapshot::new();
        let mut waiting = Waiting::default();
        // If the feed fails meanwhile, the load is kept.
        let mut broken = None;
        let at = {
            let progress = load.progress();
            let loading = self.source.load(&mut load);
            let mut loading = pin!(self.while_it_answers(sleep, progress, loading));
            loop {
                let next = pin!(self.next(feed, &mut broken));
                match select(loading.as_mut(), next).await {
                    Either::Left((at, _)) => break at?,
                    Either::Right((change, _)) => {
                        if change.is_reload() {
                            // Changes behind a reload are served together with the load.
                            meanwhile = Meanwhile::Wait;
                        }
                        let received = self.origins.freshness().now();
                        if meanwhile == Meanwhile::Apply {
                            self.apply(change.clone(), received);
                        }
                        waiting.push(change, received);
                    }
                }
            }
        };
        // The load must not undo what came after it.
        let (newer, behind) = waiting.behind(at.version());
        load.applied = at.clone();
        for change in newer {
            load.apply(change);
        }
        let reached = load.applied.clone();
        if behind == Behind::Reload && reached.version() < self.origins.version() {
            // Too many changes came to keep them all. They are served; this load is too old.
            return Ok(Loaded::MoreToLoad);
        }
        let mut waiting = Waiting::default();
        {
            let mut serving = pin!(self.serve(load, reached, begun));
            loop {
                let next = pin!(self.next(feed, &mut broken));
                match select(serving.as_mut(), next).await {
                    Either::Left((served, _)) => break served?,
                    Either::Right((change, _)) => {
                        waiting.push(change, self.origins.freshness().now());
                    }
                }
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        if behind == Behind::Reload || waiting.has_reload_behind(at.version()) {
            // The next load has all that has come so far.
            return Ok(Loaded::MoreToLoad);
        }
        for (change, received) in waiting.into_changes() {
            self.apply(change, received);
        }
        Ok(Loaded::All(at))
    }

    pub(super) async fn serve(
        &self,
        load: SourceSnapshot,
        at: Position,
        begun: Duration,
    ) -> Result<(), SourceError> {
        let origins = self.origins.clone();
        let is_other_history = origins.position().contradicts(&at);
        let served = if load.len().max(origins.len()) > OFFLOAD_FROM {
            // Comparing so many would block a thread of the runtime.
            offload(move || origins.apply_load(load, &at, begun))
                .await
                .map_err(SourceError::new)?
        } else {
            origins.apply_load(load, &at, begun)
        };
        served.map_err(SourceError::new)?;
        let mut status = self.monitor.lock();
        status.loaded();
        status.histories += u64::from(is_other_history);
        Ok(())
    }

    /// The next change. Once the feed has failed, none comes any more.
    async fn next(&self, feed: &mut ChangeFeed, broken: &mut Option<SourceError>) -> Change {
        if broken.is_none() {
            match self.received(feed.next().await) {
                Ok(change) => return change,
                Err(error) => *broken = Some(error),
            }
        }
        pending().await
    }

    /// The next item of the feed. A change of another history cannot be applied: it becomes a reload.
    fn received(&self, next: Option<Result<Change, SourceError>>) -> Result<Change, SourceError> {
        let change = next.unwrap_or_else(|| Err(SourceError::new("the feed has ended")))?;
        if change.at().contradicts(&self.origins.position()) {
            let at = change.at().clone();
            return Ok(Change::Reload { at });
        }
        Ok(change)
    }

    async fn within<V, F, T>(
        &self,
        sleep: &F,
        future: impl Future<Output = Result<V, SourceError>> + Send,
    ) -> Result<V, SourceError>
    where
        F: Fn(Duration) -> T,
        T: Future<Output = ()>,
    {
        match select(Box::pin(future), Box::pin(sleep(self.timeout))).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(self.silent()),
        }
    }

    /// The same for a load, which may take any time as long as it makes progress.
    async fn while_it_answers<V, F, T>(
        &self,
        sleep: &F,
        progress: Progress,
        future: impl Future<Output = Result<V, SourceError>> + Send,
    ) -> Result<V, SourceError>
    where
        F: Fn(Duration) -> T,
        T: Future<Output = ()>,
    {
        let mut future = Box::pin(future);
        loop {
            let before = progress.count();
            match select(future, Box::pin(sleep(self.timeout))).await {
                Either::Left((result, _)) => return result,
                Either::Right(((), _)) if progress.count() == before => return Err(self.silent()),
                Either::Right(((), unfinished)) => future = unfinished,
            }
        }
    }

    fn silent(&self) -> SourceError {
        let timeout = self.timeout;
        SourceError::new(format_args!("no answer within {timeout:?}"))
    }
}

/// How changes are treated that come while everything is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// Serve them at once: the registry has missed nothing before them.
    Apply,
    /// Keep them until the load has brought the changes before them.
    Wait,
}

/// The result of one load.
enum Loaded {
    /// The registry has the content of the source at this position, and the changes after it.
    All(Position),
    /// A reload came meanwhile, for changes that this load does not have.
    MoreToLoad,
}

enum Applied<V> {
    All(V),
    Reload,
}
