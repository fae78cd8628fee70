//! Trusted origins in a PostgreSQL table that replicas share.
//!
//! `postgres.sql` beside this file makes the table: its triggers give every change a version and
//! send it to all replicas with `NOTIFY`. A replica that was away has missed what was sent
//! meanwhile: its feed has ended then, and it loads the whole table. Names and origins are unique
//! by the table's constraints.
//!
//! Needs `futures-util`, `serde`, `serde_json`, `tokio`, `tokio-postgres` and `tower-cors` with
//! the feature `trusted`. The connection is not encrypted: for a server elsewhere, give
//! `Config::connect` a TLS connector in place of `NoTls`.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::{
    sync::{Mutex, mpsc},
    task::yield_now,
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::{
    AsyncMessage, Client, Config, NoTls,
    error::SqlState,
    types::{ToSql, Type},
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

const MIGRATION: &str = include_str!("postgres.sql");
const CHANNEL: &str = "trusted_origins";

/// How often a feed asks the server for a sign of life, and how long it waits for anything.
const HEARTBEAT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// How long an edit may take.
const EDIT: Duration = Duration::from_secs(10);
/// How many changes wait in memory; more wait at the server.
const WAITING: usize = 1024;
/// How often an edit that names no version is tried again when others were faster.
const ATTEMPTS: usize = 16;

/// The table, as a store and as a source.
pub(crate) struct PostgresOrigins {
    config: Config,
    /// For edits; made anew when it is gone.
    client: Mutex<Option<Arc<Client>>>,
    /// The traces of edits when everything was loaded.
    loaded: std::sync::Mutex<Option<String>>,
}

/// Traces of every edit of the table, also of one with the triggers off: counters of rows that were
/// written, which the server keeps, and the file of the table, which `TRUNCATE` replaces. The
/// counters may be some seconds late, and start anew after a crash. Then everything is loaded once
/// more than necessary.
const TRACES: &str = "concat(pg_relation_filenode('trusted_origins'), ' ', (
    SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables
    WHERE relid = 'trusted_origins'::regclass))";

impl PostgresOrigins {
    /// The table in the database that the address names, as in `postgres://user@host/database`.
    /// Nothing is connected yet.
    pub(crate) fn new(url: &str) -> Result<Self, SourceError> {
        // The address may have a password: it must not be in the error.
        let mut config: Config = url
            .parse()
            .map_err(|_| SourceError::new("not an address as in postgres://user@host/database"))?;
        config.connect_timeout(CONNECT);
        config.application_name("trusted-origins");
        Ok(Self {
            config,
            client: Mutex::new(None),
            loaded: std::sync::Mutex::default(),
        })
    }

    fn loaded(&self) -> MutexGuard<'_, Option<String>> {
        // It is replaced as a whole, so a panic elsewhere does not leave half of it.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the table where there is none.
    pub(crate) async fn migrate(&self) -> Result<(), SourceError> {
        let client = self.connect().await?;
        let migrated = timeout(EDIT, client.batch_execute(MIGRATION)).await;
        migrated.map_err(|_| silent())?.map_err(unreachable)
    }

    /// A connection of its own.
    async fn connect(&self) -> Result<Client, SourceError> {
        let connecting = timeout(CONNECT, self.config.connect(NoTls));
        let (client, connection) = connecting
            .await
            .map_err(|_| silent())?
            .map_err(unreachable)?;
        // It ends with the client, or with an error that the client has, too.
        tokio::spawn(connection);
        Ok(client)
    }

