use std::{fmt, sync::Arc, time::Duration};

use super::{
    error::RegisterError,
    live_tokens::{Limits, MAX_LIFETIME},
    shared::{STEP, Shared},
    token::{Issued, IssuedChanges, IssuedCursor, Merged},
};
use crate::{
    origin::{Origin, RequestOrigin},
    policy::{
        Denial, DenialKind, OriginPolicy, PolicyProperties, UncheckedList, Verdict, VerdictFuture,
    },
    preflight::DEFAULT_MAX_AGE,
    request::CorsRequest,
    revocation::{RevocationError, Revocations, end_of},
    time::{Clock, SystemClock},
};

/// All origins that some live token of this issuer names.
///
/// For preflights of requests whose token is in a header, where the service itself issues the
/// tokens. A token is registered here before it is handed out, and its origins pass the preflight
/// until it expires or is [revoked](Self::revocations). The answer is one bit, that *some* token
/// names the origin, and browsers may keep it no longer than the last such token lives. It abstains
/// on requests. Where those are denied, the layer has to refuse them, which
/// [`TokenOrigins`](crate::token::TokenOrigins) asks for by itself: with
/// [`DeniedRequests::Forward`](crate::DeniedRequests::Forward) no layer builds.
///
/// For 65 minutes after a token's expiry, while there is room, its origins still pass the preflight,
/// and no browser may keep that answer: otherwise its page could not read the 401 that tells it to
/// get a new one.
///
/// Which origins a token names is not checked here: [`Issued::new`] takes any. So `http` origins that
/// are not of this machine let preflights pass **without credentials**, whatever the layer says, also
/// where the minter was told to let them in: an index takes over the tokens of other replicas, and
/// cannot tell which rules those were minted by.
///
/// Clones share the index; replicas exchange [what is new](Self::changes_since). A lookup takes a
/// shared lock for the time of one probe, and allocates nothing.
///
/// The index is bounded, and so is the [share](Self::max_entries_per_tenant) of each tenant. When it
/// is full of live tokens, [`register`](Self::register) refuses and the token must not be handed
/// out: to forget another token silently would break a page that has done nothing. Revocations have
/// a bound of their own, so that no number of tokens keeps one out.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct IssuedIndex {
    shared: Arc<Shared>,
    limits: Limits,
    max_age: Duration,
    lists: UncheckedList,
}

impl IssuedIndex {
    /// The longest id of a token, session or tenant, in bytes.
    pub const MAX_ID_LEN: usize = Revocations::MAX_ID_LEN;
    /// The longest that a token may have to live when it is registered: 24 hours.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(MAX_LIFETIME);

    /// An empty index for at most `max_entries` entries, and as many revocations. A live token is an
    /// entry, and so is each origin of a list, however many tokens of a tenant share the list.
    pub fn new(max_entries: usize) -> Self {
        Self::with_clock(max_entries, SystemClock)
    }

    /// An empty index that asks `clock` what time it is.
    pub fn with_clock(max_entries: usize, clock: impl Clock) -> Self {
        let revocations = Revocations::builder(max_entries).clock(clock).build();
        Self::sharing(max_entries, &revocations)
    }

    /// An empty index that closes the preflights of what is revoked in this list, and has its clock.
    pub fn sharing(max_entries: usize, revocations: &Revocations) -> Self {
        Self {
            shared: Shared::closed_by(revocations),
            limits: Limits {
                all: max_entries,
                each_tenant: max_entries.div_ceil(4),
            },
            max_age: DEFAULT_MAX_AGE,
            lists: UncheckedList::default(),
        }
    }

    /// Sets how many entries the tokens of one [tenant](Issued::tenant) may take, for what is
    /// registered through this clone. Default: a quarter of the index. Tokens without a tenant may
    /// take all of it.
    #[must_use]
    pub fn max_entries_per_tenant(mut self, entries: usize) -> Self {
        self.limits.each_tenant = entries;
        self
    }

