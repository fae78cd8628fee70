use std::sync::Arc;

use super::policy::{Judged, TokenOrigins};
use crate::{
    policy::{
        Decider, Fallback, OriginPolicy, PolicyProperties, Verdict, VerdictFuture, WithPreflight,
    },
    request::CorsRequest,
    token::verify::VerifiedToken,
};

impl TokenOrigins {
    /// Asks `second` where this policy abstains, as
    /// [`OriginPolicy::fallback`] does, and leaves the verified token for the inner service even so:
    /// with [`MissingClaim::Abstain`](crate::token::MissingClaim::Abstain), a token may be good and say
    /// nothing of origins.
    pub fn fallback<P: OriginPolicy>(self, second: P) -> TokenFallback<P> {
        let second = Arc::new(second);
        TokenFallback {
            both: OriginPolicy::fallback(self.clone(), Arc::clone(&second)),
            tokens: self,
            second,
        }
    }
}

impl<P: OriginPolicy> WithPreflight<TokenOrigins, P> {
    /// Asks `second` where the policies abstain, about requests as about preflights, and leaves the
    /// verified token for the inner service as [`TokenOrigins::fallback`] does.
    pub fn fallback<B: OriginPolicy>(
        self,
        second: B,
    ) -> WithPreflight<TokenFallback<B>, Fallback<P, Arc<B>>> {
        let (tokens, preflight) = self.into_parts();
        let tokens = tokens.fallback(second);
        let preflight = OriginPolicy::fallback(preflight, Arc::clone(&tokens.second));
        tokens.with_preflight(preflight)
    }
}

/// [`TokenOrigins`] and a policy that is asked where it abstains: see [`TokenOrigins::fallback`].
#[derive(Clone, Debug)]
pub struct TokenFallback<P> {
    tokens: TokenOrigins,
    second: Arc<P>,
    both: Fallback<TokenOrigins, Arc<P>>,
}

impl<P: OriginPolicy> OriginPolicy for TokenFallback<P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let judging = match self.tokens.judge_and_leave(request).into_ready() {
            Ok(Judged {
                verdict: Verdict::Abstain,
                left,
            }) => {
                return leave(self.second.judge(request), left);
            }
            Ok(judged) => return judged.verdict.into(),
            Err(judging) => judging,
        };
        let (second, kept) = (Arc::clone(&self.second), request.to_owned_request());
        VerdictFuture::new(async move {
            match judging.await {
                Judged {
                    verdict: Verdict::Abstain,
                    left,
                } => leave(kept.with(|request| second.judge(request)), left).await,
                judged => judged.verdict,
            }
        })
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.both.judge_preflight(request)
    }

    fn properties(&self) -> PolicyProperties {
        self.both.properties()
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        self.both.decider(request)
    }
}

/// Adds the token to a grant.
fn leave(verdict: VerdictFuture, left: Option<Arc<VerifiedToken>>) -> VerdictFuture {
    let Some(token) = left else {
        return verdict;
    };
    let add = |verdict| match verdict {
        Verdict::Allow(grant) => grant.attach_if_none(token).into(),
        other => other,
    };
    match verdict.into_ready() {
        Ok(verdict) => add(verdict).into(),
        Err(verdict) => VerdictFuture::new(async move { add(verdict.await) }),
    }
}