    /// The connection for edits, whose statements are independent of each other.
    async fn client(&self) -> Result<Arc<Client>, SourceError> {
        let mut slot = self.client.lock().await;
        if let Some(client) = slot.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.connect().await?);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    /// The first row, within a time.
    async fn one(
        &self,
        statement: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<tokio_postgres::Row>, Failed> {
        let client = self.client().await.map_err(Failed::Source)?;
        let rows = timeout(EDIT, client.query_typed(statement, values)).await;
        match rows {
            Ok(Ok(rows)) => Ok(rows.into_iter().next()),
            Ok(Err(error)) => Err(Failed::Statement(error)),
            Err(_) => {
                // Other statements on this connection would not be answered either.
                *self.client.lock().await = None;
                Err(Failed::Source(silent()))
            }
        }
    }

    /// The same for a statement that writes an entry.
    async fn one_of(
        &self,
        entry: &TrustedOrigin,
        statement: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<tokio_postgres::Row>, StoreError> {
        let row = self.one(statement, values).await;
        row.map_err(|failed| failed.of(entry))
    }

    async fn read(&self, id: EntryId) -> Result<TrustedOrigin, StoreError> {
        let statement =
            "SELECT trusted_origins_record(t)::text FROM trusted_origins t WHERE id = $1";
        let row = self.one(statement, &[(&number(id), Type::INT8)]).await?;
        let json: String = match row {
            Some(row) => row.try_get(0).map_err(unreachable)?,
            None => return Err(StoreError::NotFound { id }),
        };
        let entry = OriginRecord::from_json(json.as_bytes()).and_then(|record| record.check());
        entry.map_err(|error| StoreError::Invalid(InvalidRow::new(id, error)))
    }

    async fn insert(&self, entry: &TrustedOrigin) -> Result<Option<TrustedOrigin>, StoreError> {
        let statement = "
            INSERT INTO trusted_origins AS t (id, name, origin, scopes, status, allow_credentials,
                dangerously_allow_insecure, created, created_by, last_updated, last_updated_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::timestamptz, $9,
                $10::text::timestamptz, $11)
            ON CONFLICT ON CONSTRAINT trusted_origins_id DO NOTHING
            RETURNING trusted_origins_record(t)::text";
        let record = OriginRecord::from(entry);
        let row = self
            .one_of(
                entry,
                statement,
                &[
                    (&number(entry.id()), Type::INT8),
                    (&record.name, Type::TEXT),
                    (&record.origin, Type::TEXT),
                    (&record.scopes, Type::TEXT_ARRAY),
                    (&record.status, Type::TEXT),
                    (&record.allow_credentials, Type::BOOL),
                    (&record.dangerously_allow_insecure, Type::BOOL),
                    (&record.created, Type::TEXT),
                    (&record.created_by, Type::TEXT),
                    (&record.last_updated, Type::TEXT),
                    (&record.last_updated_by, Type::TEXT),
                ],
            )
            .await?;
        row.as_ref().map(written).transpose()
    }

    /// Writes the entry over the one of the version `before`, and returns `None` where that is not
    /// the current one any more.
    async fn update(
        &self,
        before: Version,
        entry: &TrustedOrigin,
    ) -> Result<Option<TrustedOrigin>, StoreError> {
        let statement = "
            UPDATE trusted_origins AS t SET name = $3, origin = $4, scopes = $5, status = $6,
                allow_credentials = $7, dangerously_allow_insecure = $8,
                last_updated = $9::text::timestamptz, last_updated_by = $10
            WHERE id = $1 AND version = $2
            RETURNING trusted_origins_record(t)::text";
        let record = OriginRecord::from(entry);
        let row = self
            .one_of(
                entry,
                statement,
                &[
                    (&number(entry.id()), Type::INT8),
                    (&version_number(before), Type::INT8),
                    (&record.name, Type::TEXT),
                    (&record.origin, Type::TEXT),
                    (&record.scopes, Type::TEXT_ARRAY),
                    (&record.status, Type::TEXT),
                    (&record.allow_credentials, Type::BOOL),
                    (&record.dangerously_allow_insecure, Type::BOOL),
                    (&record.last_updated, Type::TEXT),
                    (&record.last_updated_by, Type::TEXT),
                ],
            )
            .await?;
        row.as_ref().map(written).transpose()
    }

    /// Replaces the content by what `edit` makes of it, if it does.
    async fn edit(
        &self,
        id: EntryId,
        expected: Option<Version>,
        by: Actor,
        edit: impl Fn(&OriginDraft) -> Option<OriginDraft> + Send + Sync,
    ) -> Result<Arc<TrustedOrigin>, StoreError> {
        let mut current = Version::ZERO;
        for _ in 0..ATTEMPTS {
            let before = self.read(id).await?;
            current = before.version();
            if expected.is_some_and(|expected| expected != current) {
                break;
            }
            let Some(draft) = edit(before.draft()) else {
                return Ok(Arc::new(before));
            };
            let edit = EntryEdit::new(by.clone(), SystemTime::now(), current);
            let entry = edit.replace(&before, draft);
            if let Some(entry) = self.update(current, &entry).await? {
                return Ok(Arc::new(entry));
            }
        }
        Err(StoreError::Changed { current })
    }
}

impl OriginStore for PostgresOrigins {
    fn create(&self, draft: OriginDraft, by: Actor) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(async move {
            for _ in 0..ATTEMPTS {
                // The table gives the version.
                let edit = EntryEdit::new(by.clone(), SystemTime::now(), Version::ZERO);
                let entry = edit.create(EntryId::generate(edit.time()), draft.clone());
                if let Some(entry) = self.insert(&entry).await? {
                    return Ok(Arc::new(entry));
                }
            }
            Err(SourceError::new("no id is free").into())
        })
    }

    fn fetch(&self, id: EntryId) -> StoreFuture<'_, Arc<TrustedOrigin>> {
        Box::pin(async move { self.read(id).await.map(Arc::new) })
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
            let statement = "SELECT trusted_origins_delete($1, $2, $3)";
            let values: [(&(dyn ToSql + Sync), Type); 3] = [
                (&number(id), Type::INT8),
                (&expected.map(version_number), Type::INT8),
                (&by.as_str(), Type::TEXT),
            ];
            let row = self.one(statement, &values).await?;
            let gone = row.map(|row| row.try_get::<_, Option<i64>>(0));
            match gone.transpose().map_err(unreachable)?.flatten() {
                Some(version) => Ok(Version::new(version.unsigned_abs())),
                None => Err(StoreError::Changed {
                    current: self.read(id).await?.version(),
                }),
            }
        })
    }
}

