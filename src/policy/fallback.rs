use std::sync::Arc;

use http::{HeaderName, header::ORIGIN};

use super::{
    future::VerdictFuture, names::union_of_names, origin_policy::OriginPolicy,
    properties::PolicyProperties, verdict::Verdict,
};
use crate::request::CorsRequest;

/// Two policies of which the second is asked where the first abstains: see
/// [`OriginPolicy::fallback`](crate::OriginPolicy::fallback).
#[derive(Clone, Debug)]
pub struct Fallback<A, B> {
    first: A,
    second: Arc<B>,
    varies_on: Vec<HeaderName>,
}

impl<A: OriginPolicy, B: OriginPolicy> Fallback<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        let varies_on = union_of_names(first.varies_on(), second.varies_on());
        Self {
            first,
            second: Arc::new(second),
            varies_on,
        }
    }

    /// Asks the second policy only once the first is known to abstain. A request is kept only
    /// while the first one has to be waited for.
    fn ask(
        &self,
        first: VerdictFuture,
        request: &CorsRequest<'_>,
        second: fn(&B, &CorsRequest<'_>) -> VerdictFuture,
    ) -> VerdictFuture {
        match first.into_ready() {
            Ok(Verdict::Abstain) => second(&self.second, request),
            Ok(verdict) => VerdictFuture::ready(verdict),
            Err(first) => {
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

    fn varies_on(&self) -> &[HeaderName] {
        &self.varies_on
    }

    /// What the first policy reads from headers, a preflight does not carry, so that preflights
    /// come to the second one whose requests the first will judge. Where any origin passes there,
    /// that is broader than the judgement.
    fn properties(&self) -> PolicyProperties {
        let is_blind = self.first.varies_on().iter().any(|name| name != ORIGIN);
        let second = match self.second.properties() {
            any if is_blind && any.passes_any_preflight() => any.broad_preflight(),
            other => other,
        };
        self.first.properties().or(second)
    }
}
