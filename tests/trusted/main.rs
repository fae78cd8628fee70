//! The registry of trusted origins: as a policy, as a store, in a file, and as a replica.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, in its helpers too"
)]

mod events;
mod file;
mod freshness;
#[cfg(unix)]
mod full_disk;
mod history;
mod policy;
mod printed;
mod replica;
mod resync;
mod routes;
mod source;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tower_cors::{
    Origin,
    time::Clock,
    trusted::{
        entry::{Actor, OriginDraft, Scope, Scopes, TrustedOrigin},
        registry::OriginRegistry,
    },
};

fn admin() -> Actor {
    Actor::new("admin@example.com").unwrap()
}

fn draft(name: &str, origin: &str, scopes: impl Into<Scopes>) -> OriginDraft {
    OriginDraft::new(name, origin, scopes).unwrap()
}

fn cors(origin: &str) -> OriginDraft {
    draft(origin, origin, Scope::Cors)
}

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

/// Every entry, in the order of ids.
fn entries(origins: &OriginRegistry) -> Vec<Arc<TrustedOrigin>> {
    origins.list(None, usize::MAX, |_| true)
}

/// A clock that the test sets. All clones are the same clock.
#[derive(Clone, Debug)]
struct TestClock(Arc<Mutex<SystemTime>>);

impl TestClock {
    fn new() -> Self {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_262_400);
        Self(Arc::new(Mutex::new(noon)))
    }

    fn advance(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}
