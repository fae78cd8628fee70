use super::{
    decider::Decider, future::VerdictFuture, judged::JudgedFuture, origin_policy::OriginPolicy,
    properties::PolicyProperties,
};
use crate::request::CorsRequest;

/// Two policies: one judges requests, the other preflights. See
/// [`OriginPolicy::with_preflight`](crate::OriginPolicy::with_preflight).
#[derive(Clone, Debug)]
pub struct WithPreflight<A, P> {
    actual: A,
    preflight: P,
}

impl<A: OriginPolicy, P: OriginPolicy> WithPreflight<A, P> {
    pub(super) fn new(actual: A, preflight: P) -> Self {
        Self { actual, preflight }
    }
}

impl<A: OriginPolicy, P: OriginPolicy> OriginPolicy for WithPreflight<A, P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.actual.judge(request)
    }

    fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
        self.actual.judge_and_leave(request)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.preflight.judge_preflight(request)
    }

    // If any origin passes a preflight, that is broader than the judgement of the request. The
    // preflight policy's setting for denied requests does not count, because it never judges
    // requests.
    fn properties(&self) -> PolicyProperties {
        let actual = self.actual.properties();
        let preflight = self.preflight.properties();
        let preflight = if preflight.passes_any_preflight() {
            preflight.broad_preflight()
        } else {
            preflight
        };
        let preflight = preflight
            .denied_requests(actual.own_denied_requests())
            .waves_nothing_through();
        actual.or(preflight)
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        match request.preflight() {
            None => self.actual.decider(request),
            Some(_) => self.preflight.decider(request),
        }
    }
}
