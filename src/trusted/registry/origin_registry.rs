use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
    time::Duration,
};

use arc_swap::ArcSwap;
use http::Uri;

use super::{
    access::Access,
    error::VersionRegressed,
    events::Events,
    freshness::{Freshness, Timer},
    redirect,
    subscribers::Subscription,
    writer::{Snapshot, Writer},
};
#[cfg(feature = "metrics")]
use crate::observe::ConfirmedGauge;
use crate::{
    lock::lock,
    origin::Origin,
    time::Clock,
    trusted::{
        entry::{EntryId, Scope, TrustedOrigin, Version},
        source::{Change, InvalidRow, Position, SourceSnapshot},
    },
};

/// A registry of trusted origins, which changes while requests are judged by it.
///
/// A lookup reads an immutable snapshot: it takes no lock, does no input or output, and allocates
/// nothing (except once for each thread), however many entries there are. An edit publishes a
/// new snapshot that shares all but a few nodes with the one before; only the list for
/// [`frame_ancestors`](Self::frame_ancestors) is copied whole, by edits of entries on it. Cloning
/// the registry is one reference count: all clones are the same registry.
///
/// Entries come from an [`EmbeddedStore`](crate::trusted::store::EmbeddedStore), or from any
/// [`OriginSource`](crate::trusted::source::OriginSource) through a
/// [`Replica`](crate::trusted::replica::Replica). Where several active entries match an origin, it
/// has the permissions of all of them. A registry that has not been loaded yet trusts nobody.
///
/// As an [`OriginPolicy`](crate::OriginPolicy) it allows the origins with the scope `CORS`, and
/// credentials to those whose entries say so.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_cors::{
///     CorsLayer,
///     trusted::{entry::{Actor, OriginDraft, Scope}, store::{EmbeddedStore, OriginStore}},
/// };
///
/// let store = EmbeddedStore::in_memory();
/// let origins = store.origins().clone();
/// let cors = CorsLayer::builder().origin_policy(origins.clone()).build()?;
///
/// let draft = OriginDraft::new("Shops", "https://*.shop.example", Scope::Cors)?;
/// store.create(draft, Actor::new("admin@example.com")?).await?;
/// assert!(origins.is_trusted(&"https://de.shop.example".parse()?));
/// assert!(!origins.is_trusted(&"https://shop.example".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OriginRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    snapshot: ArcSwap<Snapshot>,
    freshness: Freshness,
    writer: Mutex<Writer>,
}

impl OriginRegistry {
    /// An empty registry, which trusts nobody until it is loaded.
    pub fn new() -> Self {
        Self::with_timer(Timer::monotonic())
    }

