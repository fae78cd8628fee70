//! Trusted origins in a NATS JetStream key-value bucket that replicas share.
//!
//! Each entry is a key, its id, with the entry as JSON. The version of a change is the sequence
//! number of its message in the bucket's stream. An edit is one message, which the stream takes
//! only if no other came since the editor looked (`Nats-Expected-Last-Sequence`); so of two who
//! race for a name one wins, whoever crashes when. Every editor therefore keeps the entries in
//! memory, from its first edit on. Keys may be put by hand; what is no entry is skipped by the
//! replicas, counted and reported. Two keys with one name are two entries that are both served.
//!
//! What is deleted leaves a message behind, which tells who it was, and which loads skip. Where the
//! entries of years are too many, an operator purges those (`nats kv purge`, with an age).
//!
//! Needs `async-nats` with the features `jetstream` and `kv`, `futures-util`, `tokio` and
//! `tower-cors` with the feature `trusted`. For servers that ask for TLS, add the feature `ring` or
//! `aws-lc-rs` of `async-nats`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    ops::Bound,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_nats::{
    ConnectOptions,
    jetstream::{
        self,
        context::PublishErrorKind,
        kv::{self, Operation, Store, Watch},
        message::PublishMessage,
        stream::{self as stream_of, DiscardPolicy, State, StorageType},
    },
};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::{Mutex, OnceCell},
    task::yield_now,
    time::{Instant, timeout, timeout_at},
};
use tower_cors::trusted::{
    entry::{
        Actor, EntryError, EntryId, OriginDraft, OriginRecord, Status, TrustedOrigin, Version,
    },
    source::{
        Change, ChangeFeed, InvalidRow, OriginSource, SourceError, SourceFuture, SourceRow,
        SourceSnapshot,
    },
    store::{OriginStore, StoreError, StoreFuture},
};

const BUCKET: &str = "trusted-origins";

/// How long the server has for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The same for a load: to find where it begins, the server looks through all entries.
const LOAD_ANSWER: Duration = Duration::from_secs(30);
/// How often a feed asks how far the stream is, and the client whether the server is there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long messages that are announced may take.
const QUIET: Duration = Duration::from_secs(2);
/// How often an edit is tried again when others were faster.
const ATTEMPTS: usize = 64;

/// The bucket, as a store and as a source.
pub(crate) struct NatsOrigins {
    url: String,
    connected: OnceCell<Connected>,
    /// For edits, from the first one on.
    index: Mutex<Option<Index>>,
    /// The last message of the stream, and how many keys there were, when everything was loaded.
    loaded: std::sync::Mutex<Option<(u64, u64)>>,
}

struct Connected {
    context: jetstream::Context,
    bucket: Store,
}

