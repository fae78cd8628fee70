use std::{
    borrow::Cow,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::{
    document::JwkSet,
    state::{FetchResult, Freshness, RefreshError, State, Times},
};
use crate::{
    lock::lock,
    time::Clock,
    token::verify::{
        FetchError, Flight, KeySetFetcher, SingleFlight, TokenKey, TokenKeys,
        jwt::{JwtAlgorithm, JwtKeys, Names, Unnamed},
    },
};

/// An issuer's keys: fetched when they are needed, by those who need them.
pub(crate) struct Store {
    fetcher: Arc<dyn KeySetFetcher>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    state: Mutex<State>,
    /// An abandoned fetch is kept until another one may begin.
    flights: Arc<SingleFlight<(), FetchResult>>,
    secrets: TokenKeys,
    /// Names that the issuer did not know when it was last asked, until when not to ask again. A
    /// name here never hides a key that is there.
    unknown: Cache<TokenKey, SystemTime>,
}

/// What a [`Store`] keeps to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) times: Times,
    pub(crate) max_keys: usize,
    pub(crate) max_document: usize,
    pub(crate) unnamed: Unnamed,
}

/// How many unknown names are remembered, and how long.
const MAX_UNKNOWN: usize = 1024;

const UNKNOWN_TTL: Duration = Duration::from_secs(60);

/// Where a key is to be looked for.
pub(crate) enum Step {
    /// In these; if it is not in them, it is unknown.
    Keys(Arc<JwtKeys>),
    /// After this fetch.
    Wait(Flight<FetchResult>),
    /// Nowhere for now.
    Unavailable(Cow<'static, str>),
}

impl Store {
    pub(crate) fn new(
        fetcher: Arc<dyn KeySetFetcher>,
        clock: Arc<dyn Clock>,
        bounds: Bounds,
    ) -> Arc<Self> {
        Arc::new(Self {
            fetcher,
            clock,
            bounds,
            state: Mutex::default(),
            flights: SingleFlight::new(1, bounds.times.min_refresh_interval),
            secrets: TokenKeys::default(),
            unknown: Cache::new(MAX_UNKNOWN),
        })
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What to do about a token of this algorithm that calls its key by `names`.
    pub(crate) fn step(self: &Arc<Self>, names: Names<'_>, algorithm: JwtAlgorithm) -> Step {
        let now = self.clock.now();
        // `flights` locks the state in turn, so it is asked after the state is unlocked.
        let (freshness, is_known) = {
            let state = self.lock();
            let has_key = |keys: &Arc<JwtKeys>| keys.find(names, algorithm).is_some();
            let is_known = state.keys().is_some_and(has_key);
            (state.freshness(now, &self.bounds.times), is_known)
        };
        let wants_refresh = match freshness {
            Freshness::Fresh if is_known => false,
            // One request fetches, all others go on with the current keys.
            Freshness::Due if is_known => !self.flights.is_awaited(()),
            Freshness::Fresh | Freshness::Due => self.may_appear(names, now),
            Freshness::Expired | Freshness::Dead => true,
        };
        if wants_refresh && let Some(refresh) = self.join(now) {
            return Step::Wait(refresh);
        }
        self.settle()
    }

    /// Where to look once it is clear that there is nothing to wait for.
    pub(crate) fn settle(&self) -> Step {
        let state = self.lock();
        let now = self.clock.now();
        match (state.freshness(now, &self.bounds.times), state.keys()) {
            (Freshness::Fresh | Freshness::Due, Some(keys)) => Step::Keys(Arc::clone(keys)),
            _ => Step::Unavailable(match state.last_failure {
                Some(failure) => failure.to_string().into(),
                None => "the issuer's keys are too old".into(),
            }),
        }
    }

    /// A fetch to wait for because a token does not verify with the key that it names: the issuer may
    /// have put a new key under the old name. Anybody can send such a token, so this is one fetch in
    /// the least interval, for all of them together.
    pub(crate) fn recheck(self: &Arc<Self>) -> Option<Flight<FetchResult>> {
        self.join(self.clock.now())
    }

    /// Whether a token that calls its key so may mean one without a name.
    pub(crate) fn may_be_unnamed(&self, names: Names<'_>) -> bool {
        self.bounds.unnamed == Unnamed::OfAlgorithm && names == Names::default()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch(self.clock.now(), &self.bounds.times)
    }

    /// Begins or joins a fetch that somebody asks for, or says what the last one came to.
    pub(crate) fn refresh(self: &Arc<Self>) -> Result<Flight<FetchResult>, FetchResult> {
        self.join(self.clock.now())
            .ok_or_else(|| self.lock().last_failure.map_or(Ok(()), Err))
    }

    /// Remembers that the issuer does not know a name.
    pub(crate) fn note_unknown(&self, names: Names<'_>) {
        if let Some(name) = self.name(names) {
            self.unknown.insert(name, self.clock.now() + UNKNOWN_TTL);
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether it makes sense to ask the issuer for a key that is not among the current ones.
    fn may_appear(&self, names: Names<'_>, now: SystemTime) -> bool {
        let Some(name) = self.name(names) else {
            return false;
        };
        let until = self.unknown.get(&name);
        // A time further ahead than any is set to was set before the clock was set back.
        !until.is_some_and(|until| now < until && until <= now + UNKNOWN_TTL)
    }

    fn name(&self, names: Names<'_>) -> Option<TokenKey> {
        let (kind, name) = match names {
            Names { kid: Some(kid), .. } => ("kid", kid),
            Names {
                x5t_s256: Some(thumbprint),
                ..
            } => ("x5t#S256", thumbprint),
            Names {
                x5t: Some(thumbprint),
                ..
            } => ("x5t", thumbprint),
            Names { .. } => return None,
        };
        Some(self.secrets.key(&format!("{kind} {name}")))
    }

    /// Joins the fetch under way, or begins one unless that would be too soon.
    fn join(self: &Arc<Self>, now: SystemTime) -> Option<Flight<FetchResult>> {
        self.flights.join((), now, || {
            let may_fetch = self.lock().attempt(now, &self.bounds.times);
            may_fetch.then(|| self.fetch(now))
        })
    }

    fn fetch(
        self: &Arc<Self>,
        since: SystemTime,
    ) -> impl Future<Output = FetchResult> + Send + use<> {
        let fetcher = Arc::clone(&self.fetcher);
        let bounds = self.bounds;
        // A weak reference, because the store holds this future: a strong one would be a cycle.
        let store = Arc::downgrade(self);
        async move {
            // All callers share this future: a panic in it would reach each of them.
            let body = AssertUnwindSafe(async { fetcher.fetch().await })
                .catch_unwind()
                .await;
            let fetched = match body {
                Ok(Ok(body)) if body.len() > bounds.max_document => {
                    Err(FetchError::TooLarge.into())
                }
                Ok(Ok(body)) => JwkSet::parse_with(&body, bounds.max_keys, bounds.unnamed)
                    .map(|set| (set, body))
                    .map_err(RefreshError::from),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(RefreshError::Panicked),
            };
            let result = fetched.as_ref().map(|_| ()).map_err(|error| *error);
            if let Some(store) = store.upgrade() {
                let now = store.clock.now();
                store.lock().finish(fetched, since, now, &bounds.times);
            }
            result
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("fetcher", &self.fetcher)
            .field("clock", &self.clock)
            .field("bounds", &self.bounds)
            .field("state", &*self.lock())
            .finish_non_exhaustive()
    }
}