    /// The same with a clock of the application's, by which it turns stale: for tests, which need
    /// not wait then. A clock that is set back makes a
    /// registry look fresher than it is.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self::with_timer(Timer::given(Arc::new(clock)))
    }

    fn with_timer(timer: Timer) -> Self {
        let writer = Writer::default();
        // The hashes of all snapshots have the same keys.
        let snapshot = writer.snapshot();
        Self {
            inner: Arc::new(Inner {
                snapshot: ArcSwap::from_pointee(snapshot),
                freshness: Freshness::new(timer),
                writer: Mutex::new(writer),
            }),
        }
    }

    /// Whether pages of the origin may call the service.
    pub fn is_trusted(&self, origin: &Origin) -> bool {
        self.access(origin)
            .is_some_and(|access| access.allows(Scope::Cors))
    }

    /// Whether the service may send the browser to the address after sign-in or sign-out: its
    /// origin has the scope `REDIRECT`.
    ///
    /// An address without scheme and host is refused, because it does not lead to another site. One
    /// with a user name is refused, because such addresses are used to deceive.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_cors::trusted::{
    ///     entry::{Actor, OriginDraft, Scope},
    ///     store::{EmbeddedStore, OriginStore},
    /// };
    ///
    /// let store = EmbeddedStore::in_memory();
    /// let draft = OriginDraft::new("App", "https://app.example", Scope::Redirect)?;
    /// store.create(draft, Actor::new("admin@example.com")?).await?;
    ///
    /// let origins = store.origins();
    /// assert!(origins.is_redirect_allowed(&"https://app.example/callback?code=1".parse()?));
    /// assert!(!origins.is_redirect_allowed(&"https://app.example@evil.example/".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_redirect_allowed(&self, target: &Uri) -> bool {
        redirect::origin_of(target)
            .and_then(|origin| self.access(&origin))
            .is_some_and(|access| access.allows(Scope::Redirect))
    }

    /// The sources for the directive `frame-ancestors` of a Content-Security-Policy: the active
    /// entries with the scope `IFRAME_EMBED`, or `'none'` ([CSP3, section 6.4.2]).
    ///
    /// Entries that the directive has no spelling for, which are IPv6 addresses, ranges of
    /// addresses, and names with `_`, are left out: their pages cannot show the service.
    ///
    /// The list is as long as there are entries. Proxies take some kilobytes of headers (nginx 4 or
    /// 8 by default), and fail responses with more: give the scope to few, or to patterns.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_cors::trusted::{
    ///     entry::{Actor, OriginDraft, Scope},
    ///     store::{EmbeddedStore, OriginStore},
    /// };
    ///
    /// let store = EmbeddedStore::in_memory();
    /// assert_eq!(&*store.origins().frame_ancestors(), "'none'");
    ///
    /// let draft = OriginDraft::new("Portal", "https://*.portal.example", Scope::IframeEmbed)?;
    /// store.create(draft, Actor::new("admin@example.com")?).await?;
    /// let policy = format!("frame-ancestors {}", store.origins().frame_ancestors());
    /// assert_eq!(policy, "frame-ancestors https://*.portal.example");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [CSP3, section 6.4.2]: https://www.w3.org/TR/CSP3/#directive-frame-ancestors
    pub fn frame_ancestors(&self) -> Arc<str> {
        if self.inner.freshness.is_usable() {
            self.inner.snapshot.load().frames.sources()
        } else {
            "'none'".into()
        }
    }

    /// The version of the store that is served.
    pub fn version(&self) -> Version {
        self.inner.snapshot.load().version
    }

    /// Where the store stood whose content is served.
    pub fn position(&self) -> Position {
        self.writer().at.clone()
    }

    /// How long ago the registry was last known to be what its source holds, or `None` before the
    /// first load. It counts from the moment at which that was true at the source, not from the
    /// arrival of the news. A registry of an embedded store is stale only while the store's file
    /// cannot be taken.
    pub fn staleness(&self) -> Option<Duration> {
        self.inner.freshness.staleness()
    }

    /// Shows in the facade `metrics` when the registry was last confirmed, for all of its clones,
    /// with this name in the label `registry`: see [the table in the
    /// guide](crate::guide::observing#counters). The gauge is registered here, so install the
    /// recorder first. A second call changes nothing.
    #[cfg(feature = "metrics")]
    pub fn record_metrics(&self, registry: impl Into<std::borrow::Cow<'static, str>>) {
        let register = || ConfirmedGauge::register(registry.into());
        self.inner.freshness.show_in(register);
    }

    /// Whether the registry answers: it is loaded, and not more stale than it may be.
    pub fn is_available(&self) -> bool {
        self.inner.freshness.is_usable()
    }

    /// The entry with this id.
    pub fn entry(&self, id: EntryId) -> Option<Arc<TrustedOrigin>> {
        self.writer().entries.get(&id).cloned()
    }

    /// The number of entries, inactive ones too.
    pub fn len(&self) -> usize {
        self.writer().entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries behind `after` in the order of their ids, at most `limit` of them that `keep`
    /// accepts.
    ///
    /// Edits wait at most for a short part of the search; changes that come meanwhile may be in
    /// the result or not. A search that finds little looks at all entries, which takes 0.4 seconds
    /// for a million: where a thread serves others, too, use [`search`](Self::search).
    ///
    /// ```
    /// use tower_cors::trusted::store::EmbeddedStore;
    ///
    /// let store = EmbeddedStore::in_memory();
    /// let first = store.origins().list(None, 20, |entry| entry.name().contains("shop"));
    /// let after = first.last().map(|entry| entry.id());
    /// let second = store.origins().list(after, 20, |entry| entry.name().contains("shop"));
    /// assert!(first.is_empty() && second.is_empty());
    /// ```
    pub fn list(
        &self,
        mut after: Option<EntryId>,
        limit: usize,
        mut keep: impl FnMut(&TrustedOrigin) -> bool,
    ) -> Vec<Arc<TrustedOrigin>> {
        let mut found = Vec::new();
        while found.len() < limit {
            let chunk = self.chunk(after);
            let Some(last) = chunk.last() else {
                break;
            };
            after = Some(last.id());
            let kept = chunk.into_iter().filter(|entry| keep(entry));
            found.extend(kept.take(limit - found.len()));
        }
        found
    }

    /// The same as [`list`](Self::list), in steps of a thousand entries, between which the runtime
    /// can do other work on this thread.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use tower_cors::trusted::store::EmbeddedStore;
    ///
    /// let store = EmbeddedStore::in_memory();
    /// let shops = store.origins().search(None, 20, |entry| entry.name().contains("shop"));
    /// assert!(shops.await.is_empty());
    /// # }
    /// ```
    pub fn search(
        &self,
        mut after: Option<EntryId>,
        limit: usize,
        mut keep: impl FnMut(&TrustedOrigin) -> bool + Send,
    ) -> impl Future<Output = Vec<Arc<TrustedOrigin>>> + Send {
        let origins = self.clone();
        async move {
            let mut found = Vec::new();
            while found.len() < limit {
                let chunk = origins.chunk(after);
                let Some(last) = chunk.last() else {
                    break;
                };
                after = Some(last.id());
                let kept = chunk.into_iter().filter(|entry| keep(entry));
                found.extend(kept.take(limit - found.len()));
                yield_once().await;
            }
            found
        }
    }

    fn chunk(&self, after: Option<EntryId>) -> Vec<Arc<TrustedOrigin>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let writer = self.writer();
        let behind = writer.entries.range((start, Bound::Unbounded));
        behind
            .take(CHUNK)
            .map(|(_, entry)| Arc::clone(entry))
            .collect()
    }

    /// Receives every change to the registry from now on, each once and in order.
    ///
    /// In an embedded store that is every edit. A replica reports the changes that its feed brings.
    /// Changes that the feed has missed, or that come as a [`Change::Reload`], are reported as the
    /// differences that the next load finds: an entry that was edited twice meanwhile is one
    /// change, one that came and went is none, and who deleted an entry is not known. An audit log
    /// that must have every edit, and who made it, is kept where edits are made.
    ///
    /// At most `capacity` changes wait for the subscriber, which learns how many it has missed
    /// when it is slower than that. Dropping [`Events`] ends the subscription. Subscribers are woken
    /// within the edit, before its store takes the next one. So a waker that you write yourself must
    /// not edit: it would wait for itself.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_cors::trusted::{
    ///     entry::{Actor, OriginDraft, Scope},
    ///     registry::{OriginEventKind, Received},
    ///     store::{EmbeddedStore, OriginStore},
    /// };
    ///
    /// let store = EmbeddedStore::in_memory();
    /// let mut events = store.origins().subscribe(16);
    /// let draft = OriginDraft::new("App", "https://app.example", Scope::Cors)?;
    /// store.create(draft, Actor::new("admin@example.com")?).await?;
    ///
    /// let Some(Received::Event(event)) = events.try_next() else {
    ///     panic!("one edit, one event");
    /// };
    /// assert!(matches!(event.kind, OriginEventKind::Created { .. }));
    /// assert_eq!(events.try_next(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, capacity: usize) -> Events {
        Events::new(self.writer().subscribers.subscribe(capacity))
    }

    /// The same changes as a source tells them, for a replica of this registry.
    pub(crate) fn follow(&self, capacity: usize) -> Subscription<Change> {
        self.writer().followers.subscribe(capacity)
    }

    /// How many rows of the source are invalid. They are skipped.
    pub fn invalid_rows(&self) -> usize {
        self.writer().invalid.len()
    }

    /// The first invalid rows, by key.
    pub fn invalid_rows_up_to(&self, limit: usize) -> Vec<InvalidRow> {
        self.writer().invalid.first(limit)
    }

    /// Replaces the content by that of a source at the moment `begun`. Returns whether anything has
    /// changed.
    pub(crate) fn apply_load(
        &self,
        load: SourceSnapshot,
        at: &Position,
        begun: Duration,
    ) -> Result<bool, VersionRegressed> {
        let mut writer = self.writer();
        if at.version() < writer.at.version() {
            return Err(VersionRegressed {
                served: writer.at.version(),
                offered: at.version(),
            });
        }
        // The entries may have changed while they were read: they are as old as the beginning.
        let confirmed = begun.saturating_sub(load.age);
        let changed = writer.replace_all(load, at);
        self.publish(writer, Some(confirmed));
        Ok(changed)
    }

    /// Serves a change that came at the moment `received`. Returns whether it has changed anything:
    /// one that is older than what is served, or already in it, has been seen before.
    ///
    /// [`Change::Reload`] is for callers that can load. So is any change that contradicts what is
    /// served: the source has another history.
    pub(crate) fn apply(&self, change: Change, received: Duration) -> bool {
        let mut writer = self.writer();
        let is_old = change.version() < writer.at.version();
        if is_old || change.is_reload() || change.at().contradicts(&writer.at) {
            return false;
        }
        // A change that has been on the way for long says nothing about what came after it. Only
        // a confirmation, which knows how old it is, makes the registry fresher.
        let confirmed = match &change {
            Change::Current { age, .. } if writer.is_loaded => Some(received.saturating_sub(*age)),
            _ => None,
        };
        let changed = writer.apply(change);
        if changed {
            self.publish(writer, confirmed);
        } else if let Some(at) = confirmed {
            self.inner.freshness.confirm(at);
        }
        changed
    }

    /// Position and entries of one moment.
    pub(crate) fn contents(&self) -> (Position, Vec<Arc<TrustedOrigin>>) {
        let writer = self.writer();
        let entries = writer.entries.values().cloned().collect();
        (writer.at.clone(), entries)
    }

    pub(crate) fn freshness(&self) -> &Freshness {
        &self.inner.freshness
    }

    /// The permissions of the origin, or `None` when the registry is not available.
    pub(crate) fn access(&self, origin: &Origin) -> Option<Access> {
        let is_usable = self.inner.freshness.is_usable();
        is_usable.then(|| self.inner.snapshot.load().index.access(origin))
    }

    /// All entries that match the origin, inactive ones too.
    pub(crate) fn matching(&self, origin: &Origin) -> Vec<Arc<TrustedOrigin>> {
        let snapshot = self.inner.snapshot.load();
        let mut matching = snapshot.index.matching(origin);
        matching.extend(snapshot.inactive.matching(origin));
        matching
    }

    /// Publishes the writer's state, which the source held at the moment `confirmed`; queues the
    /// changes for listeners; and wakes those when the lock is free again.
    fn publish(&self, mut writer: MutexGuard<'_, Writer>, confirmed: Option<Duration>) {
        self.inner.snapshot.store(Arc::new(writer.snapshot()));
        if let Some(at) = confirmed {
            self.inner.freshness.confirm(at);
        }
        let wakers = writer.deliver();
        drop(writer);
        for waker in wakers {
            waker.wake();
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        lock(&self.inner.writer)
    }
}

/// Lets the runtime do other work once, whichever runtime that is.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How many entries are looked at under one lock.
const CHUNK: usize = 1024;

impl Default for OriginRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OriginRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginRegistry")
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
