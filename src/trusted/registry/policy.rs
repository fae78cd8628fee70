use std::time::Duration;

use super::origin_registry::OriginRegistry;
use crate::{
    origin::RequestOrigin,
    policy::{
        Decider, Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, PolicyProperties,
        VerdictFuture,
    },
    request::CorsRequest,
    trusted::entry::Scope,
};

/// How long browsers may keep the answer to a preflight: an entry may be deactivated meanwhile.
/// The request that follows is judged anyway.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Allows the origins that active entries with the scope `CORS` match, with credentials if one of
/// them permits those. Denies all others, and everybody while the registry is not available.
///
/// Browsers keep the answer to a preflight for a minute at most, and no longer than the registry of
/// a [`Replica`](crate::trusted::replica::Replica) may be
/// [stale](crate::trusted::replica::WhenStale::FailClosedAfter). Denied requests are refused unless
/// the layer says otherwise.
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
        match self.grant_to(request.origin()) {
            Ok(grant) => grant.into(),
            Err(denial) => denial.into(),
        }
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        match self.grant_to(request.origin()) {
            Ok(grant) => grant.max_age_at_most(self.max_age()).into(),
            Err(denial) => denial.into(),
        }
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .grants_credentials()
            .no_store()
            .looks_up_in(self.clone())
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        Decider::of_listing("OriginRegistry", self, request.origin())
    }
}

impl OriginRegistry {
    fn grant_to(&self, origin: &RequestOrigin) -> Result<Grant, Denial> {
        let RequestOrigin::Tuple(origin) = origin else {
            return Err(DenialKind::OpaqueOrigin.into());
        };
        match self.access(origin) {
            None => Err(self.unavailable()),
            Some(access) if access.allows(Scope::Cors) => {
                Ok(Grant::new().allow_credentials(access.credentials()))
            }
            Some(_) => Err(DenialKind::OriginNotAllowed.into()),
        }
    }

    /// A registry that fails closed after some seconds must not be trusted by browsers for longer.
    fn max_age(&self) -> Duration {
        let limit = self.freshness().limit();
        limit.map_or(MAX_AGE, |limit| limit.min(MAX_AGE))
    }

    fn unavailable(&self) -> Denial {
        DenialKind::Unavailable.because(match self.staleness() {
            None => "the registry has not been loaded yet".to_owned(),
            Some(age) => format!(
                "the registry was last confirmed by its source {} s ago, which is longer than allowed",
                age.as_secs()
            ),
        })
    }
}
