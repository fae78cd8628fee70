use super::{
    denial::{Denial, DenialKind},
    future::VerdictFuture,
    grant::Grant,
    origin_policy::OriginPolicy,
    properties::PolicyProperties,
    verdict::Verdict,
};
use crate::{
    origin::{Origin, OriginSet, RequestOrigin, crosses_public_suffix},
    request::CorsRequest,
};

/// Allows the origins of the set, and denies all others.
impl OriginPolicy for OriginSet {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(judge_tuple(request.origin(), |origin| {
            self.contains(origin)
        }))
    }

    fn properties(&self) -> PolicyProperties {
        let mut properties = PolicyProperties::new();
        if self.has_insecure_origins() {
            properties = properties.lists_insecure_origins();
        }
        if self.wildcard_bases().any(crosses_public_suffix) {
            properties = properties.lists_public_suffixes();
        }
        properties
    }
}

/// An [`OriginSet`], and `null` beside it.
#[derive(Clone, Debug)]
pub(crate) struct SetAndNull(pub(crate) OriginSet);

impl OriginPolicy for SetAndNull {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        match request.origin() {
            RequestOrigin::Opaque => VerdictFuture::ready(Grant::new()),
            RequestOrigin::Tuple(_) => self.0.judge(request),
        }
    }
}

/// Allows what the predicate accepts, and `null` never.
pub(crate) fn judge_tuple(
    origin: &RequestOrigin,
    is_allowed: impl FnOnce(&Origin) -> bool,
) -> Verdict {
    match origin {
        RequestOrigin::Tuple(origin) if is_allowed(origin) => Verdict::Allow(Grant::new()),
        RequestOrigin::Tuple(_) => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
        RequestOrigin::Opaque => Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin)),
    }
}
