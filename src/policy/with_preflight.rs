use http::HeaderName;

use super::{
    future::VerdictFuture, names::union_of_names, origin_policy::OriginPolicy,
    properties::PolicyProperties,
};
use crate::request::CorsRequest;

/// Two policies of which one judges requests, and the other preflights: see
/// [`OriginPolicy::with_preflight`](crate::OriginPolicy::with_preflight).
#[derive(Clone, Debug)]
pub struct WithPreflight<A, P> {
    actual: A,
    preflight: P,
    varies_on: Vec<HeaderName>,
}

impl<A: OriginPolicy, P: OriginPolicy> WithPreflight<A, P> {
    pub(super) fn new(actual: A, preflight: P) -> Self {
        let varies_on = union_of_names(actual.varies_on(), preflight.varies_on());
        Self {
            actual,
            preflight,
            varies_on,
        }
    }
}

impl<A: OriginPolicy, P: OriginPolicy> OriginPolicy for WithPreflight<A, P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.actual.judge(request)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.preflight.judge_preflight(request)
    }

    fn varies_on(&self) -> &[HeaderName] {
        &self.varies_on
    }

    /// Preflights that any origin passes are broader than any judgement. Whether the preflight's
    /// policy would refuse denied requests does not matter: it is not asked about them.
    fn properties(&self) -> PolicyProperties {
        let actual = self.actual.properties();
        let preflight = match self.preflight.properties() {
            any if any.passes_any_preflight() => any.broad_preflight(),
            single => single,
        };
        preflight
            .denied_requests(actual.own_denied_requests())
            .or(actual)
    }
}
