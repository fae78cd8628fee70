//! Trusted origins in a NATS JetStream key-value bucket that replicas share.
//!
//! Each entry is a key, its id, with the entry as JSON. The version of a change is the sequence
//! number of its message in the bucket's stream, and its history is known by the times of the stream
//! and of the message: a stream that was restored from a backup comes to the same numbers at other
//! times. An edit is one message, which the stream takes
//! only if no other came since the editor looked (`Nats-Expected-Last-Sequence`); so of two
//! editors who race for a name one wins, also if one of them crashes. Every editor therefore keeps the entries in
//! memory, from its first edit on. Keys may be put by hand; invalid ones are skipped by the
//! replicas, counted and reported. Two keys with one name are two entries that are both served.
//!
//! A deletion leaves a message behind, which names the editor. Loads skip it. Where the
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
        stream::{self as stream_of, DiscardPolicy, Info, StorageType},
    },
};
use futures_util::{StreamExt, stream};
use time::OffsetDateTime;
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
        Change, ChangeFeed, HistoryId, InvalidRow, OriginSource, Position, SourceError,
        SourceFuture, SourceRow, SourceSnapshot,
    },
    store::{EntryEdit, OriginStore, StoreError, StoreFuture},
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
        // Not where the server is silent or fails: the bucket may be there then.
        let made = context.get_or_create_stream(new_bucket());
        made.await.map_err(failed)?;
        let bucket = context.get_key_value(BUCKET).await.map_err(failed)?;
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
                None => {
                    // A server that is silent is not given the time of a load.
                    info(&self.connected().await?.bucket).await?;
                    self.open_index().await?
                }
            };
            let mut entries = Vec::new();
            let drained = index.drain(|entry| entries.push(entry.clone()));
            let last = match drained.await {
                Ok(at) => at.version().number(),
                // The reading may have got stuck with a connection that is gone.
                Err(error) if is_last_attempt => return Err(error),
                Err(_) => continue,
            };
            for entry in &entries {
                index.apply(entry);
            }
            // Fewer messages than keys: the stream was purged, which sends no message.
            let state = info(&index.bucket).await?.state;
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
            let entry =
                EntryEdit::new(by.clone(), SystemTime::now(), version).replace(before, draft);
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

/// The effect of an edit.
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
                let edit = EntryEdit::new(by.clone(), SystemTime::now(), version);
                let mut id = EntryId::generate(edit.time());
                while index.held.contains_key(&id.to_string()) {
                    id = EntryId::generate(edit.time());
                }
                let entry = edit.create(id, draft.clone());
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
            let info = info(bucket).await?;
            let seen = info.state.last_sequence;
            // From a number on: "new" would forget what comes before the first reconnection.
            let watch = bucket.watch_all_from_revision(seen + 1).await;
            let feed = Feed {
                bucket: bucket.clone(),
                watch: watch.map_err(failed)?,
                created: info.created,
                seen,
                next: Instant::now() + HEARTBEAT,
            };
            Ok(feed.into_stream())
        })
    }

    fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
        Box::pin(async move {
            let mut index = self.open_index().await?;
            // Also of keys that are gone, which have a message, too.
            let mut rows = BTreeMap::new();
            let at = index
                .drain(|entry| {
                    snapshot.note_progress();
                    let row = (entry.operation == Operation::Put).then(|| row(entry));
                    rows.insert(entry.key.clone(), row);
                })
                .await?;
            // Not how many messages there are by now: some may have been purged since they came.
            let keys = u64::try_from(rows.len()).map_err(failed)?;
            for (count, row) in rows.into_values().flatten().enumerate() {
                snapshot.push(row);
                if count % 1000 == 999 {
                    // Changes are served between the rows.
                    yield_now().await;
                }
            }
            *self.loaded() = Some((at.version().number(), keys));
            Ok(at)
        })
    }

    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        Box::pin(async move {
            let info = info(&self.connected().await?.bucket).await?;
            // Without a new message there may be fewer: a purge has none.
            let counts = (info.state.last_sequence, info.state.messages);
            let is_same = *self.loaded() == Some(counts);
            Ok(is_same.then(|| end_of(&info)))
        })
    }
}

/// Where the stream ends.
fn end_of(info: &Info) -> Position {
    at(
        info.created,
        info.state.last_sequence,
        info.state.last_timestamp,
    )
}

/// The message with this number and time, in the stream that was created then.
fn at(created: OffsetDateTime, sequence: u64, time: OffsetDateTime) -> Position {
    let (created, time) = (created.unix_timestamp_nanos(), time.unix_timestamp_nanos());
    let history = HistoryId::new(format!("{created}.{time}"));
    Position::new(Version::new(sequence)).with_history(history)
}

/// The messages of the stream, and every now and then a confirmation of how far it is.
struct Feed {
    bucket: Store,
    watch: Watch,
    /// When the stream was made.
    created: OffsetDateTime,
    /// The last message that was seen.
    seen: u64,
    /// When the stream is to be asked.
    next: Instant,
}

