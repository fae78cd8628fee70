use std::time::Duration;

use super::origin_registry::OriginRegistry;
use crate::{
    origin::RequestOrigin,
    policy::{
        Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, PolicyProperties, Verdict,
        VerdictFuture,
    },
    request::CorsRequest,
    trusted::entry::Scope,
};

/// How long browsers may keep the answer to a preflight: an entry may be deactivated meanwhile.
/// The request that follows is judged anyway.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Allows the origins that active entries with the scope `CORS` match, with credentials if one of
/// them says so; denies all others, and everybody while the registry is not available.
///
/// Browsers keep the answer to a preflight for a minute at most. Denied requests are refused
/// unless the layer says otherwise.
///
/// This is the policy for callers with cookies. Callers with bearer tokens need no entry where the
/// service uses [`BearerOr`](crate::policy::BearerOr):
///
/// ```
/// use http::header::AUTHORIZATION;
/// use tower_cors::{CorsLayer, policy::BearerOr, trusted::store::EmbeddedStore};
///
/// let store = EmbeddedStore::in_memory();
/// let cors = CorsLayer::builder()
///     .origin_policy(BearerOr::new(store.origins().clone()))
///     .allow_headers([AUTHORIZATION])
///     .build()?;
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
impl OriginPolicy for OriginRegistry {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(match self.grant_to(request.origin()) {
            Ok(grant) => Verdict::Allow(grant),
            Err(kind) => Verdict::Deny(Denial::new(kind)),
        })
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(match self.grant_to(request.origin()) {
            Ok(grant) => Verdict::Allow(grant.max_age_at_most(MAX_AGE)),
            Err(kind) => Verdict::Deny(Denial::new(kind)),
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .grants_credentials()
            .no_store()
    }
}

impl OriginRegistry {
    fn grant_to(&self, origin: &RequestOrigin) -> Result<Grant, DenialKind> {
        let RequestOrigin::Tuple(origin) = origin else {
            return Err(DenialKind::OpaqueOrigin);
        };
        match self.access(origin) {
            None => Err(DenialKind::Unavailable),
            Some(access) if access.allows(Scope::Cors) => {
                Ok(Grant::new().allow_credentials(access.credentials()))
            }
            Some(_) => Err(DenialKind::OriginNotAllowed),
        }
    }
}