    /// Sets how long browsers may keep the answer to a preflight, in whole seconds, even where a
    /// token lives longer. Default: 60 seconds.
    #[must_use]
    pub fn max_age_at_most(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Lets the preflights of named origins without transport security pass with credentials, if the
    /// layer allows them. Default: they pass without.
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user. Where
    /// the minter and the policy are told [`dangerously_allow_http`], pages of such origins can use
    /// their tokens without this, as long as they send no cookies.
    ///
    /// [`dangerously_allow_http`]: crate::token::claim::ListRules::dangerously_allow_http
    #[must_use]
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        self.lists.insecure_origins = true;
        self
    }

    /// Registers a token before it is handed out.
    ///
    /// # Errors
    ///
    /// When there is no room, when the token or its session is revoked, or when its id, its
    /// lifetime or its list is not acceptable. Nothing is registered then.
    pub fn register(&self, token: &Issued) -> Result<(), RegisterError> {
        let dated;
        let token = if token.issuance().is_some() {
            token
        } else {
            dated = token
                .clone()
                .issued_at(self.shared.revocations.clock().now());
            &dated
        };
        let now = self.shared.now();
        self.shared
            .put(token, |live| live.insert(token, now, self.limits))
    }

    /// What is revoked, to be shared with the minter and the verifier.
    pub fn revocations(&self) -> &Revocations {
        &self.shared.revocations
    }

    /// Revokes a token in the [list](Self::revocations), also one that only another replica knows.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Id`].
    pub fn revoke(&self, id: &str) -> Result<(), RevocationError> {
        let expiry = self.shared.live().expiry_of_token(id);
        let revocations = &self.shared.revocations;
        match expiry {
            Some(expiry) => revocations.revoke_expiring(id, crate::revocation::time(expiry)),
            None => revocations.revoke(id),
        }
    }

    /// Revokes all tokens of a session in the [list](Self::revocations), those to come included.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Id`].
    pub fn revoke_session(&self, session: &str) -> Result<(), RevocationError> {
        self.shared.revocations.revoke_session(session)
    }

    /// Whether some live token names the origin.
    pub fn contains(&self, origin: &Origin) -> bool {
        self.time_left(origin).is_some()
    }

    /// How long the last token that names the origin will live, in whole seconds.
    pub fn time_left(&self, origin: &Origin) -> Option<Duration> {
        let now = self.shared.now();
        let expiry = self.shared.live().expiry_of(origin)?;
        match expiry.checked_sub(now) {
            Some(0) | None => None,
            Some(left) => Some(Duration::from_secs(left)),
        }
    }

    /// The number of entries, with those of expired tokens that are still kept.
    pub fn len(&self) -> usize {
        self.shared.live().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets tokens that need not be kept any more. This only frees memory: a new entry makes room
    /// without it.
    pub fn purge(&self) {
        let now = self.shared.now();
        while self.shared.live_mut().purge(now, STEP) {}
    }

    /// What has been registered and revoked since the cursor, a page at a time.
    pub fn changes_since(&self, cursor: IssuedCursor) -> IssuedChanges {
        let revocations = self.shared.revocations.changes_since(cursor.revocations);
        let mut changes = self
            .shared
            .live()
            .changes_since(cursor.tokens, self.shared.list);
        changes.next.revocations = revocations.next;
        changes.has_more |= revocations.has_more;
        changes.revocations = revocations;
        changes
    }

    /// Takes over what another replica knows. In whatever order replicas merge each other's changes,
    /// and however often, they end up with the same; a revocation always wins.
    pub fn merge(&self, changes: &IssuedChanges) -> Merged {
        let mut merged = Merged {
            revoked: self.shared.revocations.merge(&changes.revocations),
            ..Merged::default()
        };
        for token in &changes.tokens {
            let now = self.shared.now();
            // One at a time, so that lookups do not wait for all of them.
            match self
                .shared
                .put(token, |live| live.take_over(token, now, self.limits))
            {
                Ok(()) => merged.added += 1,
                Err(RegisterError::Known | RegisterError::Revoked | RegisterError::Expired) => {
                    continue;
                }
                Err(_) => merged.refused += 1,
            }
            merged.left_out += token.left_out();
        }
        merged
    }

    /// How long browsers may keep the answer to a preflight, or `None` where there is none to give.
    fn answer_to(&self, origin: &Origin) -> Option<Duration> {
        let expiry = self.shared.live().expiry_of(origin)?;
        let now = self.shared.now();
        let left = Duration::from_secs(expiry.saturating_sub(now));
        (now < end_of(expiry)).then_some(left)
    }
}

impl From<IssuedIndex> for Revocations {
    fn from(index: IssuedIndex) -> Self {
        index.shared.revocations.clone()
    }
}

impl OriginPolicy for IssuedIndex {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Verdict::Abstain)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let verdict = match request.origin() {
            RequestOrigin::Opaque => Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin)),
            RequestOrigin::Tuple(origin) => {
                let left = self.answer_to(origin);
                // Tokens name single origins, so no entry matches strangers. Preflights carry no
                // cookies; a client that sends some all the same does not count.
                let is_named = || left.is_some();
                match (self.lists.judge(origin, false, is_named, is_named), left) {
                    (Some(Verdict::Allow(grant)), Some(left)) => {
                        let grant = grant.max_age_at_most(self.max_age);
                        Verdict::Allow(grant.max_age_at_most(left))
                    }
                    _ => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
                }
            }
        };
        VerdictFuture::ready(verdict)
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().preflight_of_any_list().no_store()
    }
}

