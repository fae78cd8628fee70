//! A registry that is edited, and one that follows it and turns stale by the clock of JavaScript.

use std::time::{Duration, UNIX_EPOCH};

use tower_cors::{
    CorsLayer,
    trusted::{
        entry::{Actor, OriginDraft, Scope},
        registry::OriginRegistry,
        replica::{Replica, WhenStale},
        store::{EmbeddedStore, OriginStore},
    },
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    Failure,
    played::{finish, get, play_on},
    text,
};

/// A store in memory, and a replica that fails closed after a minute.
#[wasm_bindgen]
pub struct Registry {
    store: EmbeddedStore,
    replica: Replica<EmbeddedStore>,
    layer: CorsLayer,
}

#[wasm_bindgen]
impl Registry {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Registry, String> {
        let store = EmbeddedStore::in_memory();
        let followed = OriginRegistry::new();
        let stale = WhenStale::FailClosedAfter(Duration::from_secs(60));
        let replica = Replica::new(store.clone(), followed.clone(), stale);
        let layer = CorsLayer::builder().origin_policy(followed).build();
        Ok(Self {
            store,
            replica,
            layer: layer.map_err(|errors| errors.to_string())?,
        })
    }

    /// Trusts an origin, and says when that was, in milliseconds since 1970.
    pub fn trust(&self, origin: &str) -> String {
        text(self.trusted(origin))
    }

    fn trusted(&self, origin: &str) -> Result<String, Failure> {
        let draft = OriginDraft::new("Shop", origin, Scope::Cors)?;
        let by = Actor::new("admin@example.com")?;
        let entry = finish(self.store.create(draft, by))??;
        Ok(entry
            .created_at()
            .duration_since(UNIX_EPOCH)?
            .as_millis()
            .to_string())
    }

    /// Loads the entries into the replica.
    pub fn load(&self) -> String {
        let load = || -> Result<String, Failure> {
            finish(self.replica.load_once())??;
            Ok("loaded".to_owned())
        };
        text(load())
    }

    pub fn call(&self, origin: &str) -> String {
        text(get(origin).and_then(|request| play_on("request", &self.layer, request)))
    }

    /// There are no files: an error, and no panic.
    pub fn open_file(&self) -> String {
        match EmbeddedStore::open("origins.toml") {
            Ok(_) => "opened".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}
