//! Revocations in a PostgreSQL table, whose changes are sent to all replicas with `NOTIFY`.

use std::{convert::Infallible, future::poll_fn};

use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tower_cors::revocation::{RevocationChanges, Revocations};

use super::{ANSWER, CarrierError, PUSH, RETRY, Stored, changes};

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS token_revocations (
        kind text NOT NULL,
        id text NOT NULL,
        since bigint NOT NULL,
        until bigint NOT NULL,
        PRIMARY KEY (kind, id)
    );
    DELETE FROM token_revocations
        WHERE kind <> 'issued_until' AND until < extract(epoch FROM now());
    LISTEN token_revocations";

/// Tells the others only of what is new, so that nothing goes round in circles.
const STORE: &str = "
    WITH changed AS (
        INSERT INTO token_revocations AS r (kind, id, since, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, id) DO UPDATE
            SET since = greatest(r.since, excluded.since), until = excluded.until
            WHERE r.until < excluded.until
        RETURNING kind, id, since, until
    )
    SELECT pg_notify('token_revocations', row_to_json(changed)::text) FROM changed";

/// How many notifications wait in memory; more wait at the server.
const WAITING: usize = 1024;

/// Carries the revocations over the table.
pub(crate) struct PostgresCarrier {
    config: Config,
    revocations: Revocations,
}

impl PostgresCarrier {
    /// Over the database that the address names, as in `postgres://user@host/database`.
    pub(crate) fn new(url: &str, revocations: &Revocations) -> Result<Self, CarrierError> {
        // The address may have a password: it must not be in the error.
        let mut config: Config = url
            .parse()
            .map_err(|_| CarrierError::new("not an address as in postgres://user@host/database"))?;
        config.connect_timeout(ANSWER);
        Ok(Self {
            config,
            revocations: revocations.clone(),
        })
    }

    /// Carries for ever; failures go to `report`.
    pub(crate) async fn run(self, report: impl Fn(&CarrierError)) -> Infallible {
        loop {
            let Err(error) = self.carry().await;
            report(&error);
            sleep(RETRY).await;
        }
    }

    async fn carry(&self) -> Result<Infallible, CarrierError> {
        let (client, mut connection) = timeout(ANSWER, self.config.connect(NoTls)).await??;
        let (sender, mut news) = mpsc::channel(WAITING);
        // It ends with the client.
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(sent) = message
                    && sender.send(sent.payload().to_owned()).await.is_err()
                {
                    break;
                }
            }
        });
        // Listening begins before the table is read, so that nothing falls between.
        timeout(ANSWER, client.batch_execute(TABLE)).await??;
        let all = client.query("SELECT kind, id, since, until FROM token_revocations", &[]);
        let all = timeout(ANSWER, all).await??;
        let all = all.iter().filter_map(|row| {
            Stored::from_parts(
                row.try_get(0).ok()?,
                row.try_get(1).ok()?,
                row.get(2),
                row.get(3),
            )
        });
        self.revocations.merge(&changes(all));
        let mut stored = RevocationChanges::default();
        let mut tick = interval(PUSH);
        loop {
            tokio::select! {
                sent = news.recv() => {
                    let sent = sent.ok_or_else(|| CarrierError::new("the connection has ended"))?;
                    self.revocations.merge(&changes(Stored::from_json(sent.as_bytes())));
                }
                _ = tick.tick() => stored = self.store_new(&client, &stored).await?,
            }
        }
    }

    /// Stores what has been revoked here, and so asks the server for a sign of life.
    async fn store_new(
        &self,
        client: &Client,
        before: &RevocationChanges,
    ) -> Result<RevocationChanges, CarrierError> {
        let new = self.revocations.changes_since(before.next);
        for Stored {
            kind,
            id,
            since,
            until,
        } in Stored::all_of(&new, before.issued_until)
        {
            timeout(ANSWER, client.execute(STORE, &[&kind, &id, &since, &until])).await??;
        }
        timeout(ANSWER, client.batch_execute("")).await??;
        Ok(new)
    }
}
