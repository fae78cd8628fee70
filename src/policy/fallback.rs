use std::sync::Arc;

use super::{
    decider::Decider, future::VerdictFuture, origin_policy::OriginPolicy,
    properties::PolicyProperties, verdict::Verdict,
};
use crate::request::CorsRequest;

/// Two policies; the second is asked if the first abstains: see
/// [`OriginPolicy::fallback`](crate::OriginPolicy::fallback).
#[derive(Clone, Debug)]
pub struct Fallback<A, B> {
    first: A,
    second: Arc<B>,
}

impl<A: OriginPolicy, B: OriginPolicy> Fallback<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second: Arc::new(second),
        }
    }

    /// Asks the second policy once the first has abstained. The request is copied only if the first
    /// policy has to be waited for.
    fn ask(
        &self,
        first: VerdictFuture,
        request: &CorsRequest<'_>,
        second: fn(&B, &CorsRequest<'_>) -> VerdictFuture,
    ) -> VerdictFuture {
        match first.into_ready() {
            // Ready: no copy of the request, and no allocation.
            Ok(Verdict::Abstain) => second(&self.second, request),
            Ok(verdict) => verdict.into(),
            Err(first) => {
                // The future outlives the borrowed request, so it takes a copy.
                let kept = request.to_owned_request();
                let policy = Arc::clone(&self.second);
                VerdictFuture::new(async move {
                    match first.await {
                        Verdict::Abstain => {
                            let verdict = kept.with(|request| second(&policy, request));
                            verdict.await
                        }
                        verdict => verdict,
                    }
                })
            }
        }
    }
}

impl<A: OriginPolicy, B: OriginPolicy> OriginPolicy for Fallback<A, B> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.ask(self.first.judge(request), request, B::judge)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.ask(
            self.first.judge_preflight(request),
            request,
            B::judge_preflight,
        )
    }

    // A preflight carries no headers of the request that it announces. If the first policy needs
    // one, it abstains on preflights, and the second one answers the preflights of requests that
    // the first one will judge. If the second one lets any origin through, that is broader than the
    // judgement.
    fn properties(&self) -> PolicyProperties {
        let first = self.first.properties();
        let second = self.second.properties();
        let second = if first.needs_headers() && second.passes_any_preflight() {
            second.broad_preflight()
        } else {
            second
        };
        let second = first.before(second);
        first.or(second)
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        let first = match request.preflight() {
            None => self.first.judge(request),
            Some(_) => self.first.judge_preflight(request),
        };
        match first.into_ready() {
            Ok(Verdict::Abstain) => self.second.decider(request),
            Ok(_) => self.first.decider(request),
            // Known once it has been waited for.
            Err(_) => self
                .first
                .decider(request)
                .or_else(&self.second.decider(request)),
        }
    }
}
