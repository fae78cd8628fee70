//! Revocations in a NATS JetStream key-value bucket, which all replicas watch.

use std::{convert::Infallible, time::Duration};

use async_nats::{
    ConnectOptions,
    jetstream::{
        self, kv,
        stream::{self, DiscardPolicy},
    },
};
use futures_util::StreamExt;
use tokio::time::{interval, sleep, timeout};
use tower_cors::revocation::{RevocationChanges, Revocations};

use super::{ANSWER, CarrierError, PUSH, RETRY, Stored, changes};

const BUCKET: &str = "token-revocations";
/// How long the server keeps a revocation: longer than the list remembers it.
const KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Carries the revocations over the bucket.
pub(crate) struct NatsCarrier {
    url: String,
    revocations: Revocations,
}

impl NatsCarrier {
    /// Over the server with this address, as in `nats://host`.
    pub(crate) fn new(url: &str, revocations: &Revocations) -> Self {
        Self {
            url: url.to_owned(),
            revocations: revocations.clone(),
        }
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
        let options = ConnectOptions::new().request_timeout(Some(ANSWER));
        let client = timeout(ANSWER, options.connect(&self.url)).await??;
        let mut context = jetstream::new(client);
        context.set_timeout(ANSWER);
        // Not where the server is silent or fails: the bucket may be there then.
        context.get_or_create_stream(new_bucket()).await?;
        let bucket = context.get_key_value(BUCKET).await?;
        // All that is there, and then what comes.
        let mut watch = timeout(ANSWER, bucket.watch_with_history(">")).await??;
        let mut stored = RevocationChanges::default();
        let mut tick = interval(PUSH);
        loop {
            tokio::select! {
                entry = watch.next() => {
                    let entry = entry.ok_or_else(|| CarrierError::new("the watch has ended"))??;
                    self.revocations.merge(&changes(Stored::from_json(&entry.value)));
                }
                _ = tick.tick() => stored = self.store_new(&bucket, &stored).await?,
            }
        }
    }

    /// Stores what has been revoked here.
    async fn store_new(
        &self,
        bucket: &kv::Store,
        before: &RevocationChanges,
    ) -> Result<RevocationChanges, CarrierError> {
        let new = self.revocations.changes_since(before.next);
        for stored in Stored::all_of(&new, before.issued_until) {
            // A key is not empty, and the id may be.
            let key = format!("{}.{}_", stored.kind, stored.id);
            let json = stored.to_json().into();
            // Another replica may be faster: then everything begins anew, with what it has stored.
            match timeout(ANSWER, bucket.entry(&*key)).await?? {
                None => timeout(ANSWER, bucket.create(&*key, json))
                    .await?
                    .map(drop)?,
                Some(entry) => {
                    let known = Stored::from_json(&entry.value);
                    if known.is_none_or(|known| known.until < stored.until) {
                        timeout(ANSWER, bucket.update(&*key, json, entry.revision))
                            .await?
                            .map(drop)?;
                    }
                }
            }
        }
        Ok(new)
    }
}

/// The stream of a bucket with one value for each key. `create_key_value` of the client asks the
/// server for more than those before 2.10 know.
fn new_bucket() -> stream::Config {
    stream::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        max_messages_per_subject: 1,
        max_age: KEPT,
        discard: DiscardPolicy::New,
        num_replicas: 1,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: true,
        ..stream::Config::default()
    }
}