impl Feed {
    fn into_stream(self) -> ChangeFeed {
        Box::pin(stream::unfold(Some(self), |feed| async {
            let mut feed = feed?;
            match feed.next().await {
                Ok(change) => Some((Ok(change), Some(feed))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    async fn next(&mut self) -> Result<Change, SourceError> {
        let mut missing = None;
        loop {
            match timeout_at(self.next, self.watch.next()).await {
                Ok(Some(entry)) => {
                    let entry = entry.map_err(failed)?;
                    self.seen = self.seen.max(entry.revision);
                    return Ok(change(self.created, &entry));
                }
                Ok(None) => return Err(SourceError::new("NATS has closed the feed")),
                Err(_) => {}
            }
            let asked = Instant::now();
            self.next = asked + HEARTBEAT;
            let info = info(&self.bucket).await?;
            let last = info.state.last_sequence;
            if last <= self.seen {
                return Ok(Change::Current {
                    at: end_of(&info),
                    // It was true when the question was asked, or a little later.
                    age: asked.elapsed(),
                });
            }
            // Messages that were published just now may be on the way. If they do not come, the feed
            // has lost them.
            if missing.is_some_and(|missing| missing > self.seen) {
                return Err(SourceError::new("the feed has lost changes"));
            }
            missing = Some(last);
        }
    }
}

/// The entries as an editor knows them.
struct Index {
    bucket: Store,
    watch: Watch,
    /// The last message that was seen, and its time.
    seen: u64,
    seen_at: OffsetDateTime,
    /// Whether all that there was at the beginning has been seen.
    is_current: bool,
    /// By key, deleted keys too: each has one message.
    held: HashMap<String, Held>,
    /// Keys that were put by hand may have the same name or origin.
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
            seen_at: OffsetDateTime::UNIX_EPOCH,
            is_current: false,
            held: HashMap::new(),
            names: BTreeSet::new(),
            origins: BTreeSet::new(),
        })
    }

    /// Reads until nothing is left, and says where the stream ends.
    async fn drain(&mut self, mut each: impl FnMut(&kv::Entry)) -> Result<Position, SourceError> {
        let mut goal = if self.is_current {
            info(&self.bucket).await?
        } else {
            patient_info(&self.bucket).await?
        };
        loop {
            let is_read = self.is_current && self.seen >= goal.state.last_sequence;
            if goal.state.messages == 0 || is_read {
                return Ok(if self.seen > goal.state.last_sequence {
                    at(goal.created, self.seen, self.seen_at)
                } else {
                    end_of(&goal)
                });
            }
            let was_current = self.is_current;
            match timeout(QUIET, self.watch.next()).await {
                Ok(Some(entry)) => {
                    let entry = entry.map_err(failed)?;
                    if entry.revision > self.seen {
                        (self.seen, self.seen_at) = (entry.revision, entry.created);
                    }
                    // As long as others edit, the server does not say so.
                    let is_last = self.seen >= goal.state.last_sequence;
                    self.is_current |= entry.seen_current || is_last;
                    each(&entry);
                }
                Ok(None) => return Err(SourceError::new("NATS has closed the feed")),
                // Unless messages were removed from the end of the stream, something is lost.
                Err(_) if last_that_is_there(&self.bucket).await? <= self.seen => {
                    self.is_current = true;
                    return Ok(end_of(&goal));
                }
                Err(_) => return Err(silent()),
            }
            if self.is_current && !was_current {
                // Keys that were overwritten meanwhile come at the end.
                goal = patient_info(&self.bucket).await?;
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

    /// Checks the texts that `entry` has and `before` had not. So an entry that was put by hand can be
    /// deactivated, even if it shares a text with others.
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

/// The server's information on the stream.
async fn info(bucket: &Store) -> Result<Info, SourceError> {
    let info = timeout(ANSWER, patient_info(bucket)).await;
    info.map_err(|_| silent())?
}

/// The same within the time of the connection.
async fn patient_info(bucket: &Store) -> Result<Info, SourceError> {
    bucket.stream.get_info().await.map_err(failed)
}

fn change(created: OffsetDateTime, entry: &kv::Entry) -> Change {
    let at = at(created, entry.revision, entry.created);
    match (entry.operation, entry.key.parse()) {
        (Operation::Put, _) => Change::Put {
            at,
            row: row(entry),
        },
        (Operation::Delete | Operation::Purge, Ok(id)) => Change::Delete {
            at,
            id,
            by: std::str::from_utf8(&entry.value)
                .ok()
                .and_then(|by| Actor::new(by).ok()),
        },
        // It never was an entry: the registry takes out the row that was counted as invalid.
        (Operation::Delete | Operation::Purge, Err(_)) => Change::Reload { at },
    }
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

/// The record of a key. The version is that of the stream, and the id is the key.
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
