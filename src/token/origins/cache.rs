//! Verifications that are remembered, so that a token seen before costs no cryptography and no
//! question to anybody.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use quick_cache::{Weighter, sync::Cache};

#[cfg(feature = "metrics")]
use crate::observe::CacheCounters;
use crate::{
    time::Clock,
    token::{
        claim::ClaimReading,
        verify::{TokenKey, TokenKeys, VerifiedToken, VerifyError},
    },
};

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheLimits {
    /// 0 keeps nothing.
    pub(crate) max_bytes: u64,
    /// For good tokens.
    pub(crate) cache_ttl: Duration,
    /// For refused ones.
    pub(crate) refusal_ttl: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            max_bytes: 16 * 1024 * 1024,
            cache_ttl: Duration::from_secs(60),
            refusal_ttl: Duration::from_secs(5),
        }
    }
}

/// How long an unavailable answer is cached, at most: long enough for the requests that wait.
const UNAVAILABLE_TTL: Duration = Duration::from_secs(1);

/// A verification and how long it may be relied on.
#[derive(Debug)]
pub(crate) struct CachedVerification {
    pub(crate) verification: Verification,
    since: SystemTime,
    until: SystemTime,
    epoch: u64,
}

/// What came of verifying a token.
#[derive(Debug)]
pub(crate) enum Verification {
    Good(Arc<VerifiedToken>, ClaimReading),
    /// Authentic, but its time is over.
    Expired(Arc<VerifiedToken>, ClaimReading),
    Refused(VerifyError),
}

impl CachedVerification {
    pub(crate) fn new(
        verification: Verification,
        epoch: u64,
        now: SystemTime,
        limits: &CacheLimits,
    ) -> Self {
        let (ttl, end) = match &verification {
            Verification::Good(token, _) => (limits.cache_ttl, token.end_of(token.good_until())),
            Verification::Refused(VerifyError::Unavailable(_)) => {
                (limits.refusal_ttl.min(UNAVAILABLE_TTL), None)
            }
            Verification::Expired(..) | Verification::Refused(_) => (limits.refusal_ttl, None),
        };
        // A time that the clock cannot show counts as over.
        let until = now.checked_add(ttl).unwrap_or(now);
        Self {
            verification,
            since: now,
            until: end.map_or(until, |end| until.min(end)),
            epoch,
        }
    }

    /// An entry from the future is not used: it was made before the clock was set back, and nobody
    /// knows how long ago that was.
    fn is_current(&self, epoch: u64, now: SystemTime) -> bool {
        self.epoch == epoch && self.since <= now && now < self.until
    }
}