impl OriginSource for PostgresOrigins {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        Box::pin(async move {
            let (client, mut connection) = timeout(CONNECT, self.config.connect(NoTls))
                .await
                .map_err(|_| silent())?
                .map_err(unreachable)?;
            let (sender, receiver) = mpsc::channel(WAITING);
            let told = sender.clone();
            tokio::spawn(async move {
                while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                    let sent = match message {
                        Ok(AsyncMessage::Notification(sent)) => Ok(sent.payload().to_owned()),
                        Ok(_) => continue,
                        Err(error) => Err(unreachable(error)),
                    };
                    if told.send(sent).await.is_err() {
                        break;
                    }
                }
            });
            let listen = format!("LISTEN {CHANNEL}");
            let listening = timeout(CONNECT, client.batch_execute(&listen)).await;
            listening.map_err(|_| silent())?.map_err(unreachable)?;
            Ok(Feed::start(client, sender, receiver))
        })
    }

    fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
        Box::pin(async move {
            // One statement: rows and position are of one moment. An empty table gives the position
            // without a row.
            let statement = "
                SELECT p.version, p.history,
                    CASE WHEN r.is_there THEN trusted_origins_record(r.entry)::text END
                FROM trusted_origins_position() p
                LEFT JOIN (SELECT true AS is_there, t AS entry FROM trusted_origins t) r ON true";
            let client = self.connect().await?;
            // Before the rows: an edit that comes meanwhile leads to another load.
            let question = format!("SELECT {TRACES}");
            let traces = client.query_typed(&question, &[]);
            let traces = timeout(EDIT, traces).await.map_err(|_| silent())?;
            let traces = traces.map_err(unreachable)?;
            let traces: Option<String> = traces
                .first()
                .map(|row| row.try_get(0))
                .transpose()
                .map_err(unreachable)?;
            let values: [(&(dyn ToSql + Sync), Type); 0] = [];
            let rows = client.query_typed_raw(statement, values);
            let mut rows = std::pin::pin!(rows.await.map_err(unreachable)?);
            let mut at = Err(SourceError::new("the table of the version is empty"));
            for count in 1_u64.. {
                let Some(row) = rows.next().await else {
                    break;
                };
                if count % 1000 == 0 {
                    // Changes are served between the rows.
                    yield_now().await;
                }
                let row = row.map_err(unreachable)?;
                if at.is_err() {
                    at = Ok(position(&row)?);
                }
                if let Some(json) = row.try_get::<_, Option<&str>>(2).map_err(unreachable)? {
                    snapshot.push(row_of(json));
                }
            }
            *self.loaded() = traces;
            at
        })
    }

    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        Box::pin(async move {
            let statement =
                format!("SELECT version, history, {TRACES} FROM trusted_origins_position()");
            let row = self.one(&statement, &[]).await.map_err(SourceError::from)?;
            let Some(row) = row else {
                return Ok(None);
            };
            let traces: String = row.try_get(2).map_err(unreachable)?;
            // The version alone does not tell of edits with the triggers off.
            let is_same = self.loaded().as_ref() == Some(&traces);
            is_same.then(|| position(&row)).transpose()
        })
    }
}

