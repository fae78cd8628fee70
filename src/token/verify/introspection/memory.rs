use std::{
    borrow::Cow,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use quick_cache::{Weighter, sync::Cache};

use crate::{
    lock::lock,
    token::verify::{TokenKey, VerifiedToken, VerifyError, VerifyResult},
};

/// How long a failure to get an answer is remembered: long enough for the requests that wait.
const FAILED: Duration = Duration::from_secs(1);

/// How long a good token is used before an issuer that gave no answer is asked again. The request
/// that asks has to wait for the failure.
const STALE: Duration = Duration::from_secs(5);

/// What is remembered about tokens, within a number of bytes.
pub(crate) struct Memory {
    known: Cache<TokenKey, KnownToken, InBytes>,
    /// How many times something was forgotten on demand.
    epoch: AtomicU64,
    /// Held while something is put in or forgotten.
    order: Mutex<()>,
}

/// What an issuer said about a token, or that it gave no answer.
#[derive(Clone)]
pub(crate) struct KnownToken {
    pub(crate) result: VerifyResult,
    /// When the issuer was asked.
    pub(crate) since: SystemTime,
    /// Until when the result is used.
    pub(crate) until: SystemTime,
    /// Until when a good token is used if no answer can be had.
    pub(crate) stale_until: SystemTime,
    /// The token as it was at the issuer's last answer, if that was good. A failure to get an
    /// answer does not change it.
    pub(crate) last_good: Option<VerifiedToken>,
}

impl KnownToken {
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

    /// A good token, while no better answer can be had.
    pub(crate) fn get_stale(&self, key: TokenKey, now: SystemTime) -> Option<VerifiedToken> {
        let (token, stale_until) = self.stale(key, now)?;
        Some(token.fresh_until(stale_until.min(now + FAILED)))
    }

    /// The token as it was at the issuer's last answer, if that was good, however long ago.
    pub(crate) fn last_good(&self, key: TokenKey) -> Option<VerifiedToken> {
        self.known.peek(&key)?.last_good
    }

    /// Remembers what the issuer said, unless something was forgotten since it was asked. A refusal
    /// ends what was good before even then.
    pub(crate) fn put(&self, key: TokenKey, known: KnownToken, epoch: u64) {
        let _order = lock(&self.order);
        if self.epoch() == epoch {
            self.known.insert(key, known);
        } else if known.is_refused() {
            let is_earlier = |other: &KnownToken| other.since <= known.since;
            self.known.remove_if(&key, is_earlier);
        }
    }

    /// Remembers that the issuer gave no answer. A good token that may still be used stays good.
    pub(crate) fn put_failure(
        &self,
        key: TokenKey,
        reason: Cow<'static, str>,
        now: SystemTime,
        epoch: u64,
    ) -> VerifyResult {
        let last_good = self.last_good(key);
        let known = match self.stale(key, now) {
            Some((token, stale_until)) => {
                let until = stale_until.min(now + STALE);
                KnownToken {
                    result: Ok(token.fresh_until(until)),
                    since: now,
                    until,
                    stale_until,
                    last_good,
                }
            }
            None => KnownToken {
                result: Err(VerifyError::Unavailable(reason)),
                since: now,
                until: now + FAILED,
                stale_until: now,
                last_good,
            },
        };
        let result = known.result.clone();
        self.put(key, known, epoch);
        result
    }

    /// Forgets a token, or all.
    pub(crate) fn forget(&self, key: Option<TokenKey>) {
        let _order = lock(&self.order);
        match key {
            Some(key) => drop(self.known.remove(&key)),
            None => self.known.clear(),
        }
        // After the removal: a reader that sees the new epoch finds no earlier result.
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

impl Weighter<TokenKey, KnownToken> for InBytes {
    /// The same for one entry at all times: claims do not change.
    fn weight(&self, _: &TokenKey, known: &KnownToken) -> u64 {
        let of_result = match &known.result {
            Ok(token) | Err(VerifyError::Expired(token)) => Some(token),
            Err(_) => None,
        };
        // They share their claims where both are there.
        let token = of_result.or(known.last_good.as_ref());
        OVERHEAD + token.map_or(0, |token| token.claims().size() as u64)
    }
}
