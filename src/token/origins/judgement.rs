//! What a token that was found is worth to who asks.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    cache::{Finding, Known, TokenCache},
    missing_claim::MissingClaim,
};
use crate::{
    origin::Origin,
    policy::{Denial, DenialKind, Grant, Verdict, VerdictFuture},
    token::{
        claim::{ListLimits, Named, OriginsClaim, Reading},
        source::{Verified, VerifiedOrigins},
        verify::{TokenRequest, TokenVerifier, VerifiedToken, VerifyError, VerifyResult},
    },
};

/// What is needed once a token is found.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Nobody, where an outer layer verifies.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) claim: Option<OriginsClaim>,
    pub(crate) list: ListLimits,
    pub(crate) missing_claim: MissingClaim,
    pub(crate) max_token_len: usize,
    pub(crate) grace: Duration,
    pub(crate) private_responses: bool,
    pub(crate) cache: TokenCache,
}

/// What a token is worth that was good when it was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Expired,
    Revoked,
}

/// Who asks, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) is_preflight: bool,
    /// Looked for only where it matters.
    pub(crate) has_cookies: bool,
}

impl Asked<'_> {
    /// How the list lets the origin in. A page that sends cookies needs an entry of its own: any
    /// page could send them.
    fn is_named_in(self, reading: &Reading) -> Option<Named> {
        match reading.names(self.origin) {
            Some(Named::ByStar) if self.has_cookies => None,
            other => other,
        }
    }
}

impl Settings {
    pub(crate) fn judge_token(
        self: &Arc<Self>,
        token: &str,
        request: &TokenRequest<'_>,
        asked: Asked<'_>,
    ) -> VerdictFuture {
        let Some(verifier) = &self.verifier else {
            return VerdictFuture::ready(Verdict::Abstain);
        };
        let now = SystemTime::now();
        match self.find_out(&**verifier, token, request, now) {
            Ok(known) => VerdictFuture::ready(self.judge_known(&known, token, request, asked, now)),
            Err(finding_out) => {
                let settings = Arc::clone(self);
                let origin = asked.origin.clone();
                let (is_preflight, has_cookies) = (asked.is_preflight, asked.has_cookies);
                let (token, request) = (Box::<str>::from(token), request.to_owned_request());
                VerdictFuture::new(async move {
                    let known = finding_out.await;
                    let asked = Asked {
                        origin: &origin,
                        is_preflight,
                        has_cookies,
                    };
                    let now = SystemTime::now();
                    settings.judge_known(&known, &token, &request.view(), asked, now)
                })
            }
        }
    }

