//! A source that the tests break, and a replica that follows it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::stream;
use tokio::sync::{Semaphore, mpsc};
use tower_cors::trusted::{
    entry::{EntryError, OriginRecord, Version},
    registry::OriginRegistry,
    replica::{Replica, ReplicaMonitor, WhenStale},
    source::{
        Change, ChangeFeed, HistoryId, OriginSource, Position, SourceError, SourceFuture,
        SourceRow, SourceSnapshot,
    },
};

use super::{admin, entries, origin};

/// A store under the test's control: it breaks, loses changes, and has invalid rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Source(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) version: u64,
    pub(super) rows: BTreeMap<u64, OriginRecord>,
    pub(super) junk: Vec<String>,
    pub(super) is_down: bool,
    pub(super) hangs: bool,
    pub(super) feeds: Vec<mpsc::UnboundedSender<Result<Change, SourceError>>>,
    /// Committed by somebody between the opening of the feed and the load.
    pub(super) before_load: Option<u64>,
    /// Committed by somebody between the end of a load and its being served.
    pub(super) after_load: Option<u64>,
    /// Whether it says its position without a load.
    pub(super) tells_position: bool,
    /// The id of its history, if it has one.
    pub(super) history: Option<String>,
    /// A load goes on when there is a permit.
    pub(super) gate: Option<Arc<Semaphore>>,
    /// How many loads have come to the gate.
    pub(super) at_gate: u64,
    /// Whether a load reads the rows behind the gate, not before it.
    pub(super) reads_behind_gate: bool,
    /// How long the source takes for each row of a load.
    pub(super) row_takes: Option<Duration>,
    /// For how many loads somebody else changes many rows while each is under way.
    pub(super) bulk_edits: u64,
}

pub(super) fn record(id: u64, version: u64) -> OriginRecord {
    let id = format!("{id:016x}");
    let mut record = OriginRecord::new(&id, &id, &format!("https://app-{id}.example"));
    record.version = version;
    record.scopes = vec!["CORS".to_owned()];
    record
}

pub(super) fn app(id: u64) -> tower_cors::Origin {
    origin(&format!("https://app-{id:016x}.example"))
}

impl State {
    pub(super) fn put(&mut self, id: u64) {
        self.version += 1;
        let record = record(id, self.version);
        self.rows.insert(id, record.clone());
        self.tell(record.into());
    }

    /// An entry whose pages may show the service in a frame, and do nothing else.
    pub(super) fn frame(&mut self, id: u64) {
        self.version += 1;
        let mut record = record(id, self.version);
        record.scopes = vec!["IFRAME_EMBED".to_owned()];
        self.rows.insert(id, record.clone());
        self.tell(record.into());
    }

    /// Where the store is.
    fn at(&self) -> Position {
        let at = Position::new(Version::new(self.version));
        match &self.history {
            Some(history) => at.with_history(HistoryId::new(history.as_str())),
            None => at,
        }
    }

    pub(super) fn tell(&mut self, row: SourceRow) {
        let at = self.at();
        self.send(&Change::Put { at, row });
    }

    pub(super) fn delete(&mut self, id: u64) {
        self.version += 1;
        self.rows.remove(&id);
        let at = self.at();
        let id = format!("{id:016x}").parse().unwrap();
        let by = Some(admin());
        self.send(&Change::Delete { at, id, by });
    }

    /// Many rows at once, of which the feed does not tell one by one.
    pub(super) fn put_many(&mut self, ids: std::ops::Range<u64>) {
        self.version += 1;
        let version = self.version;
        let rows = ids.map(|id| (id, record(id, version)));
        self.rows.extend(rows);
        let at = self.at();
        self.send(&Change::Reload { at });
    }

    fn edits_in_bulk(&mut self) -> bool {
        let Some(left) = self.bulk_edits.checked_sub(1) else {
            return false;
        };
        self.bulk_edits = left;
        self.put_many(1..2);
        true
    }

    /// Says that there is nothing else.
    pub(super) fn current(&mut self) {
        let at = self.at();
        let age = Duration::ZERO;
        self.send(&Change::Current { at, age });
    }

    fn send(&mut self, change: &Change) {
        self.feeds
            .retain(|feed| feed.send(Ok(change.clone())).is_ok());
    }
}