impl NatsOrigins {
    /// The bucket at the server that the address names, as in `nats://host:4222`. Nothing is
    /// connected yet; a bucket that is not there is made.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            connected: OnceCell::new(),
            index: Mutex::new(None),
            loaded: std::sync::Mutex::default(),
        }
    }

    fn loaded(&self) -> MutexGuard<'_, Option<(u64, u64)>> {
        // Nothing panics while it holds the lock.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of its own, whose server has so long for an answer.
    async fn connect(&self, answer: Duration) -> Result<Connected, SourceError> {
        let options = ConnectOptions::new()
            .request_timeout(Some(answer))
            .ping_interval(HEARTBEAT);
        let connecting = timeout(ANSWER, options.connect(&self.url)).await;
        let client = connecting.map_err(|_| silent())?.map_err(failed)?;
        let mut context = jetstream::new(client);
        context.set_timeout(answer);
        let bucket = match context.get_key_value(BUCKET).await {
            Ok(bucket) => bucket,
            Err(_) => {
                context.create_stream(new_bucket()).await.map_err(failed)?;
                context.get_key_value(BUCKET).await.map_err(failed)?
            }
        };
        Ok(Connected { context, bucket })
    }

    /// The connection, which the client makes anew by itself once it was there.
    async fn connected(&self) -> Result<&Connected, SourceError> {
        let connect = || self.connect(ANSWER);
        self.connected.get_or_try_init(connect).await
    }

    /// Begins to read all entries: not on the connection on which the feed waits for answers, and
    /// with the time that this takes.
    async fn open_index(&self) -> Result<Index, SourceError> {
        Index::open(self.connect(LOAD_ANSWER).await?.bucket).await
    }

    /// Brings the index to the end of the stream, and returns the number of the last message.
    async fn catch_up(&self, slot: &mut Option<Index>) -> Result<u64, SourceError> {
        for is_last_attempt in [false, true] {
            let mut index = match slot.take() {
                Some(index) => index,
                None => self.open_index().await?,
            };
            let mut entries = Vec::new();
            let drained = index.drain(|entry| entries.push(entry.clone()));
            let last = match drained.await {
                Ok(last) => last,
                // The reading may have got stuck with a connection that is gone.
                Err(error) if is_last_attempt => return Err(error),
                Err(_) => continue,
            };
            for entry in &entries {
                index.apply(entry);
            }
            // Fewer messages than keys: somebody has purged the stream, which no message tells.
            let state = state(&index.bucket).await?;
            let is_whole = u64::try_from(index.held.len()) == Ok(state.messages);
            if state.last_sequence != last || is_whole {
                // A publication that expects `last` fails where the stream has gone on.
                *slot = Some(index);
                return Ok(last);
            }
        }
        Err(SourceError::new(
            "the bucket keeps more than one value for a key",
        ))
    }

    /// Makes an edit: what `plan` says, seeing all entries, and the version that it will have.
    async fn commit(
        &self,
        plan: impl Fn(&Index, Version) -> Result<Plan, StoreError> + Send + Sync,
    ) -> Result<(Version, Option<Arc<TrustedOrigin>>), StoreError> {
        let Connected { context, bucket } = self.connected().await?;
        let mut slot = self.index.lock().await;
        for _ in 0..ATTEMPTS {
            let last = self.catch_up(&mut slot).await?;
            let index = slot.as_ref().ok_or_else(silent)?;
            let version = Version::new(last).next();
            let (id, message, entry) = match plan(index, version)? {
                Plan::Nothing(entry) => return Ok((entry.version(), Some(entry))),
                Plan::Put(entry) => {
                    let json = OriginRecord::from(&entry).to_json();
                    let message = PublishMessage::build().payload(json.into());
                    (entry.id(), message, Some(Arc::new(entry)))
                }
                Plan::Delete(id, by) => {
                    let message = PublishMessage::build().header("KV-Operation", "DEL");
                    (id, message.payload(by.as_str().to_owned().into()), None)
                }
            };
            let subject = format!("{}{id}", bucket.prefix);
            let publish = context.send_publish(subject, message.expected_last_sequence(last));
            match publish.await.map_err(failed)?.await {
                Ok(_) => return Ok((version, entry)),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {}
                Err(error) => return Err(failed(error).into()),
            }
        }
        Err(SourceError::new("too many others edit").into())
    }

    /// Replaces the content by what `edit` makes of it, if it does.
    async fn edit(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
        edit: impl Fn(&OriginDraft) -> Option<OriginDraft> + Send + Sync,
    ) -> Result<Arc<TrustedOrigin>, StoreError> {
        let plan = |index: &Index, version| {
            index.expect(id, expected)?;
            let before = index.entry(id)?;
            let Some(draft) = edit(before.draft()) else {
                return Ok(Plan::Nothing(Arc::clone(before)));
            };
            let entry = before.replaced(draft, by.clone(), SystemTime::now(), version);
            index.check_unique(Some(before), &entry)?;
            Ok(Plan::Put(entry))
        };
        let (_, entry) = self.commit(plan).await?;
        entry.ok_or(StoreError::NotFound { id })
    }
}

/// The stream of a bucket with one value for each key. `create_key_value` of the client asks the
/// server for more than those before 2.10 know.
fn new_bucket() -> stream_of::Config {
    stream_of::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        max_messages_per_subject: 1,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: 1,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: true,
        ..stream_of::Config::default()
    }
}

/// What an edit comes to.
enum Plan {
    /// It is so already.
    Nothing(Arc<TrustedOrigin>),
    Put(TrustedOrigin),
    Delete(EntryId, Actor),
}

