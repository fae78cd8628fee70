use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    changes::{ChangeCursor, PAGE, RevocationChanges, Revoked},
    error::RevocationError,
    identity::TokenIdentity,
    table::{Now, RevocationTable, end_of, seconds, time},
    unknown_kind::UnknownKind,
};
use crate::{
    lock::{lock, read, write},
    random,
    time::{Clock, SystemClock},
};

/// What is revoked: tokens by their id, sessions with all of their tokens, and everything that was
/// issued until a time.
///
/// Clones share the list. Hand it to the [index](crate::preflight::IssuedIndex::sharing) that
/// answers preflights, to the [minter](crate::token::issue::TokenMinterBuilder::revocations), and to
/// the verifier ([`Revocable`](crate::token::issue::Revocable)): what is revoked here is then
/// refused by all of them at once.
///
/// It fails closed. The list is bounded, and **when it is full, everything that was issued until
/// now is revoked** instead of a revocation being lost; give all replicas the same bound. A
/// revocation is remembered for the [longest lifetime](RevocationsBuilder::max_lifetime) of a token,
/// and 65 minutes more, for which an expired one can be read. After that it goes when its place is
/// needed, and tokens of its time are refused all the same. So the name of a session must not be
/// used again.
///
/// ```
/// use std::time::SystemTime;
/// use tower_cors::revocation::{Revocations, TokenIdentity};
///
/// let revocations = Revocations::new(10_000);
/// let token = TokenIdentity::new().id("token-1").session("7").issued_at(SystemTime::now());
/// assert!(!revocations.is_revoked(&token));
///
/// revocations.revoke_session("7")?;
/// assert!(revocations.is_revoked(&token));
/// assert!(!revocations.is_revoked(&token.session("8")));
/// # Ok::<(), tower_cors::revocation::RevocationError>(())
/// ```
#[derive(Clone)]
pub struct Revocations {
    shared: Arc<Shared>,
}

struct Shared {
    /// Tells this list from all others, and from itself after a restart.
    list: u64,
    clock: Arc<dyn Clock>,
    session_claim: Box<str>,
    table: RwLock<RevocationTable>,
    /// Whether nothing has ever been revoked, so that most requests need no lock.
    is_untouched: AtomicBool,
    /// The latest time that the clock has shown, in seconds.
    latest: AtomicU64,
    listeners: Mutex<Vec<Weak<dyn OnRevoked>>>,
    /// When revocations of kinds that are not known, and that do not say when they were made, were
    /// merged first: by their fingerprint and end.
    undated: Mutex<HashMap<(u64, u64), u64>>,
}

/// How many undated revocations are remembered.
const MAX_UNDATED: usize = 1024;

/// Is told of what is revoked, without any lock of the list.
pub(crate) trait OnRevoked: Send + Sync {
    fn on_revoked(&self, revoked: &Revoked);

    /// Everything that was issued then or before is revoked.
    fn on_issued_until(&self, time: u64);
}

impl Revocations {
    /// The longest id of a token or session, in bytes.
    pub const MAX_ID_LEN: usize = 256;
    /// How long a token lives at most, unless that is [set](RevocationsBuilder::max_lifetime).
    pub const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
    /// The claim that names the session which a token belongs to, unless another one is
    /// [set](RevocationsBuilder::session_claim): `sid`, as OpenID Connect has it.
    pub const DEFAULT_SESSION_CLAIM: &str = "sid";

    /// A list of at most `max_entries` revocations.
    pub fn new(max_entries: usize) -> Self {
        Self::builder(max_entries).build()
    }

    /// Starts a configuration of a list of at most `max_entries` revocations.
    pub fn builder(max_entries: usize) -> RevocationsBuilder {
        RevocationsBuilder {
            max_entries,
            session_claim: Self::DEFAULT_SESSION_CLAIM.into(),
            max_lifetime: Self::DEFAULT_MAX_LIFETIME,
            clock: Arc::new(SystemClock),
        }
    }

    /// Revokes a token by its id, the claim `jti`.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Id`].
    pub fn revoke(&self, id: &str) -> Result<(), RevocationError> {
        self.revoke_until(Revoked::Token(check_id(id)?), None);
        Ok(())
    }

    /// Revokes a token whose expiry is known: its place is free again when it can be neither
    /// accepted nor read any more.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Id`].
    pub fn revoke_expiring(&self, id: &str, expires_at: SystemTime) -> Result<(), RevocationError> {
        let until = end_of(seconds(expires_at));
        self.revoke_until(Revoked::Token(check_id(id)?), Some(until));
        Ok(())
    }

