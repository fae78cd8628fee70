//! From the text of a token to what it is worth now: verified once, remembered, and looked at anew
//! for every request.

use std::{sync::Arc, time::SystemTime};

use super::cache::{CachedVerification, TokenCache, Verification};
use crate::{
    time::Clock,
    token::{
        claim::{ClaimReading, ListLimits, OriginsClaim},
        verify::{
            TokenRequest, TokenVerifier, VerifiedBy, VerifiedToken, VerifyError, VerifyResult,
        },
    },
};

/// The verifier of tokens, the place of their list, and the cache of results.
#[derive(Debug)]
pub(crate) struct TokenVerification {
    /// The name under which this policy leaves tokens for the service, and finds them again.
    pub(crate) verified_by: VerifiedBy,
    /// `None` where an outer layer verifies.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) claim: Option<OriginsClaim>,
    pub(crate) list: ListLimits,
    pub(crate) cache: TokenCache,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What a token is worth at a moment, to one request.
#[derive(Debug)]
pub(crate) enum TokenState<'a> {
    Good(&'a Arc<VerifiedToken>, &'a ClaimReading),
    /// Authentic, but its time is over.
    Expired(&'a Arc<VerifiedToken>, &'a ClaimReading),
    Revoked,
    Refused(VerifyError),
}

impl TokenVerification {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The verification of a token: at once if it is remembered or costs no waiting, else a future
    /// that does nothing until it is polled.
    #[expect(
        clippy::result_large_err,
        reason = "the future is boxed or awaited at once"
    )]
    pub(crate) fn verify_and_cache(
        self: &Arc<Self>,
        verifier: &dyn TokenVerifier,
        token: &str,
        request: &TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<Arc<CachedVerification>, impl Future<Output = Arc<CachedVerification>> + Send + use<>>
    {
        // Read before the verification, so that a change during it makes its result stale.
        let epoch = verifier.epoch();
        let key = self.cache.key(&verifier.cache_scope(request), token);
        if let Some(cached) = self.cache.get(key, epoch, now) {
            return Ok(cached);
        }
        match verifier.verify(token, request).into_ready() {
            Ok(result) => {
                let cached = Arc::new(self.record(result, epoch));
                self.cache.insert(key, &cached);
                Ok(cached)
            }
            Err(verifying) => {
                let this = Arc::clone(self);
                Err(async move {
                    let verify = async { this.record(verifying.await, epoch) };
                    this.cache
                        .get_or_verify(key, epoch, &*this.clock, verify)
                        .await
                })
            }
        }
    }

    /// What is remembered of a verification. The list is read once, not for every request.
    fn record(&self, result: VerifyResult, epoch: u64) -> CachedVerification {
        let verification = match result {
            Ok(token) => {
                let reading = self.read(&token);
                Verification::Good(self.marked(token), reading)
            }
            Err(VerifyError::Expired(token)) => {
                let reading = self.read(&token);
                Verification::Expired(self.marked(token), reading)
            }
            Err(error) => Verification::Refused(error),
        };
        CachedVerification::new(verification, epoch, self.now(), self.cache.limits())
    }

    fn marked(&self, token: VerifiedToken) -> Arc<VerifiedToken> {
        Arc::new(token.verified_by(self.verified_by))
    }

    pub(crate) fn read(&self, token: &VerifiedToken) -> ClaimReading {
        match &self.claim {
            Some(claim) => claim.read(token.claims(), &self.list),
            None => ClaimReading::Missing,
        }
    }

    /// What a remembered token is worth now, whatever the request proves.
    pub(crate) fn known_state<'c>(
        &self,
        cached: &'c CachedVerification,
        now: SystemTime,
    ) -> TokenState<'c> {
        let (token, reading, has_expired) = match &cached.verification {
            Verification::Good(token, reading) => (token, reading, false),
            Verification::Expired(token, reading) => (token, reading, true),
            Verification::Refused(error) => return TokenState::Refused(error.clone()),
        };
        match self.state_of(token, reading, now) {
            TokenState::Good(..) if has_expired => TokenState::Expired(token, reading),
            state => state,
        }
    }

    /// What the token is worth to a request that does not prove what it has to; `None` for one that
    /// does. A verifier may remember what a request proves, and takes it once. So this is called at most
    /// once for each request, and a token that is revoked or refused must not fill that memory.
    pub(crate) fn check_request<'c>(
        &self,
        state: &TokenState<'c>,
        text: &str,
        request: &TokenRequest<'_>,
    ) -> Option<TokenState<'c>> {
        let (TokenState::Good(token, reading) | TokenState::Expired(token, reading)) = state else {
            return None;
        };
        let verifier = self.verifier.as_ref()?;
        match verifier.check_request(text, token, request) {
            Ok(()) => None,
            Err(VerifyError::Expired(_)) => Some(TokenState::Expired(token, reading)),
            Err(error) => Some(TokenState::Refused(error)),
        }
    }

    /// What has become of a token that was good when it was verified, by this policy or an outer
    /// layer: it may have been revoked since, and time goes on.
    pub(crate) fn state_of<'c>(
        &self,
        token: &'c Arc<VerifiedToken>,
        reading: &'c ClaimReading,
        now: SystemTime,
    ) -> TokenState<'c> {
        let is_revoked = |verifier: &Arc<dyn TokenVerifier>| verifier.is_revoked(token);
        if self.verifier.as_ref().is_some_and(is_revoked) {
            TokenState::Revoked
        } else if token.is_good_at(now) {
            TokenState::Good(token, reading)
        } else {
            TokenState::Expired(token, reading)
        }
    }
}