/// The first two columns.
fn position(row: &tokio_postgres::Row) -> Result<Position, SourceError> {
    let number: i64 = row.try_get(0).map_err(unreachable)?;
    let history: &str = row.try_get(1).map_err(unreachable)?;
    Ok(at(number.unsigned_abs(), history))
}

fn at(version: u64, history: &str) -> Position {
    Position::new(Version::new(version)).with_history(HistoryId::new(history))
}

/// The notifications of the server. A question every now and then asks for its position; the answer
/// comes as a notification, behind all changes up to its version.
struct Feed {
    receiver: mpsc::Receiver<Result<String, SourceError>>,
    /// Answers come to all listeners. This tells apart the own ones.
    id: String,
    /// The questions say how long after this they were asked.
    begun: Instant,
    _asking: AbortOnDrop,
}

impl Feed {
    fn start(
        client: Client,
        sender: mpsc::Sender<Result<String, SourceError>>,
        receiver: mpsc::Receiver<Result<String, SourceError>>,
    ) -> ChangeFeed {
        let (id, begun) = (HistoryId::random().to_string(), Instant::now());
        let asker = id.clone();
        let asking = tokio::spawn(async move {
            loop {
                let asked = u64::try_from(begun.elapsed().as_micros()).unwrap_or_default();
                // Both are written by this program: they need no escaping.
                let question = format!(
                    "SELECT pg_notify('{CHANNEL}', json_build_object('current', json_build_object(
                         'version', version, 'history', history,
                         'asked_by', '{asker}', 'asked', {asked}
                     ))::text)
                     FROM trusted_origins_position()"
                );
                if let Err(error) = client.batch_execute(&question).await {
                    // The replica learns what is wrong, such as a table that is gone.
                    let _ = sender.send(Err(unreachable(error))).await;
                    break;
                }
                tokio::time::sleep(HEARTBEAT).await;
            }
        });
        let feed = Self {
            receiver,
            id,
            begun,
            _asking: AbortOnDrop(asking),
        };
        Box::pin(stream::unfold(Some(feed), |feed| async {
            let mut feed = feed?;
            match feed.next().await {
                Ok(change) => Some((Ok(change), Some(feed))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    async fn next(&mut self) -> Result<Change, SourceError> {
        let deadline = Instant::now() + SILENCE;
        loop {
            let sent = match timeout_at(deadline, self.receiver.recv()).await {
                Ok(Some(sent)) => sent?,
                Ok(None) => return Err(SourceError::new("PostgreSQL has closed the feed")),
                Err(_) => return Err(SourceError::new("PostgreSQL is silent")),
            };
            if let Some(change) = self.parse(&sent)? {
                return Ok(change);
            }
        }
    }

    /// The change, unless this is the answer to another feed.
    fn parse(&self, payload: &str) -> Result<Option<Change>, SourceError> {
        let sent = serde_json::from_str(payload).map_err(|error| {
            SourceError::new(format_args!("a notification is malformed: {error}"))
        })?;
        Ok(Some(match sent {
            Sent::Put {
                version,
                history,
                row,
            } => Change::Put {
                at: at(version, &history),
                row: row.into(),
            },
            Sent::Deleted {
                id,
                version,
                history,
                by,
            } => Change::Delete {
                at: at(version, &history),
                id: id.parse().map_err(SourceError::new)?,
                by: Actor::new(&by).ok(),
            },
            Sent::Reload { version, history } => Change::Reload {
                at: at(version, &history),
            },
            Sent::Current { asked_by, .. } if asked_by != self.id => return Ok(None),
            Sent::Current {
                version,
                history,
                asked,
                ..
            } => Change::Current {
                at: at(version, &history),
                // It was true when the question was asked, or a little later: two clocks that
                // differ do not matter, nor does a slow wire.
                age: self
                    .begun
                    .elapsed()
                    .saturating_sub(Duration::from_micros(asked)),
            },
        }))
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A notification, as triggers and questions send it.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sent {
    Put {
        version: u64,
        history: String,
        row: OriginRecord,
    },
    Deleted {
        id: String,
        version: u64,
        history: String,
        by: String,
    },
    /// Many rows.
    Reload { version: u64, history: String },
    Current {
        version: u64,
        history: String,
        asked_by: String,
        asked: u64,
    },
}

fn row_of(json: &str) -> SourceRow {
    match OriginRecord::from_json(json.as_bytes()) {
        Ok(record) => record.into(),
        Err(error) => SourceRow::Invalid {
            key: key_of(json),
            error,
        },
    }
}

/// The id of a row that is not a record, so that its correction can be recognised; else the
/// beginning of the row.
fn key_of(json: &str) -> String {
    let row: Option<serde_json::Value> = serde_json::from_str(json).ok();
    let id = row.as_ref().and_then(|row| row["id"].as_str());
    id.map_or_else(|| json.chars().take(100).collect(), str::to_owned)
}

/// The entry as the table has it now.
fn written(row: &tokio_postgres::Row) -> Result<TrustedOrigin, StoreError> {
    let json: &str = row.try_get(0).map_err(unreachable)?;
    let entry = OriginRecord::from_json(json.as_bytes()).and_then(|record| record.check());
    entry.map_err(|error: EntryError| SourceError::new(error).into())
}

/// Ids are below 2^63.
fn number(id: EntryId) -> i64 {
    u64::from(id).cast_signed()
}

fn version_number(version: Version) -> i64 {
    // The database has no version as great as this, so -1 finds none either.
    i64::try_from(version.number()).unwrap_or(-1)
}

/// Why a statement has not been carried out.
enum Failed {
    Source(SourceError),
    Statement(tokio_postgres::Error),
}

impl Failed {
    /// The same, in the words of the entry that was to be written.
    fn of(self, entry: &TrustedOrigin) -> StoreError {
        let constraint = match &self {
            Self::Statement(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                error.as_db_error().and_then(|error| error.constraint())
            }
            _ => None,
        };
        match constraint {
            Some("trusted_origins_name") => StoreError::NameTaken {
                name: entry.name().to_owned(),
            },
            Some("trusted_origins_origin") => StoreError::OriginTaken {
                origin: entry.pattern().as_str().to_owned(),
            },
            _ => self.into(),
        }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        Self::Unavailable(failed.into())
    }
}

impl From<Failed> for SourceError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Source(error) => error,
            Failed::Statement(error) => unreachable(error),
        }
    }
}

fn silent() -> SourceError {
    SourceError::new("PostgreSQL does not answer")
}

/// The error in the server's words, which have no secret.
fn unreachable(error: tokio_postgres::Error) -> SourceError {
    // The cause may be in the detail alone, such as a full disk.
    let (text, cause) = match error.as_db_error() {
        Some(error) => (
            error.message().to_owned(),
            error.detail().map(str::to_owned),
        ),
        None => (error.to_string(), error.source().map(ToString::to_string)),
    };
    match cause {
        Some(cause) => SourceError::new(format_args!("PostgreSQL: {text}: {cause}")),
        None => SourceError::new(format_args!("PostgreSQL: {text}")),
    }
}

impl fmt::Debug for PostgresOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration has the password.
        f.debug_struct("PostgresOrigins").finish_non_exhaustive()
    }
}