/// The verifications that are remembered, bounded by their size.
pub(crate) struct TokenCache {
    entries: Option<Cache<TokenKey, Arc<CachedVerification>, BySize>>,
    keys: TokenKeys,
    limits: CacheLimits,
    #[cfg(feature = "metrics")]
    counters: Option<CacheCounters>,
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        let entries = (limits.max_bytes > 0).then(|| {
            let expected = limits.max_bytes / (4 * SMALLEST);
            let expected = usize::try_from(expected).unwrap_or(usize::MAX);
            Cache::with_weighter(expected, limits.max_bytes, BySize)
        });
        Self {
            entries,
            keys: TokenKeys::default(),
            limits,
            #[cfg(feature = "metrics")]
            counters: None,
        }
    }

    /// The same with counters of how often it has the answer.
    #[cfg(feature = "metrics")]
    pub(crate) fn counted(mut self, counters: Option<CacheCounters>) -> Self {
        self.counters = counters;
        self
    }

    pub(crate) fn limits(&self) -> &CacheLimits {
        &self.limits
    }

    pub(crate) fn key(&self, scope: &str, token: &str) -> TokenKey {
        self.keys.key_in(scope, token)
    }

    pub(crate) fn get(
        &self,
        key: TokenKey,
        epoch: u64,
        now: SystemTime,
    ) -> Option<Arc<CachedVerification>> {
        let entry = self.entries.as_ref().and_then(|entries| entries.get(&key));
        let cached = entry.filter(|cached| cached.is_current(epoch, now));
        #[cfg(feature = "metrics")]
        if let Some(counters) = &self.counters {
            counters.count(cached.is_some());
        }
        cached
    }

    pub(crate) fn insert(&self, key: TokenKey, verification: &Arc<CachedVerification>) {
        if let Some(entries) = &self.entries {
            entries.insert(key, Arc::clone(verification));
        }
    }

    /// What is remembered, or what `verify` finds. Others who ask meanwhile wait for it; when the
    /// one who verifies gives up, the next one starts.
    pub(crate) async fn get_or_verify<F>(
        &self,
        key: TokenKey,
        epoch: u64,
        clock: &dyn Clock,
        verify: F,
    ) -> Arc<CachedVerification>
    where
        F: Future<Output = CachedVerification>,
    {
        let Some(entries) = &self.entries else {
            return Arc::new(verify.await);
        };
        // A stale entry has to go first, or the guard would hand it to all who wait.
        entries.remove_if(&key, |cached| !cached.is_current(epoch, clock.now()));
        match entries.get_value_or_guard_async(&key).await {
            Ok(cached) if cached.is_current(epoch, clock.now()) => cached,
            Ok(_) => Arc::new(verify.await),
            Err(place) => {
                let verified = Arc::new(verify.await);
                // An error means that another one was faster, or that it is too large to keep.
                let _kept = place.insert(Arc::clone(&verified));
                verified
            }
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(entries) = &self.entries {
            entries.clear();
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("limits", &self.limits)
            .field("len", &self.entries.as_ref().map(Cache::len))
            .finish_non_exhaustive()
    }
}

/// The bytes of an entry for a refused token, with its share of the table, rounded up.
const SMALLEST: u64 = 256;

#[derive(Clone, Debug)]
struct BySize;

impl Weighter<TokenKey, Arc<CachedVerification>> for BySize {
    fn weight(&self, _: &TokenKey, cached: &Arc<CachedVerification>) -> u64 {
        match &cached.verification {
            Verification::Good(token, reading) | Verification::Expired(token, reading) => {
                let size = token.claims().size() + reading.size();
                SMALLEST.saturating_add(u64::try_from(size).unwrap_or(u64::MAX))
            }
            Verification::Refused(_) => SMALLEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::SystemClock,
        token::claim::{Claims, ListLimits, OriginsClaim},
    };

    fn good(expiry: Option<SystemTime>) -> Verification {
        let token = VerifiedToken::new(Claims::parse(b"{}").unwrap());
        let token = match expiry {
            Some(expiry) => token.expires_at(expiry),
            None => token,
        };
        Verification::Good(Arc::new(token), ClaimReading::default())
    }

    #[test]
    fn nothing_is_believed_for_longer_than_it_may_be() {
        let limits = CacheLimits::default();
        let cache = TokenCache::new(limits);
        let now = SystemTime::now();
        let soon = now + Duration::from_secs(20);
        let refused = || Verification::Refused(VerifyError::Revoked);
        let malformed = || Verification::Refused(VerifyError::Malformed("test"));
        let unavailable = || Verification::Refused(VerifyError::Unavailable("test".into()));
        for (finding, seconds) in [
            (good(None), 60),
            (good(Some(soon)), 20),
            (good(Some(now + Duration::from_secs(3600))), 60),
            (refused(), 5),
            (malformed(), 5),
            (unavailable(), 1),
        ] {
            let key = cache.key("", "token");
            let text = format!("{finding:?}");
            cache.insert(
                key,
                &Arc::new(CachedVerification::new(finding, 7, now, &limits)),
            );
            let at = |seconds: u64| now + Duration::from_secs(seconds);
            assert!(cache.get(key, 7, at(0)).is_some(), "{text}");
            assert!(cache.get(key, 7, at(seconds - 1)).is_some(), "{text}");
            let before = now - Duration::from_millis(1);
            assert!(cache.get(key, 7, before).is_none(), "set back: {text}");
            assert!(cache.get(key, 7, at(seconds)).is_none(), "{text}");
            assert!(cache.get(key, 8, at(0)).is_none(), "another epoch: {text}");
            assert!(cache.get(cache.key("", "other"), 7, at(0)).is_none());
        }
    }

    #[test]
    fn the_bound_holds() {
        let max_bytes = 64 * 1024;
        let limits = CacheLimits {
            max_bytes,
            ..CacheLimits::default()
        };
        let cache = TokenCache::new(limits);
        let now = SystemTime::now();
        for i in 0..10_000 {
            let refused = Verification::Refused(VerifyError::NotAuthentic("test"));
            let cached = Arc::new(CachedVerification::new(refused, 0, now, &limits));
            cache.insert(cache.key("", &i.to_string()), &cached);
        }
        let kept = cache.entries.as_ref().unwrap();
        assert!(kept.weight() <= max_bytes, "{}", kept.weight());
        assert!(kept.len() as u64 <= max_bytes / SMALLEST);
        assert!(!kept.is_empty());
    }

    #[test]
    fn the_weight_is_of_the_claims_and_of_the_list() {
        let claims = Claims::parse(br#"{"ao": ["https://a.example"]}"#).unwrap();
        let reading = OriginsClaim::array("ao").read(&claims, &ListLimits::default());
        let (size, of_list) = (claims.size() as u64, reading.size() as u64);
        assert!(size > 0 && of_list > 0);
        let token = Arc::new(VerifiedToken::new(claims));
        let now = SystemTime::now();
        let key = TokenKeys::default().key_in("", "token");
        for (verification, expected) in [
            (
                Verification::Good(token, reading),
                SMALLEST + size + of_list,
            ),
            (Verification::Refused(VerifyError::Revoked), SMALLEST),
        ] {
            let cached = CachedVerification::new(verification, 0, now, &CacheLimits::default());
            assert_eq!(BySize.weight(&key, &Arc::new(cached)), expected);
        }
    }

    #[tokio::test]
    async fn who_has_waited_does_not_take_what_is_no_longer_current() {
        let limits = CacheLimits::default();
        let cache = TokenCache::new(limits);
        let key = cache.key("", "token");
        let made = |epoch| CachedVerification::new(good(None), epoch, SystemTime::now(), &limits);
        let first = cache.get_or_verify(key, 7, &SystemClock, async {
            tokio::task::yield_now().await;
            made(7)
        });
        // What the verifier goes by has changed since the first one asked.
        let second = cache.get_or_verify(key, 8, &SystemClock, async { made(8) });
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.epoch, second.epoch), (7, 8));
    }
}
