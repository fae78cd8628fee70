//! What is known of tokens that have been seen before, so that a repeated one costs no
//! cryptography and asks nobody.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use quick_cache::{Weighter, sync::Cache};

use crate::token::{
    claim::Reading,
    verify::{TokenKey, TokenKeys, VerifiedToken, VerifyError},
};

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheLimits {
    /// Bytes; 0 keeps nothing.
    pub(crate) capacity: u64,
    /// For good tokens.
    pub(crate) ttl: Duration,
    /// For refused ones.
    pub(crate) refusal_ttl: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            capacity: 16 * 1024 * 1024,
            ttl: Duration::from_secs(60),
            refusal_ttl: Duration::from_secs(5),
        }
    }
}

/// How long it is believed that nobody can verify a token: long enough for the requests that wait.
const UNAVAILABLE_TTL: Duration = Duration::from_secs(1);

/// What a token was found to say.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) finding: Finding,
    since: SystemTime,
    until: SystemTime,
    epoch: u64,
}

#[derive(Debug)]
pub(crate) enum Finding {
    Good(Arc<VerifiedToken>, Reading),
    /// Authentic, but its time is over.
    Expired(Arc<VerifiedToken>, Reading),
    Refused(VerifyError),
}

impl Known {
    pub(crate) fn new(finding: Finding, epoch: u64, now: SystemTime, limits: &CacheLimits) -> Self {
        let ttl = match &finding {
            Finding::Good(..) => limits.ttl,
            Finding::Refused(VerifyError::Unavailable(_)) => {
                limits.refusal_ttl.min(UNAVAILABLE_TTL)
            }
            Finding::Expired(..) | Finding::Refused(_) => limits.refusal_ttl,
        };
        // A time that cannot be told is over.
        let until = now.checked_add(ttl).unwrap_or(now);
        let until = match &finding {
            Finding::Good(token, _) => {
                let end = token.end_of(token.good_until());
                end.map_or(until, |end| until.min(end))
            }
            Finding::Expired(..) | Finding::Refused(_) => until,
        };
        Self {
            finding,
            since: now,
            until,
            epoch,
        }
    }

    /// What was learned in the future was learned before the clock was set back.
    fn is_current(&self, epoch: u64, now: SystemTime) -> bool {
        self.epoch == epoch && self.since <= now && now < self.until
    }
}

/// What is known of tokens, bounded by its size.
pub(crate) struct TokenCache {
    known: Option<Cache<TokenKey, Arc<Known>, BySize>>,
    keys: TokenKeys,
    limits: CacheLimits,
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        let known = (limits.capacity > 0).then(|| {
            let entries = limits.capacity / (4 * SMALLEST);
            let entries = usize::try_from(entries).unwrap_or(usize::MAX);
            Cache::with_weighter(entries, limits.capacity, BySize)
        });
        Self {
            known,
            keys: TokenKeys::default(),
            limits,
        }
    }

    pub(crate) fn limits(&self) -> &CacheLimits {
        &self.limits
    }

    pub(crate) fn key(&self, scope: &str, token: &str) -> TokenKey {
        self.keys.key_in(scope, token)
    }

    pub(crate) fn get(&self, key: TokenKey, epoch: u64, now: SystemTime) -> Option<Arc<Known>> {
        let known = self.known.as_ref()?.get(&key)?;
        known.is_current(epoch, now).then_some(known)
    }

    pub(crate) fn insert(&self, key: TokenKey, known: &Arc<Known>) {
        // What is malformed may have been found so only after its signature was right.
        if let Some(cache) = &self.known {
            cache.insert(key, Arc::clone(known));
        }
    }

    /// What is known, or what `find_out` finds out. Others who ask meanwhile wait for it; when the
    /// one who finds out gives up, the next one starts.
    pub(crate) async fn get_or_find_out<F>(
        &self,
        key: TokenKey,
        epoch: u64,
        find_out: F,
    ) -> Arc<Known>
    where
        F: Future<Output = Known>,
    {
        let Some(cache) = &self.known else {
            return Arc::new(find_out.await);
        };
        // Or what is stale would be what the others wait for.
        cache.remove_if(&key, |known| !known.is_current(epoch, SystemTime::now()));
        match cache.get_value_or_guard_async(&key).await {
            Ok(known) if known.is_current(epoch, SystemTime::now()) => known,
            Ok(_) => Arc::new(find_out.await),
            Err(place) => {
                let known = Arc::new(find_out.await);
                // An error says that somebody else was faster, or that it is too large to keep.
                let _kept = place.insert(Arc::clone(&known));
                known
            }
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(cache) = &self.known {
            cache.clear();
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("limits", &self.limits)
            .field("len", &self.known.as_ref().map(Cache::len))
            .finish_non_exhaustive()
    }
}

/// The size of an entry that says no more than that a token is refused, with its share of the
/// table: rounded up.
const SMALLEST: u64 = 256;

#[derive(Clone, Debug)]
struct BySize;

impl Weighter<TokenKey, Arc<Known>> for BySize {
    fn weight(&self, _: &TokenKey, known: &Arc<Known>) -> u64 {
        match &known.finding {
            Finding::Good(token, reading) | Finding::Expired(token, reading) => {
                let size = token.claims().size() + reading.size();
                SMALLEST + u64::try_from(size).unwrap_or(u64::MAX / 2)
            }
            Finding::Refused(_) => SMALLEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::claim::Claims;

    fn good(expiry: Option<SystemTime>) -> Finding {
        let token = VerifiedToken::new(Claims::parse(b"{}").unwrap());
        let token = match expiry {
            Some(expiry) => token.expires_at(expiry),
            None => token,
        };
        Finding::Good(Arc::new(token), Reading::default())
    }

    #[test]
    fn nothing_is_believed_for_longer_than_it_may_be() {
        let limits = CacheLimits::default();
        let cache = TokenCache::new(limits);
        let now = SystemTime::now();
        let soon = now + Duration::from_secs(20);
        let refused = || Finding::Refused(VerifyError::Revoked);
        let malformed = || Finding::Refused(VerifyError::Malformed("test"));
        let unavailable = || Finding::Refused(VerifyError::Unavailable("test"));
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
            cache.insert(key, &Arc::new(Known::new(finding, 7, now, &limits)));
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
    fn the_capacity_holds() {
        let capacity = 64 * 1024;
        let limits = CacheLimits {
            capacity,
            ..CacheLimits::default()
        };
        let cache = TokenCache::new(limits);
        let now = SystemTime::now();
        for i in 0..10_000 {
            let refused = Finding::Refused(VerifyError::NotAuthentic("test"));
            let known = Arc::new(Known::new(refused, 0, now, &limits));
            cache.insert(cache.key("", &i.to_string()), &known);
        }
        let kept = cache.known.as_ref().unwrap();
        assert!(kept.weight() <= capacity, "{}", kept.weight());
        assert!(kept.len() as u64 <= capacity / SMALLEST);
        assert!(!kept.is_empty());
    }
}