    /// Revokes all tokens of a session, those to come included.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Id`].
    pub fn revoke_session(&self, session: &str) -> Result<(), RevocationError> {
        self.revoke_until(Revoked::Session(check_id(session)?), None);
        Ok(())
    }

    /// Revokes everything that was issued at this time or before, as after a key was stolen.
    pub fn revoke_issued_until(&self, time: SystemTime) {
        let time = seconds(time);
        if self.table_mut().revoke_issued_until(time) {
            self.tell_of_issued_until(time);
        }
    }

    /// Whether the token is revoked: by its id, by its session, or by when it was issued.
    pub fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        // Noted in any case: a token may be minted next, by a clock that is ahead.
        self.now();
        !self.shared.is_untouched.load(Ordering::Acquire) && self.table().is_revoked(token)
    }

    /// The time until which everything that was issued is revoked, if there is one.
    pub fn issued_until(&self) -> Option<SystemTime> {
        self.table().issued_until().map(time)
    }

    /// The claim that names the session which a token belongs to.
    pub fn session_claim(&self) -> &str {
        &self.shared.session_claim
    }

    /// The number of revocations that are remembered.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether no revocation is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets revocations that need not be remembered any more. This only frees memory: a new entry
    /// makes room without it.
    pub fn purge(&self) {
        let now = self.now().clock;
        while self.table_mut().purge(now, PAGE) {}
    }

    /// What has been revoked since the cursor, a page at a time.
    ///
    /// ```
    /// use tower_cors::revocation::{ChangeCursor, Revocations, TokenIdentity};
    ///
    /// let (here, there) = (Revocations::new(100), Revocations::new(100));
    /// here.revoke("token-1")?;
    ///
    /// // Now and then, over whatever carries messages between replicas.
    /// let mut cursor = ChangeCursor::default();
    /// loop {
    ///     let changes = here.changes_since(cursor);
    ///     there.merge(&changes);
    ///     cursor = changes.next;
    ///     if !changes.has_more {
    ///         break;
    ///     }
    /// }
    /// assert!(there.is_revoked(&TokenIdentity::new().id("token-1")));
    /// assert!(here.changes_since(cursor).revocations.is_empty());
    /// # Ok::<(), tower_cors::revocation::RevocationError>(())
    /// ```
    pub fn changes_since(&self, cursor: ChangeCursor) -> RevocationChanges {
        self.table().changes_since(cursor, self.shared.list)
    }

    /// Takes over what another replica has revoked; how many revocations were not known. Replicas
    /// that merge each other's changes, in whatever order and however often, come to the same. A
    /// [kind](Revoked::Unknown) that only a newer version knows revokes everything that was issued
    /// until it was made, or until it was merged first, where nothing says when it was made.
    pub fn merge(&self, changes: &RevocationChanges) -> usize {
        let mut news = 0;
        for revocation in &changes.revocations {
            let now = self.now();
            // Where nothing says when it was made, it was made now at the latest.
            let since = revocation.since.map_or(now.latest, seconds).min(now.latest);
            let revoked = match (&revocation.revoked, check_id(revocation.revoked.id())) {
                (Revoked::Unknown(kind), _) => {
                    let since = if revocation.since.is_some() {
                        since
                    } else {
                        self.first_merged(kind, revocation.until, now)
                    };
                    self.revoke_issued_until(time(since));
                    continue;
                }
                (_, Err(_)) => continue,
                (Revoked::Token(_), Ok(id)) => Revoked::Token(id),
                (Revoked::Session(_), Ok(id)) => Revoked::Session(id),
            };
            let until = seconds(revocation.until).min(self.table().longest(now.latest));
            news += usize::from(self.remember(revoked, since, until, now));
        }
        if let Some(time) = changes.issued_until {
            self.revoke_issued_until(time);
        }
        news
    }

    /// When an undated revocation was merged first. Merged again, it must not revoke what was issued
    /// meanwhile.
    fn first_merged(&self, kind: &UnknownKind, until: SystemTime, now: Now) -> u64 {
        let key = (kind.fingerprint(), seconds(until));
        let mut undated = lock(&self.shared.undated);
        if undated.len() >= MAX_UNDATED && !undated.contains_key(&key) {
            // What is forgotten counts as new when it is merged again, which revokes more.
            undated.clear();
        }
        *undated.entry(key).or_insert(now.latest)
    }

    pub(crate) fn on_revoked(&self, listener: Weak<dyn OnRevoked>) {
        let mut listeners = self.listeners();
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(listener);
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Whether both are the same list.
    #[cfg(feature = "jwt")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    fn now(&self) -> Now {
        let clock = seconds(self.shared.clock.now());
        let latest = &self.shared.latest;
        // Once a second, so that requests do not contend for it.
        let before = latest.load(Ordering::Relaxed);
        if before < clock {
            latest.fetch_max(clock, Ordering::Relaxed);
        }
        Now {
            clock,
            latest: before.max(clock),
        }
    }

    fn revoke_until(&self, revoked: Revoked, until: Option<u64>) {
        let now = self.now();
        let longest = self.table().longest(now.latest);
        let until = until.map_or(longest, |until| until.min(longest));
        self.remember(revoked, now.latest, until, now);
    }

    /// Whether it was not known.
    fn remember(&self, revoked: Revoked, since: u64, until: u64, now: Now) -> bool {
        let (is_new, overflow) = {
            let mut table = self.table_mut();
            let before = table.changes();
            let overflow = table.revoke(revoked.clone(), since, until, now);
            (table.changes() > before, overflow)
        };
        if is_new {
            self.tell(|listener| listener.on_revoked(&revoked));
        }
        if let Some(given_up) = overflow {
            self.tell_of_issued_until(now.latest);
            // The lock is free again.
            drop(given_up);
        }
        is_new
    }

    fn tell_of_issued_until(&self, time: u64) {
        self.tell(|listener| listener.on_issued_until(time));
    }

    fn tell(&self, tell: impl Fn(&dyn OnRevoked)) {
        let listeners: Vec<_> = self.listeners().iter().filter_map(Weak::upgrade).collect();
        for listener in listeners {
            tell(&*listener);
        }
    }

    fn table(&self) -> RwLockReadGuard<'_, RevocationTable> {
        read(&self.shared.table)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, RevocationTable> {
        self.shared.is_untouched.store(false, Ordering::Release);
        write(&self.shared.table)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Weak<dyn OnRevoked>>> {
        lock(&self.shared.listeners)
    }
}