impl Source {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    fn check(&self) -> Result<(), SourceError> {
        if self.with(|state| state.is_down) {
            Err(SourceError::new("the store is down"))
        } else {
            Ok(())
        }
    }
}

impl Source {
    fn read(&self, load: &mut SourceSnapshot) -> Position {
        self.with(|state| {
            for record in state.rows.values() {
                load.push(record.clone());
            }
            for key in &state.junk {
                load.push(SourceRow::Invalid {
                    key: key.clone(),
                    error: EntryError::Form("not JSON".to_owned()),
                });
            }
            state.at()
        })
    }

    async fn pass_gate(&self) -> Result<(), SourceError> {
        if let Some(gate) = self.with(|state| state.gate.clone()) {
            self.with(|state| state.at_gate += 1);
            gate.acquire().await.map_err(SourceError::new)?.forget();
        }
        Ok(())
    }
}

impl OriginSource for Source {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        Box::pin(async move {
            self.check()?;
            if self.with(|state| state.hangs) {
                std::future::pending::<()>().await;
            }
            let (sender, receiver) = mpsc::unbounded_channel();
            self.with(|state| state.feeds.push(sender));
            let feed = stream::unfold(receiver, |mut receiver| async {
                // Without tokio's budget, which would end a load early now and then.
                let next = tokio::task::unconstrained(receiver.recv()).await?;
                Some((next, receiver))
            });
            Ok(Box::pin(feed) as ChangeFeed)
        })
    }

    fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
        Box::pin(async move {
            self.check()?;
            if let Some(id) = self.with(|state| state.before_load.take()) {
                self.with(|state| state.put(id));
            }
            if self.with(|state| state.reads_behind_gate) {
                self.pass_gate().await?;
                return Ok(self.read(load));
            }
            let at = self.read(load);
            if let Some(time) = self.with(|state| state.row_takes) {
                for _ in 0..load.len() {
                    tokio::time::sleep(time).await;
                    load.note_progress();
                }
            }
            if self.with(State::edits_in_bulk) {
                // The feed is read before the load comes to its end.
                tokio::task::yield_now().await;
            }
            self.pass_gate().await?;
            if let Some(id) = self.with(|state| state.after_load.take()) {
                self.with(|state| state.put(id));
            }
            Ok(at)
        })
    }

    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        Box::pin(async move {
            self.check()?;
            Ok(self.with(|state| state.tells_position.then(|| state.at())))
        })
    }
}

pub(super) struct Follower {
    pub(super) source: Source,
    pub(super) origins: OriginRegistry,
    pub(super) monitor: ReplicaMonitor,
    pub(super) task: tokio::task::JoinHandle<std::convert::Infallible>,
}

impl Follower {
    pub(super) fn start(source: Source, when_stale: WhenStale) -> Self {
        Self::start_with(source, when_stale, Duration::from_secs(3600))
    }

    pub(super) fn start_with(source: Source, when_stale: WhenStale, resync: Duration) -> Self {
        Self::start_in(OriginRegistry::new(), source, when_stale, resync)
    }

    /// In a registry with a clock of the test's.
    pub(super) fn start_in(
        origins: OriginRegistry,
        source: Source,
        when_stale: WhenStale,
        resync: Duration,
    ) -> Self {
        let replica = Replica::new(source.clone(), origins.clone(), when_stale)
            .retry(Duration::from_millis(2), Duration::from_millis(10))
            .resync_every(resync)
            .timeout(if source.with(|state| state.gate.is_some()) {
                // The test opens the gate.
                Duration::from_secs(60)
            } else {
                Duration::from_millis(200)
            });
        let monitor = replica.monitor();
        let task = tokio::spawn(replica.run(tokio::time::sleep));
        Self {
            source,
            origins,
            monitor,
            task,
        }
    }

    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "not {what}: {:?}",
                self.monitor.status()
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(super) async fn until_in_step(&self) {
        self.until("in step", |f| {
            f.source.with(|state| Version::new(state.version)) == f.origins.version()
                && f.origins.is_available()
        })
        .await;
        // Entry by entry.
        let held: Vec<OriginRecord> = self.source.with(|s| s.rows.values().cloned().collect());
        let held: Vec<_> = held.iter().filter_map(|r| r.check().ok()).collect();
        let served: Vec<_> = entries(&self.origins)
            .iter()
            .map(|e| (**e).clone())
            .collect();
        assert_eq!(served, held);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}