impl fmt::Debug for IssuedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedIndex")
            .field("entries", &self.len())
            .field("limits", &self.limits)
            .field("revocations", &self.shared.revocations)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU64, Ordering},
        time::SystemTime,
    };

    use proptest::prelude::*;

    use super::*;
    use crate::revocation::{PAGE, time};

    #[derive(Clone, Debug)]
    struct TestClock(Arc<AtomicU64>);

    impl Clock for TestClock {
        fn now(&self) -> SystemTime {
            time(self.0.load(Ordering::Relaxed))
        }
    }

    fn issued(id: u8, session: u8, origins: &BTreeSet<u8>, expiry: u64) -> Issued {
        let issued = Issued::new(
            id.to_string(),
            origins.iter().map(|n| origin(*n)),
            time(expiry),
        );
        match session {
            0 => issued,
            session => issued
                .session(session.to_string())
                .tenant(format!("t{}", session % 2)),
        }
    }

    fn origin(n: u8) -> Origin {
        format!("https://o{n}.example").parse().unwrap()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u8, BTreeSet<u8>, u64),
        Revoke(u8),
        RevokeSession(u8),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let origins = proptest::collection::btree_set(0_u8..3, 1..4);
        let end = end_of(0);
        prop_oneof![
            6 => (0_u8..30, 0_u8..3, origins, 1_u64..20)
                .prop_map(|(id, session, origins, life)| Step::Insert(id, session, origins, life)),
            1 => (0_u8..30).prop_map(Step::Revoke),
            1 => (1_u8..3).prop_map(Step::RevokeSession),
            2 => (0_u64..10).prop_map(Step::Wait),
            1 => (0_u64..20).prop_map(move |more| Step::Wait(end - 10 + more)),
        ]
    }

    /// The naive model: everything that ever happened.
    #[derive(Default)]
    struct Model {
        tokens: Vec<(u8, u8, BTreeSet<u8>, u64)>,
        revoked: BTreeSet<u8>,
        revoked_sessions: BTreeSet<u8>,
    }

    impl Model {
        fn is_revoked(&self, id: u8, session: u8) -> bool {
            self.revoked.contains(&id) || self.revoked_sessions.contains(&session)
        }

        /// How long the answer to a preflight may be kept, in seconds.
        fn answer_to(&self, origin: u8, now: u64) -> Option<u64> {
            let live = self.tokens.iter().filter(|(id, session, origins, expiry)| {
                end_of(*expiry) > now
                    && origins.contains(&origin)
                    && !self.is_revoked(*id, *session)
            });
            live.map(|(.., expiry)| expiry.saturating_sub(now)).max()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn agrees_with_the_whole_history(steps in proptest::collection::vec(step(), 0..40)) {
            let clock = TestClock(Arc::new(AtomicU64::new(1_000_000)));
            let index = IssuedIndex::with_clock(1000, clock.clone());
            // A replica that sees every state, and never the steps.
            let replica = IssuedIndex::with_clock(1000, clock.clone());
            let mut cursor = IssuedCursor::default();
            let mut model = Model::default();
            for step in steps {
                let now = clock.0.load(Ordering::Relaxed);
                match step {
                    Step::Insert(id, session, origins, life) => {
                        let result = index.register(&issued(id, session, &origins, now + life));
                        let is_revoked = model.is_revoked(id, session);
                        prop_assert_eq!(result == Err(RegisterError::Revoked), is_revoked);
                        if result.is_ok() {
                            model.tokens.push((id, session, origins, now + life));
                        }
                    }
                    Step::Revoke(id) => {
                        index.revoke(&id.to_string()).unwrap();
                        model.revoked.insert(id);
                    }
                    Step::RevokeSession(session) => {
                        index.revoke_session(&session.to_string()).unwrap();
                        model.revoked_sessions.insert(session);
                    }
                    Step::Wait(seconds) => {
                        clock.0.fetch_add(seconds, Ordering::Relaxed);
                    }
                }
                let changes = index.changes_since(cursor);
                cursor = changes.next;
                prop_assert!(!changes.has_more);
                prop_assert_eq!(replica.merge(&changes).refused, 0);
                let now = clock.0.load(Ordering::Relaxed);
                for n in 0..3 {
                    let expected = model.answer_to(n, now).map(Duration::from_secs);
                    prop_assert_eq!(index.answer_to(&origin(n)), expected);
                    prop_assert_eq!(replica.answer_to(&origin(n)), expected);
                }
            }
            clock.0.fetch_add(end_of(MAX_LIFETIME), Ordering::Relaxed);
            for index in [index, replica] {
                index.purge();
                let live = index.shared.live();
                prop_assert!(live.is_forgotten());
            }
        }
    }

    #[test]
    fn what_is_refused_leaves_everything_as_it_was() {
        let clock = TestClock(Arc::new(AtomicU64::new(100)));
        let index = IssuedIndex::with_clock(7, clock.clone()).max_entries_per_tenant(3);
        let list = |origins: &[u8]| origins.iter().copied().collect::<BTreeSet<u8>>();
        index.register(&issued(1, 1, &list(&[1, 2]), 200)).unwrap();
        assert_eq!(index.len(), 3);
        let long = "x".repeat(IssuedIndex::MAX_ID_LEN + 1);
        let far = 100 + MAX_LIFETIME;
        let tenant_full = RegisterError::TenantFull {
            tenant: "t1".into(),
            limit: 3,
        };
        for (token, error) in [
            (
                issued(2, 0, &list(&[0, 1, 2, 3]), 200),
                RegisterError::Full { limit: 7 },
            ),
            (issued(2, 1, &list(&[1, 2]), 200), tenant_full),
            (issued(1, 0, &list(&[3]), 300), RegisterError::Known),
            (issued(2, 0, &list(&[3]), 100), RegisterError::Expired),
            (issued(2, 0, &list(&[3]), far + 1), RegisterError::Lifetime),
            (issued(2, 0, &list(&[]), 200), RegisterError::NoOrigin),
            (Issued::new("", [origin(3)], time(200)), RegisterError::Id),
            (
                Issued::new(&*long, [origin(3)], time(200)),
                RegisterError::Id,
            ),
            (
                issued(2, 0, &list(&[3]), 200).session(&*long),
                RegisterError::Id,
            ),
            (
                issued(2, 0, &list(&[3]), 200).tenant(&*long),
                RegisterError::Id,
            ),
        ] {
            assert_eq!(index.register(&token), Err(error));
            assert_eq!(index.len(), 3);
            assert!(!index.contains(&origin(3)));
        }
        index.register(&issued(2, 0, &list(&[3]), far)).unwrap();
        // Nobody else is affected by a tenant that is full, and time makes room for it.
        index.register(&issued(3, 2, &list(&[1]), 300)).unwrap();
        assert_eq!(index.len(), 7);
        clock.0.store(200, Ordering::Relaxed);
        index.register(&issued(4, 1, &list(&[1]), 300)).unwrap();
        assert_eq!(index.len(), 6);
        assert_eq!(
            RegisterError::TenantFull {
                tenant: "t1".into(),
                limit: 3
            }
            .to_string(),
            "the share of the tenant \"t1\" is full: it holds at most 3 entries"
        );
    }

    fn clock() -> TestClock {
        TestClock(Arc::new(AtomicU64::new(1_000_000)))
    }

    fn token(id: u8, origin: u8, expiry: u64) -> Issued {
        issued(id, 0, &BTreeSet::from([origin]), expiry)
    }

    #[test]
    fn a_tenant_that_is_full_takes_nothing_from_another() {
        let clock = clock();
        let index = IssuedIndex::with_clock(100, clock.clone()).max_entries_per_tenant(2);
        let of = |tenant: &str, id, expiry| token(id, id, expiry).tenant(tenant);
        index.register(&of("a", 1, 1_000_010)).unwrap();
        index.register(&of("b", 2, 1_000_100)).unwrap();
        clock.0.store(1_000_020, Ordering::Relaxed);
        let full = index.register(&of("b", 3, 1_000_100));
        assert!(matches!(full, Err(RegisterError::TenantFull { .. })));
        // Expired, and its page may still read so.
        assert_eq!(index.answer_to(&origin(1)), Some(Duration::ZERO));
        index.register(&of("a", 4, 1_000_100)).unwrap();
        assert_eq!(index.answer_to(&origin(1)), None);
    }

    /// Only a live token takes the place of an expired one.
    #[test]
    fn what_has_expired_elsewhere_takes_no_place() {
        for (now, added) in [(1_000_049, 1), (1_000_050, 0), (1_000_051, 0)] {
            let clock = clock();
            let (here, there) = (
                IssuedIndex::with_clock(2, clock.clone()),
                IssuedIndex::with_clock(2, clock.clone()),
            );
            here.register(&token(1, 1, 1_000_010)).unwrap();
            there.register(&token(2, 2, 1_000_050)).unwrap();
            clock.0.store(now, Ordering::Relaxed);
            let merged = here.merge(&there.changes_since(IssuedCursor::default()));
            assert_eq!((merged.added, merged.refused), (added, 0), "{now}");
            let is_kept = here.answer_to(&origin(1)).is_some();
            assert_eq!(is_kept, added == 0, "{now}");
        }
    }

    #[test]
    fn a_revocation_is_remembered_as_long_as_its_token() {
        let clock = clock();
        let index = IssuedIndex::with_clock(100, clock.clone());
        index.register(&token(1, 1, 1_000_010)).unwrap();
        index.revoke("1").unwrap();
        let revocations = index.revocations();
        for (now, remembered) in [(end_of(1_000_010) - 1, 1), (end_of(1_000_010), 0)] {
            clock.0.store(now, Ordering::Relaxed);
            revocations.purge();
            assert_eq!(revocations.len(), remembered, "{now}");
        }
    }

    #[test]
    fn changes_are_read_page_by_page() {
        const MANY: usize = PAGE + 1;
        // Tokens alone, and revocations of tokens that nobody knows here.
        for are_revoked in [false, true] {
            let index = IssuedIndex::with_clock(2 * MANY, clock());
            for id in 0..MANY {
                let id = id.to_string();
                if are_revoked {
                    index.revoke(&id).unwrap();
                } else {
                    let token = Issued::new(id, [origin(1)], time(1_000_010));
                    index.register(&token).unwrap();
                }
            }
            let counts = |changes: &IssuedChanges| {
                let revocations = changes.revocations.revocations.len();
                (changes.tokens.len() + revocations, changes.has_more)
            };
            let first = index.changes_since(IssuedCursor::default());
            assert_eq!(counts(&first), (PAGE, true), "{are_revoked}");
            let last = index.changes_since(first.next);
            assert_eq!(counts(&last), (1, false), "{are_revoked}");
        }
    }

    /// A cursor from before a restart is one of another index: nothing is missed.
    #[test]
    fn indexes_are_told_apart() {
        let before = IssuedIndex::with_clock(10, clock());
        before.register(&token(1, 1, 1_000_010)).unwrap();
        let cursor = before.changes_since(IssuedCursor::default()).next;
        assert!(before.changes_since(cursor).tokens.is_empty());
        for _ in 0..64 {
            let after = IssuedIndex::with_clock(10, clock());
            after.register(&token(2, 2, 1_000_010)).unwrap();
            assert_eq!(after.changes_since(cursor).tokens.len(), 1);
        }
    }
}
