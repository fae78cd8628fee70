use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    error::RegisterError,
    live_tokens::{LiveTokens, end_of},
    token::{Issued, IssuedSnapshot, Merged, Revocation, Revoked},
};
use crate::{
    origin::{Origin, RequestOrigin},
    policy::{Denial, DenialKind, Grant, OriginPolicy, PolicyProperties, Verdict, VerdictFuture},
    preflight::DEFAULT_MAX_AGE,
    request::CorsRequest,
    time::{Clock, SystemClock},
};

/// All origins that some live token of this issuer names.
///
/// For preflights of requests whose token is in a header, where the service itself issues the
/// tokens: whoever mints one registers it here, and its origins pass the preflight until it expires
/// or is revoked. The answer is one bit, that *some* token names the origin, and browsers may keep
/// it no longer than the last such token lives. Actual requests it has no opinion on.
///
/// For 65 minutes after a token's expiry, while there is room, its origins still pass the preflight,
/// and no browser may keep that answer: otherwise its page could not read the 401 that tells it to
/// get a new one.
///
/// Clones share the index; replicas share it with [`snapshot`](Self::snapshot) and
/// [`merge`](Self::merge), in which a revocation always wins. A lookup takes a shared lock for the
/// time of one probe, and allocates nothing.
///
/// The index is bounded. When it is full of live tokens and revocations,
/// [`register`](Self::register) refuses and the token must not be handed out: to forget another
/// token silently would break a page that has done nothing.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::{Origin, preflight::{Issued, IssuedIndex}};
///
/// let page: Origin = "https://contoso.com".parse().unwrap();
/// let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
///
/// let index = IssuedIndex::new(100_000);
/// index.register(&Issued::new("token-1", [page.clone()], in_an_hour).session("chat-7"))?;
/// assert!(index.contains(&page));
///
/// index.revoke_session("chat-7")?;
/// assert!(!index.contains(&page));
/// # Ok::<(), tower_cors::preflight::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct IssuedIndex {
    shared: Arc<Shared>,
    max_age: Duration,
}

struct Shared {
    clock: Box<dyn Clock>,
    live: RwLock<LiveTokens>,
}

impl IssuedIndex {
    /// The longest id of a token or session, in bytes.
    pub const MAX_ID_LEN: usize = 256;
    /// The longest that a token may have to live when it is registered: 24 hours. A revocation of a
    /// token that is not registered is remembered for as long and 65 minutes more.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// An empty index for at most `max_entries` entries: the origins of all live tokens together,
    /// each as often as a token names it, and the revocations.
    pub fn new(max_entries: usize) -> Self {
        Self::with_clock(max_entries, SystemClock)
    }