impl OriginStore for NatsOrigins {
    fn create(&self, draft: OriginDraft, by: Actor) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(async move {
            let plan = |index: &Index, version| {
                let now = SystemTime::now();
                let mut id = EntryId::generate(now);
                while index.held.contains_key(&id.to_string()) {
                    id = EntryId::generate(now);
                }
                let entry = TrustedOrigin::created(id, draft.clone(), by.clone(), now, version);
                index.check_unique(None, &entry)?;
                Ok(Plan::Put(entry))
            };
            let (_, entry) = self.commit(plan).await?;
            entry.ok_or_else(|| SourceError::new("nothing was created").into())
        })
    }

    fn fetch(&self, id: EntryId) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(async move {
            let bucket = &self.connected().await?.bucket;
            let entry = bucket.entry(id.to_string()).await.map_err(failed)?;
            let entry = entry.filter(|entry| entry.operation == Operation::Put);
            let entry = entry.ok_or(StoreError::NotFound { id })?;
            let checked = record(&entry).and_then(|record| record.check());
            checked
                .map(Arc::new)
                .map_err(|error| StoreError::Invalid(InvalidRow::new(id, error)))
        })
    }

    fn replace(
        &self,
        id: EntryId,
        expected: Option<Version>,
        draft: OriginDraft,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(self.edit(id, expected, by, move |_| Some(draft.clone())))
    }

    fn set_status(
        &self,
        id: EntryId,
        expected: Option<Version>,
        status: Status,
        by: Actor,
    ) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(self.edit(id, expected, by, move |draft| {
            (draft.status() != status).then(|| draft.clone().with_status(status))
        }))
    }

    fn delete(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
    ) -> StoreFuture<'_, Version> {
        Box::pin(async move {
            let plan = |index: &Index, _| {
                index.expect(id, expected)?;
                Ok(Plan::Delete(id, by.clone()))
            };
            self.commit(plan).await.map(|(version, _)| version)
        })
    }
}

impl OriginSource for NatsOrigins {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        Box::pin(async move {
            let bucket = &self.connected().await?.bucket;
            let seen = state(bucket).await?.last_sequence;
            // From a number on: "new" would forget what comes before the first reconnection.
            let watch = bucket.watch_all_from_revision(seen + 1).await;
            Ok(feed(bucket.clone(), watch.map_err(failed)?, seen))
        })
    }

    fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Version> {
        Box::pin(async move {
            let mut index = self.open_index().await?;
            // Also of what is gone, which is a message, too.
            let mut rows = BTreeMap::new();
            let version = index
                .drain(|entry| {
                    let row = (entry.operation == Operation::Put).then(|| row(entry));
                    rows.insert(entry.key.clone(), row);
                })
                .await?;
            // Not how many messages there are by now: some may have been purged since they came.
            let keys = u64::try_from(rows.len()).map_err(failed)?;
            for (count, row) in rows.into_values().flatten().enumerate() {
                load.push(row);
                if count % 1000 == 999 {
                    // Changes are served between the rows.
                    yield_now().await;
                }
            }
            *self.loaded() = Some((version, keys));
            Ok(Version::new(version))
        })
    }

    fn version(&self) -> SourceFuture<'_, Option<Version>> {
        Box::pin(async move {
            let state = state(&self.connected().await?.bucket).await?;
            // Without a new message there may be fewer: a purge has none.
            let is_same = *self.loaded() == Some((state.last_sequence, state.messages));
            Ok(is_same.then_some(Version::new(state.last_sequence)))
        })
    }
}

/// What the stream brings, and how far it is every now and then.
fn feed(bucket: Store, watch: Watch, seen: u64) -> ChangeFeed {
    let start = Some((bucket, watch, seen, Instant::now() + HEARTBEAT));
    Box::pin(stream::unfold(start, |state_of_feed| async {
        let (bucket, mut watch, mut seen, mut next) = state_of_feed?;
        let mut missing = None;
        loop {
            match timeout_at(next, watch.next()).await {
                Ok(Some(Ok(entry))) => {
                    seen = seen.max(entry.revision);
                    return Some((change(&entry), Some((bucket, watch, seen, next))));
                }
                Ok(Some(Err(error))) => return Some((Err(failed(error)), None)),
                Ok(None) => return Some((Err(SourceError::new("NATS has closed the feed")), None)),
                Err(_) => {}
            }
            next = Instant::now() + HEARTBEAT;
            let last = match state(&bucket).await {
                Ok(state) => state.last_sequence,
                Err(error) => return Some((Err(error), None)),
            };
            if last <= seen {
                let version = Version::new(last);
                return Some((
                    Ok(Change::Current { version }),
                    Some((bucket, watch, seen, next)),
                ));
            }
            // What was published just now is on its way. If it is not, something is lost.
            if missing.is_some_and(|missing| missing > seen) {
                return Some((Err(SourceError::new("the feed has lost changes")), None));
            }
            missing = Some(last);
        }
    }))
}

