//! Where the entries are.

use std::{sync::Arc, time::Duration};

use tower_cors::trusted::{
    source::OriginSource,
    store::{EmbeddedStore, OriginStore},
};

use crate::{
    Error,
    stores::{nats::NatsOrigins, postgres::PostgresOrigins},
};

/// What replicas follow and administrators edit.
pub(crate) trait Shared: OriginSource + OriginStore {}

impl<T: OriginSource + OriginStore> Shared for T {}

/// A store by its name on the command line.
pub(crate) enum Backend {
    Embedded(EmbeddedStore),
    Postgres(String),
    Nats(String),
}

impl Backend {
    pub(crate) async fn open(name: &str) -> Result<Self, Error> {
        if name == "memory" {
            return Ok(Self::Embedded(EmbeddedStore::in_memory()));
        }
        if name.starts_with("postgres://") || name.starts_with("postgresql://") {
            let store = PostgresOrigins::new(name)?;
            // A database that is away does not keep the service from starting.
            if let Err(error) = store.migrate().await {
                eprintln!("the table cannot be made yet: {error}");
                tokio::spawn(async move {
                    while store.migrate().await.is_err() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                });
            }
            return Ok(Self::Postgres(name.to_owned()));
        }
        if name.starts_with("nats://") {
            return Ok(Self::Nats(name.to_owned()));
        }
        if name.contains("://") {
            let text = "--store: write memory, a file, postgres://... or nats://...";
            return Err(text.into());
        }
        let store = EmbeddedStore::open(name)?;
        store.watch_file(Duration::from_secs(1))?;
        Ok(Self::Embedded(store))
    }

    /// The store for one replica, with a connection of its own.
    pub(crate) fn connect(&self) -> Result<Arc<dyn Shared>, Error> {
        Ok(match self {
            Self::Embedded(store) => Arc::new(store.clone()),
            Self::Postgres(url) => Arc::new(PostgresOrigins::new(url)?),
            Self::Nats(url) => Arc::new(NatsOrigins::new(url)),
        })
    }
}