fn check_id(id: &str) -> Result<Box<str>, RevocationError> {
    match id.len() {
        1..=Revocations::MAX_ID_LEN => Ok(id.into()),
        _ => Err(RevocationError::Id),
    }
}

/// Revocations may name sessions of people: only their number is printed.
impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("session_claim", &self.shared.session_claim)
            .field("len", &self.len())
            .field("issued_until", &self.issued_until())
            .finish_non_exhaustive()
    }
}

/// A [`Revocations`] in the making: see [`Revocations::builder`].
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::revocation::{Revocations, TokenIdentity};
///
/// let an_hour = Duration::from_secs(3600);
/// let revocations = Revocations::builder(10_000).max_lifetime(an_hour).build();
/// revocations.revoke_session("7")?;
///
/// let token = TokenIdentity::new().issued_at(SystemTime::now());
/// assert!(revocations.is_revoked(&token.session("7")));
/// assert!(!revocations.is_revoked(&token.session("8")));
/// # Ok::<(), tower_cors::revocation::RevocationError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct RevocationsBuilder {
    max_entries: usize,
    session_claim: Box<str>,
    max_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

impl RevocationsBuilder {
    /// Sets the claim that names the session which a token belongs to. It is named here once: the
    /// minter writes it, and the verifier reads it. Default: `sid`.
    pub fn session_claim(mut self, name: impl Into<Box<str>>) -> Self {
        self.session_claim = name.into();
        self
    }

