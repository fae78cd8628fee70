use std::sync::Arc;

use super::{
    decider::Decider,
    future::{MaybeReady, VerdictFuture},
    judged::{Judged, JudgedFuture},
    origin_policy::OriginPolicy,
    properties::PolicyProperties,
    verdict::Verdict,
};
use crate::request::{CorsRequest, OwnedRequest};

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
}

// A request is copied only if the first policy has to be waited for, because a future outlives the
// borrowed request. Otherwise there is neither a copy nor an allocation.
impl<A: OriginPolicy, B: OriginPolicy> OriginPolicy for Fallback<A, B> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        match self.first.judge_and_leave(request).into_ready() {
            Ok(first) => self.then(first, request).into_verdict(),
            Err(first) => {
                let judged = wait(first, request.to_owned_request(), Arc::clone(&self.second));
                VerdictFuture::new(async move { judged.await.verdict })
            }
        }
    }

    fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
        match self.first.judge_and_leave(request).into_ready() {
            Ok(first) => self.then(first, request),
            Err(first) => {
                let judged = wait(first, request.to_owned_request(), Arc::clone(&self.second));
                JudgedFuture::Leaving(MaybeReady::new(judged))
            }
        }
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        match self.first.judge_preflight(request).into_ready() {
            Ok(Verdict::Abstain) => self.second.judge_preflight(request),
            Ok(verdict) => verdict.into(),
            Err(first) => {
                let (kept, second) = (request.to_owned_request(), Arc::clone(&self.second));
                VerdictFuture::new(async move {
                    match first.await {
                        Verdict::Abstain => {
                            let verdict = kept.with(|request| second.judge_preflight(request));
                            verdict.await
                        }
                        verdict => verdict,
                    }
                })
            }
        }
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

impl<A: OriginPolicy, B: OriginPolicy> Fallback<A, B> {
    fn then(&self, first: Judged, request: &CorsRequest<'_>) -> JudgedFuture {
        match first.verdict {
            Verdict::Abstain => self.second.judge_and_leave(request).after(first.left),
            verdict => JudgedFuture::Plain(verdict.into()),
        }
    }
}

async fn wait<B: OriginPolicy>(
    first: JudgedFuture,
    request: OwnedRequest,
    second: Arc<B>,
) -> Judged {
    let first = first.judged().await;
    match first.verdict {
        Verdict::Abstain => {
            let judged = request.with(|request| second.judge_and_leave(request));
            judged.after(first.left).judged().await
        }
        _ => first,
    }
}
