use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use quick_cache::{Weighter, sync::Cache};

use crate::token::verify::{TokenKey, VerifiedToken, VerifyError, VerifyResult};

/// How long it is believed that the issuer gives no answer: long enough for the requests that wait.
const FAILED: Duration = Duration::from_secs(1);

/// How long a good token is used before the issuer that gave no answer is asked again: a request
/// has to wait for that.
const STALE: Duration = Duration::from_secs(5);

/// What is remembered about tokens, within a number of bytes.
pub(crate) struct Memory {
    known: Cache<TokenKey, Known, InBytes>,
    /// How many times something was forgotten on demand.
    epoch: AtomicU64,
    /// Held while something is put in or forgotten.
    order: Mutex<()>,
}

/// What an issuer said about a token, or that it said nothing.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) result: VerifyResult,
    /// The question was asked then.
    pub(crate) since: SystemTime,
    /// The result is good until then.
    pub(crate) until: SystemTime,
    /// A good token is good until then, if nothing better can be had.
    pub(crate) stale_until: SystemTime,
}

impl Known {
    /// Whether the issuer said that the token is not good.
    fn is_refused(&self) -> bool {
        !matches!(self.result, Ok(_) | Err(VerifyError::Unavailable(_)))
    }
}

impl Memory {
    pub(crate) fn new(bytes: u64) -> Self {
        // The claims of a token take up some 2 KiB.
        let items = usize::try_from(bytes / (OVERHEAD + 2048)).unwrap_or(usize::MAX);
        Self {
            known: Cache::with_weighter(items.max(1), bytes, InBytes),
            epoch: AtomicU64::new(0),
            order: Mutex::default(),
        }
    }

    /// What is known of the token now.
    pub(crate) fn get(&self, key: TokenKey, now: SystemTime) -> Option<VerifyResult> {
        let known = self.known.get(&key)?;
        (known.since <= now && now < known.until).then_some(known.result)
    }

    /// A good token, for as long as it is believed that nothing better can be had.
    pub(crate) fn get_stale(&self, key: TokenKey, now: SystemTime) -> Option<VerifiedToken> {
        let (token, stale_until) = self.stale(key, now)?;
        Some(token.fresh_until(stale_until.min(now + FAILED)))
    }

    /// Remembers what the issuer said, unless something was forgotten since it was asked. A refusal
    /// ends what was good before even then.
    pub(crate) fn put(&self, key: TokenKey, known: Known, epoch: u64) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            self.known.insert(key, known);
        } else if known.is_refused() {
            let is_earlier = |other: &Known| other.since <= known.since;
            self.known.remove_if(&key, is_earlier);
        }
    }

    /// Remembers that the issuer said nothing. A good token that may still be used stays good.
    pub(crate) fn put_failure(
        &self,
        key: TokenKey,
        what: &'static str,
        now: SystemTime,
        epoch: u64,
    ) -> VerifyResult {
        let known = match self.stale(key, now) {
            Some((token, stale_until)) => {
                let until = stale_until.min(now + STALE);
                Known {
                    result: Ok(token.fresh_until(until)),
                    since: now,
                    until,
                    stale_until,
                }
            }
            None => Known {
                result: Err(VerifyError::Unavailable(what)),
                since: now,
                until: now + FAILED,
                stale_until: now,
            },
        };
        let result = known.result.clone();
        self.put(key, known, epoch);
        result
    }

    /// Forgets a token, or all.
    pub(crate) fn forget(&self, key: Option<TokenKey>) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        match key {
            Some(key) => drop(self.known.remove(&key)),
            None => self.known.clear(),
        }
        // Afterwards, so that who knows of it finds nothing from before.
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Changes whenever something is forgotten on demand.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.known.weight()
    }

    fn stale(&self, key: TokenKey, now: SystemTime) -> Option<(VerifiedToken, SystemTime)> {
        let known = self.known.peek(&key)?;
        let token = known.result.ok()?;
        (known.since <= now && now < known.stale_until).then_some((token, known.stale_until))
    }
}

/// An entry without its claims: slot, hash table, allocation of the claims.
const OVERHEAD: u64 = 256;

/// Weighs an entry in bytes.
#[derive(Clone)]
struct InBytes;

impl Weighter<TokenKey, Known> for InBytes {
    /// The same for one entry at all times: claims do not change.
    fn weight(&self, _: &TokenKey, known: &Known) -> u64 {
        let claims = match &known.result {
            Ok(token) | Err(VerifyError::Expired(token)) => token.claims().size(),
            Err(_) => 0,
        };
        OVERHEAD + claims as u64
    }
}