    /// Sets how long a token lives at most, and so how long a revocation is remembered. Default: 24
    /// hours.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The empty list.
    pub fn build(self) -> Revocations {
        Revocations {
            shared: Arc::new(Shared {
                list: random::number() | 1,
                clock: self.clock,
                session_claim: self.session_claim,
                table: RwLock::new(RevocationTable::new(self.max_entries, self.max_lifetime)),
                is_untouched: AtomicBool::new(true),
                latest: AtomicU64::new(0),
                listeners: Mutex::default(),
                undated: Mutex::default(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::changes::Revocation, *};

    /// Shows the seconds that it is set to.
    #[derive(Clone, Debug, Default)]
    struct Hand(Arc<AtomicU64>);

    impl Clock for Hand {
        fn now(&self) -> SystemTime {
            time(self.0.load(Ordering::SeqCst))
        }
    }

    fn set(clock: &Hand, seconds: u64) {
        clock.0.store(seconds, Ordering::SeqCst);
    }

    #[test]
    fn what_has_lapsed_is_forgotten_when_that_is_asked_for() {
        let of_a_day = Revocations::builder(10);
        let short = Revocations::builder(10).max_lifetime(Duration::from_secs(100));
        for (builder, lifetime) in [(of_a_day, 86_400), (short, 100)] {
            let clock = Hand::default();
            let list = builder.clock(clock.clone()).build();
            assert!(list.is_empty());
            list.revoke("t").unwrap();
            list.revoke_session("s").unwrap();
            set(&clock, end_of(lifetime) - 1);
            list.purge();
            assert_eq!((list.len(), list.is_empty()), (2, false));
            // No name of a session is printed.
            let text = format!("{list:?}");
            assert!(text.contains("len: 2") && !text.contains("\"s\""), "{text}");
            set(&clock, end_of(lifetime));
            list.purge();
            assert_eq!((list.len(), list.is_empty()), (0, true));
        }
    }

    #[test]
    fn the_latest_time_is_kept_when_the_clock_is_set_back() {
        let clock = Hand::default();
        let list = Revocations::builder(10).clock(clock.clone()).build();
        set(&clock, 1_000);
        assert!(!list.is_revoked(&TokenIdentity::new().id("t")));
        set(&clock, 500);
        list.revoke_session("s").unwrap();
        let changes = list.changes_since(ChangeCursor::default());
        assert_eq!(changes.revocations[0].since, Some(time(1_000)));
    }

    #[test]
    fn an_undated_revocation_counts_from_its_first_merge() {
        let clock = Hand::default();
        let list = Revocations::builder(10).clock(clock.clone()).build();
        let merge = |at: u64, kinds: &[(&str, u64)]| {
            set(&clock, at);
            let undated = kinds.iter().map(|(kind, until)| {
                let revoked = Revoked::Unknown((*kind).into());
                let mut revocation = Revocation::new(revoked, time(0), time(*until));
                revocation.since = None;
                revocation
            });
            list.merge(&RevocationChanges::from_store(undated, None));
            list.issued_until().map(seconds)
        };
        assert_eq!(merge(100, &[("user", 500)]), Some(100));
        assert_eq!(merge(200, &[("user", 500)]), Some(100));
        // Another kind, another end: other revocations.
        assert_eq!(merge(300, &[("user", 500), ("issuer", 500)]), Some(300));
        assert_eq!(merge(400, &[("issuer", 500), ("user", 501)]), Some(400));
        assert_eq!(merge(500, &[("issuer", 500), ("user", 501)]), Some(400));
        // Where there are too many of them, more is revoked.
        for until in 1000..1000 + MAX_UNDATED as u64 {
            assert_eq!(merge(600, &[("user", until)]), Some(600));
        }
        assert!(lock(&list.shared.undated).len() <= MAX_UNDATED);
        assert_eq!(merge(700, &[("user", 500)]), Some(700));
    }

    #[test]
    fn lists_are_told_apart() {
        let list = || {
            Revocations::new(1)
                .changes_since(ChangeCursor::default())
                .next
                .list
        };
        let lists: std::collections::HashSet<u64> = (0..8).map(|_| list()).collect();
        assert_eq!(lists.len(), 8);
    }

    #[derive(Default)]
    struct Heard(AtomicU64);

    impl OnRevoked for Heard {
        fn on_revoked(&self, _: &Revoked) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn on_issued_until(&self, _: u64) {}
    }

    #[test]
    fn all_who_listen_hear_of_it_and_nobody_else_is_kept() {
        let list = Revocations::new(10);
        let listeners: [Arc<Heard>; 3] = Default::default();
        let gone = Arc::new(Heard::default());
        for listener in [&listeners[0], &gone, &listeners[1]] {
            let listener: Weak<Heard> = Arc::downgrade(listener);
            list.on_revoked(listener);
        }
        drop(gone);
        let last: Weak<Heard> = Arc::downgrade(&listeners[2]);
        list.on_revoked(last);
        assert_eq!(list.listeners().len(), 3);
        list.revoke("t").unwrap();
        for listener in &listeners {
            assert_eq!(listener.0.load(Ordering::SeqCst), 1);
        }
    }
}
