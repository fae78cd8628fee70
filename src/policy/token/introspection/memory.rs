use std::time::{Duration, SystemTime};

use quick_cache::{Weighter, sync::Cache};

use crate::policy::token::{VerifiedToken, VerifyError, VerifyResult, token_key::TokenKey};

/// What is remembered about tokens, within a number of bytes.
pub(super) struct Memory {
    known: Cache<TokenKey, Known, InBytes>,
}

/// What an issuer said about a token.
#[derive(Clone)]
struct Known {
    result: VerifyResult,
    /// The question was asked then.
    since: SystemTime,
    /// The result is good until then.
    until: SystemTime,
    /// A good token is over then, whatever has been remembered.
    expiry: Option<SystemTime>,
    /// The memory that the claims take up, in bytes.
    claims: usize,
}

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        // The claims of a token take up some 2 KiB.
        let items = usize::try_from(bytes / (OVERHEAD + 2048)).unwrap_or(usize::MAX);
        Self {
            known: Cache::with_weighter(items.max(1), bytes, InBytes),
        }
    }

    /// What is known of the token now.
    pub(super) fn get(&self, key: TokenKey, now: SystemTime) -> Option<VerifyResult> {
        let known = self.known.get(&key)?;
        (known.since <= now && now < known.until).then_some(known.result)
    }

    /// A good token of which nothing better is known since at most `stale`.
    pub(super) fn get_stale(
        &self,
        key: TokenKey,
        now: SystemTime,
        stale: Duration,
    ) -> Option<VerifiedToken> {
        let known = self.known.peek(&key)?;
        let token = known.result.ok()?;
        let until = known.until + stale;
        let is_over = known.expiry.is_some_and(|expiry| expiry <= now);
        (known.since <= now && now < until && !is_over).then_some(token)
    }

    pub(super) fn put(
        &self,
        key: TokenKey,
        result: &VerifyResult,
        since: SystemTime,
        until: SystemTime,
        expiry: Option<SystemTime>,
    ) {
        let claims = match result {
            Ok(token) | Err(VerifyError::Expired(token)) => token.claims().size(),
            Err(_) => 0,
        };
        let known = Known {
            result: result.clone(),
            since,
            until,
            expiry,
            claims,
        };
        self.known.insert(key, known);
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.known.weight()
    }
}

/// An entry without its claims: slot, hash table, allocation of the claims.
const OVERHEAD: u64 = 256;

/// Weighs an entry in bytes.
#[derive(Clone)]
struct InBytes;

impl Weighter<TokenKey, Known> for InBytes {
    fn weight(&self, _: &TokenKey, known: &Known) -> u64 {
        OVERHEAD + known.claims as u64
    }
}