/// The entries as an editor knows them.
struct Index {
    bucket: Store,
    watch: Watch,
    /// The last message that was seen.
    seen: u64,
    /// Whether all that there was at the beginning has been seen.
    is_current: bool,
    /// By key, what is gone too: there is one message for each.
    held: HashMap<String, Held>,
    /// Somebody may have given one to several by hand.
    names: BTreeSet<(String, EntryId)>,
    origins: BTreeSet<(String, EntryId)>,
}

struct Held {
    revision: u64,
    is_gone: bool,
    entry: Result<Arc<TrustedOrigin>, EntryError>,
}

impl Index {
    async fn open(bucket: Store) -> Result<Self, SourceError> {
        Ok(Self {
            watch: bucket.watch_with_history(">").await.map_err(failed)?,
            bucket,
            seen: 0,
            is_current: false,
            held: HashMap::new(),
            names: BTreeSet::new(),
            origins: BTreeSet::new(),
        })
    }

    /// Reads until nothing is left, and returns the number of the stream's last message.
    async fn drain(&mut self, mut each: impl FnMut(&kv::Entry)) -> Result<u64, SourceError> {
        let mut goal = if self.is_current {
            state(&self.bucket).await?
        } else {
            info(&self.bucket).await?
        };
        loop {
            if goal.messages == 0 || (self.is_current && self.seen >= goal.last_sequence) {
                return Ok(self.seen.max(goal.last_sequence));
            }
            let was_current = self.is_current;
            match timeout(QUIET, self.watch.next()).await {
                Ok(Some(entry)) => {
                    let entry = entry.map_err(failed)?;
                    self.seen = self.seen.max(entry.revision);
                    // As long as others edit, the server does not say so.
                    self.is_current |= entry.seen_current || self.seen >= goal.last_sequence;
                    each(&entry);
                }
                Ok(None) => return Err(SourceError::new("NATS has closed the feed")),
                // Unless messages were removed from the end of the stream, something is lost.
                Err(_) if last_that_is_there(&self.bucket).await? <= self.seen => {
                    self.is_current = true;
                    return Ok(goal.last_sequence);
                }
                Err(_) => return Err(silent()),
            }
            if self.is_current && !was_current {
                // What was overwritten meanwhile comes at the end.
                goal = info(&self.bucket).await?;
            }
        }
    }

    fn apply(&mut self, entry: &kv::Entry) {
        let before = self.held.remove(&entry.key);
        if let Some(before) = before.and_then(|held| held.entry.ok()) {
            let [name, origin] = taken_by(&before);
            self.names.remove(&name);
            self.origins.remove(&origin);
        }
        let is_gone = entry.operation != Operation::Put;
        let checked = if is_gone {
            Err(EntryError::Form("it is gone".to_owned()))
        } else {
            record(entry).and_then(|record| record.check())
        };
        if let Ok(entry) = &checked {
            let [name, origin] = taken_by(entry);
            self.names.insert(name);
            self.origins.insert(origin);
        }
        let held = Held {
            revision: entry.revision,
            is_gone,
            entry: checked.map(Arc::new),
        };
        self.held.insert(entry.key.clone(), held);
    }

    /// Fails unless the entry is there, at the version that the edit was made from.
    fn expect(&self, id: EntryId, expected: Option<Version>) -> Result<(), StoreError> {
        let held = self.held.get(&id.to_string()).filter(|held| !held.is_gone);
        let held = held.ok_or(StoreError::NotFound { id })?;
        let current = Version::new(held.revision);
        if expected.is_none_or(|expected| expected == current) {
            Ok(())
        } else {
            Err(StoreError::Changed { current })
        }
    }