    /// What is known of the token; what has to be waited for does nothing until it is polled.
    #[expect(
        clippy::result_large_err,
        reason = "the future is boxed or awaited at once"
    )]
    pub(crate) fn find_out(
        self: &Arc<Self>,
        verifier: &dyn TokenVerifier,
        token: &str,
        request: &TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<Arc<Known>, impl Future<Output = Arc<Known>> + Send + use<>> {
        // Before the verification, so that what changes meanwhile makes its result stale.
        let epoch = verifier.epoch();
        let key = self.cache.key(&verifier.cache_scope(request), token);
        if let Some(known) = self.cache.get(key, epoch, now) {
            return Ok(known);
        }
        match verifier.verify(token, request).into_ready() {
            Ok(result) => {
                let known = Arc::new(self.learn(result, epoch));
                self.cache.insert(key, &known);
                Ok(known)
            }
            Err(verification) => {
                let settings = Arc::clone(self);
                Err(async move {
                    let find_out = async { settings.learn(verification.await, epoch) };
                    settings.cache.get_or_find_out(key, epoch, find_out).await
                })
            }
        }
    }

    /// What is to be remembered of a verification.
    fn learn(&self, result: VerifyResult, epoch: u64) -> Known {
        let finding = match result {
            Ok(token) => {
                let reading = self.read(&token);
                Finding::Good(Arc::new(token), reading)
            }
            Err(VerifyError::Expired(token)) => {
                let reading = self.read(&token);
                Finding::Expired(Arc::new(token), reading)
            }
            Err(error) => Finding::Refused(error),
        };
        Known::new(finding, epoch, SystemTime::now(), self.cache.limits())
    }

    fn read(&self, token: &VerifiedToken) -> Reading {
        match &self.claim {
            Some(claim) => claim.read(token.claims(), &self.list),
            None => Reading::Missing,
        }
    }

    fn judge_known(
        &self,
        known: &Known,
        text: &str,
        request: &TokenRequest<'_>,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        let (token, reading) = match &known.finding {
            Finding::Good(token, reading) | Finding::Expired(token, reading) => (token, reading),
            Finding::Refused(VerifyError::Unavailable(reason)) => {
                return Denial::new(DenialKind::Unavailable).reason(*reason).into();
            }
            Finding::Refused(error) => return invalid(error.to_string()).into(),
        };
        if let Err(error) = self.check_request(text, token, request) {
            return invalid(error.to_string()).into();
        }
        match &known.finding {
            Finding::Expired(token, _) if self.is_revoked(token) => {
                invalid(VerifyError::Revoked.to_string()).into()
            }
            Finding::Expired(..) => self.judge_by_expired(token, reading, asked, now),
            _ => self.judge_authentic(token, reading, asked, now),
        }
    }

    /// Whether this request may use the token. Nothing of it is remembered: the next request with
    /// the same token has to prove anew that its sender holds the token's key.
    pub(crate) fn check_request(
        &self,
        text: &str,
        token: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        match &self.verifier {
            Some(verifier) => verifier.check_request(text, token, request),
            None => Ok(()),
        }
    }

    /// What has become of a token that was good when it was verified, by whomever: it may have
    /// been revoked since, and time goes on.
    pub(crate) fn standing(&self, token: &VerifiedToken, now: SystemTime) -> Standing {
        match (self.is_revoked(token), token.is_good_at(now)) {
            (true, _) => Standing::Revoked,
            (false, true) => Standing::Good,
            (false, false) => Standing::Expired,
        }
    }

    pub(crate) fn is_revoked(&self, token: &VerifiedToken) -> bool {
        let verifier = self.verifier.as_ref();
        verifier.is_some_and(|verifier| verifier.is_revoked(token))
    }

    /// Nothing is verified a second time.
    pub(crate) fn judge_verified(&self, verified: Verified, asked: Asked<'_>) -> Verdict {
        match verified {
            Verified::Token(token) => {
                let reading = self.read(&token);
                self.judge_authentic(&token, &reading, asked, SystemTime::now())
            }
            Verified::Origins(VerifiedOrigins(set)) if set.contains(asked.origin) => {
                Grant::new().into()
            }
            Verified::Origins(_) => not_listed(0).into(),
        }
    }

    fn judge_authentic(
        &self,
        token: &Arc<VerifiedToken>,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        match self.standing(token, now) {
            Standing::Good => self.judge_by(token, reading, asked, now),
            Standing::Expired => self.judge_by_expired(token, reading, asked, now),
            Standing::Revoked => invalid(VerifyError::Revoked.to_string()).into(),
        }
    }

    fn judge_by(
        &self,
        token: &Arc<VerifiedToken>,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        let grant =
            || grant_until(token.end_of(token.expiry()), asked, now).attach(Arc::clone(token));
        match (asked.is_named_in(reading), reading) {
            (Some(Named::Itself), _) => grant().into(),
            (Some(Named::ByStar), _) => grant().allow_credentials(false).into(),
            (None, Reading::Listed(list)) => not_listed(list.skipped()).into(),
            (None, Reading::Unreadable(error)) => invalid(error.to_string()).into(),
            (None, Reading::Missing) => match self.missing_claim {
                MissingClaim::Abstain => Verdict::Abstain,
                MissingClaim::Deny => not_listed(0).into(),
            },
        }
    }

    /// A page that the token lists may read that its time is over: after a preflight, if there
    /// has to be one.
    fn judge_by_expired(
        &self,
        token: &VerifiedToken,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        let denial = Denial::new(DenialKind::ExpiredToken);
        let age = token
            .good_until()
            .and_then(|end| now.duration_since(end).ok());
        let named = asked.is_named_in(reading);
        let is_recent = age.is_some_and(|age| age <= self.grace);
        let Some(named) = named.filter(|_| is_recent) else {
            return denial.into();
        };
        match (asked.is_preflight, named) {
            (true, Named::Itself) => Grant::new().max_age_at_most(Duration::ZERO).into(),
            (true, Named::ByStar) => {
                let grant = Grant::new().allow_credentials(false);
                grant.max_age_at_most(Duration::ZERO).into()
            }
            (false, Named::Itself) => denial.readable().into(),
            (false, Named::ByStar) => denial.readable_with(false).into(),
        }
    }
}

/// No browser is to keep the answer to a preflight for longer than the token is known to be good.
fn grant_until(end: Option<SystemTime>, asked: Asked<'_>, now: SystemTime) -> Grant {
    match end {
        Some(end) if asked.is_preflight => {
            let left = end.duration_since(now);
            Grant::new().max_age_at_most(left.unwrap_or(Duration::ZERO))
        }
        _ => Grant::new(),
    }
}

pub(crate) fn invalid(reason: impl Into<Box<str>>) -> Denial {
    Denial::new(DenialKind::InvalidToken).reason(reason)
}

fn not_listed(skipped: usize) -> Denial {
    let denial = Denial::new(DenialKind::OriginNotAllowed);
    match skipped {
        0 => denial.reason("the token does not list it"),
        skipped => denial.reason(format!(
            "the token does not list it; {skipped} entries of its list are no origins, or none \
             that may be listed"
        )),
    }
}