    /// An empty index that asks `clock` what time it is.
    pub fn with_clock(max_entries: usize, clock: impl Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock: Box::new(clock),
                live: RwLock::new(LiveTokens::new(max_entries)),
            }),
            max_age: DEFAULT_MAX_AGE,
        }
    }

    /// Sets how long browsers may keep the answer to a preflight, in whole seconds, even where a
    /// token lives longer. Default: 60 seconds.
    #[must_use]
    pub fn max_age_at_most(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Registers a token before it is handed out.
    ///
    /// # Errors
    ///
    /// When there is no room, when the token or its session is revoked, or when its id, its
    /// lifetime or its list is not acceptable. Nothing is registered then.
    pub fn register(&self, token: &Issued) -> Result<(), RegisterError> {
        let now = self.now();
        self.live_mut().insert(token, now)
    }

    /// Revokes a token by its id, also one that only another replica knows; whether it was known.
    ///
    /// A token that was known is revoked for good. One that is not is taken for a token that lives
    /// [24 hours](Self::MAX_LIFETIME) at most: one of another issuer that lives longer, or for ever,
    /// is good again once the revocation is forgotten.
    ///
    /// # Errors
    ///
    /// [`RegisterError::Full`] when a token that is not known here cannot be remembered, and
    /// [`RegisterError::Id`]. To revoke a token that is known always succeeds.
    pub fn revoke(&self, id: &str) -> Result<bool, RegisterError> {
        self.remember(Revoked::Token(id.into()), None)
    }

    /// Revokes all tokens of a session, those to come too; whether any was known.
    ///
    /// It is remembered as for a token that is not known: no token of the session may be issued
    /// later, or live longer.
    ///
    /// # Errors
    ///
    /// As for [`revoke`](Self::revoke).
    pub fn revoke_session(&self, session: &str) -> Result<bool, RegisterError> {
        self.remember(Revoked::Session(session.into()), None)
    }

    /// Whether the token, or the session that it belongs to, is known to be revoked.
    pub fn is_revoked(&self, id: &str, session: Option<&str>) -> bool {
        let now = self.now();
        self.live().is_revoked(id, session, now)
    }

    /// Whether some live token names the origin.
    pub fn contains(&self, origin: &Origin) -> bool {
        self.time_left(origin).is_some()
    }

    /// How long the last token that names the origin will live, in whole seconds.
    pub fn time_left(&self, origin: &Origin) -> Option<Duration> {
        let now = self.now();
        let expiry = self.expiry_of(origin)?;
        match expiry.checked_sub(now) {
            Some(0) | None => None,
            Some(left) => Some(Duration::from_secs(left)),
        }
    }

    /// The number of entries, with those of expired tokens that are still kept.
    pub fn len(&self) -> usize {
        self.live().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what need not be kept any more, as every registration does too.
    pub fn purge(&self) {
        let now = self.now();
        self.live_mut().purge(now);
    }

    /// Everything that another replica needs in order to answer as this one does.
    pub fn snapshot(&self) -> IssuedSnapshot {
        let now = self.now();
        self.live().snapshot(now)
    }

    /// Takes over what another replica knows. In whatever order replicas merge each other's
    /// snapshots, and however often, they end up with the same.
    pub fn merge(&self, snapshot: &IssuedSnapshot) -> Merged {
        let mut merged = Merged::default();
        for Revocation { revoked, until } in &snapshot.revocations {
            let (now, until) = (self.now(), seconds(*until));
            if until <= now || self.live().remembers(revoked, until) {
                continue;
            }
            match self.remember(revoked.clone(), Some(until)) {
                Ok(_) => merged.revoked += 1,
                Err(_) => merged.refused += 1,
            }
        }
        for token in &snapshot.tokens {
            // One at a time, so that lookups do not wait for a long snapshot.
            match self.take_over(token) {
                Ok(()) => merged.added += 1,
                Err(RegisterError::Known | RegisterError::Revoked | RegisterError::Expired) => {}
                Err(_) => merged.refused += 1,
            }
        }
        merged
    }

    fn take_over(&self, token: &Issued) -> Result<(), RegisterError> {
        let now = self.now();
        self.live_mut().take_over(token, now)
    }

    /// When the last token that names the origin expires, or has expired.
    fn expiry_of(&self, origin: &Origin) -> Option<u64> {
        self.live().expiry_of(origin)
    }

    /// How long browsers may keep the answer to a preflight, or `None` where there is none to give.
    fn answer_to(&self, origin: &Origin) -> Option<Duration> {
        let (expiry, now) = (self.expiry_of(origin)?, self.now());
        let left = Duration::from_secs(expiry.saturating_sub(now));
        (now < end_of(expiry)).then_some(left)
    }

    fn remember(&self, revoked: Revoked, until: Option<u64>) -> Result<bool, RegisterError> {
        let now = self.now();
        self.live_mut().revoke(revoked, until, now)
    }

    fn now(&self) -> u64 {
        seconds(self.shared.clock.now())
    }

    // A thread that panics leaves the tables usable: nothing that can panic is called between two
    // steps of an update.

    fn live(&self) -> RwLockReadGuard<'_, LiveTokens> {
        let live = self.shared.live.read();
        live.unwrap_or_else(PoisonError::into_inner)
    }

    fn live_mut(&self) -> RwLockWriteGuard<'_, LiveTokens> {
        let live = self.shared.live.write();
        live.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole seconds since the epoch, as tokens count them (RFC 7519, section 2).
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl OriginPolicy for IssuedIndex {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Verdict::Abstain)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let verdict = match request.origin() {
            RequestOrigin::Opaque => Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin)),
            RequestOrigin::Tuple(origin) => match self.answer_to(origin) {
                Some(left) => {
                    let grant = Grant::new().max_age_at_most(self.max_age);
                    Verdict::Allow(grant.max_age_at_most(left))
                }
                None => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
            },
        };
        VerdictFuture::ready(verdict)
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().no_store()
    }
}

impl fmt::Debug for IssuedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedIndex")
            .field("entries", &self.len())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