    fn entry(&self, id: EntryId) -> Result<&Arc<TrustedOrigin>, StoreError> {
        let held = self.held.get(&id.to_string()).filter(|held| !held.is_gone);
        let entry = &held.ok_or(StoreError::NotFound { id })?.entry;
        entry
            .as_ref()
            .map_err(|error| StoreError::Invalid(InvalidRow::new(id, error.clone())))
    }

    /// Checks what `entry` has and `before` had not: what was put by hand may be deactivated,
    /// whatever it has in common with others.
    fn check_unique(
        &self,
        before: Option<&TrustedOrigin>,
        entry: &TrustedOrigin,
    ) -> Result<(), StoreError> {
        let [name, origin] = taken_by(entry);
        let [old_name, old_origin] = match before.map(taken_by) {
            Some(old) => old.map(Some),
            None => [None, None],
        };
        if old_name.as_ref() != Some(&name) && has_other(&self.names, &name) {
            return Err(StoreError::NameTaken { name: name.0 });
        }
        if old_origin.as_ref() != Some(&origin) && has_other(&self.origins, &origin) {
            return Err(StoreError::OriginTaken { origin: origin.0 });
        }
        Ok(())
    }
}

/// The name and the origin of an entry.
fn taken_by(entry: &TrustedOrigin) -> [(String, EntryId); 2] {
    let texts = [entry.name(), entry.pattern().as_str()];
    texts.map(|text| (text.to_owned(), entry.id()))
}

/// Whether another entry has the text, too: those with one text are neighbours.
fn has_other(taken: &BTreeSet<(String, EntryId)>, own: &(String, EntryId)) -> bool {
    let mut before = taken.range((Bound::Unbounded, Bound::Excluded(own)));
    let mut behind = taken.range((Bound::Excluded(own), Bound::Unbounded));
    let neighbours = [before.next_back(), behind.next()];
    neighbours
        .into_iter()
        .flatten()
        .any(|(text, _)| *text == own.0)
}

async fn last_that_is_there(bucket: &Store) -> Result<u64, SourceError> {
    let subject = format!("{}>", bucket.prefix);
    let message = bucket.stream.get_last_raw_message_by_subject(&subject);
    Ok(message.await.map_err(failed)?.sequence)
}

async fn state(bucket: &Store) -> Result<State, SourceError> {
    timeout(ANSWER, info(bucket)).await.map_err(|_| silent())?
}

/// The same within the time of the connection.
async fn info(bucket: &Store) -> Result<State, SourceError> {
    Ok(bucket.stream.get_info().await.map_err(failed)?.state)
}

fn change(entry: &kv::Entry) -> Result<Change, SourceError> {
    let version = Version::new(entry.revision);
    Ok(match (entry.operation, entry.key.parse()) {
        (Operation::Put, _) => Change::Put {
            version,
            row: row(entry),
        },
        (Operation::Delete | Operation::Purge, Ok(id)) => Change::Delete {
            version,
            id,
            by: std::str::from_utf8(&entry.value)
                .ok()
                .and_then(|by| Actor::new(by).ok()),
        },
        // It never was an entry.
        (Operation::Delete | Operation::Purge, Err(_)) => Change::Current { version },
    })
}

fn row(entry: &kv::Entry) -> SourceRow {
    match record(entry) {
        Ok(record) => record.into(),
        Err(error) => SourceRow::Invalid {
            key: entry.key.clone(),
            error,
        },
    }
}

/// What a key holds. The stream says its version, and the key its id.
fn record(entry: &kv::Entry) -> Result<OriginRecord, EntryError> {
    let mut record = OriginRecord::from_json(&entry.value)?;
    if !record.id.is_empty() && record.id != entry.key {
        return Err(EntryError::Id);
    }
    record.id.clone_from(&entry.key);
    record.version = entry.revision;
    Ok(record)
}

fn silent() -> SourceError {
    SourceError::new("NATS does not answer")
}

fn failed(error: impl fmt::Display) -> SourceError {
    SourceError::new(format_args!("NATS: {error}"))
}

impl fmt::Debug for NatsOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may have a password.
        f.debug_struct("NatsOrigins").finish_non_exhaustive()
    }
}
