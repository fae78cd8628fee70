use std::time::Duration;

use crate::{
    error::{BroadPreflightReason, ConfigError, ConfigErrors},
    lists::MaxAge,
    origin::RequestOrigin,
    policy::{
        Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, PolicyProperties, Verdict,
        VerdictFuture,
    },
    request::CorsRequest,
};

/// Lets the preflights of all origins but `null` pass, never with credentials and not for long.
///
/// For tokens of other issuers in a header, where a preflight tells nothing about the token. A
/// preflight is what keeps other sites from sending anything but simple requests, so a layer
/// accepts this strategy only where it does without that protection: denied requests refused,
/// no credentials, listed methods and headers, and a max-age of at most
/// [`MaxAge::MAX_BROAD_SECS`]. Actual requests it has no opinion on.
///
/// ```
/// use tower_cors::{
///     CorsLayer,
///     DeniedRequests,
///     OriginSet,
///     OriginPolicy,
///     error::{BroadPreflightReason, ConfigError},
///     preflight::Optimistic,
/// };
///
/// // In the place of this list stands a policy that reads a token.
/// let policy = || {
///     let list = OriginSet::parse(["https://example.com"]).expect("one origin");
///     list.with_preflight(Optimistic::new())
/// };
/// let cors = CorsLayer::builder()
///     .origin_policy(policy())
///     .denied_requests(DeniedRequests::Refuse)
///     .build()?;
///
/// let errors = CorsLayer::builder().origin_policy(policy()).build().unwrap_err();
/// assert_eq!(
///     errors.into_iter().next(),
///     Some(ConfigError::BroadPreflight(BroadPreflightReason::Forwards)),
/// );
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optimistic {
    max_age: Duration,
}

impl Optimistic {
    /// The strategy with a max-age of 5 seconds, which is what browsers take when nothing is said.
    pub const fn new() -> Self {
        Self {
            max_age: Duration::from_secs(5),
        }
    }

    /// Sets how long browsers may keep an answer, in whole seconds.
    ///
    /// # Errors
    ///
    /// [`BroadPreflightReason::MaxAge`] beyond [`MaxAge::MAX_BROAD_SECS`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_cors::preflight::Optimistic;
    ///
    /// assert!(Optimistic::new().max_age(Duration::from_secs(60)).is_ok());
    /// assert!(Optimistic::new().max_age(Duration::from_secs(61)).is_err());
    /// ```
    pub fn max_age(self, max_age: Duration) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        if max_age.as_secs() > MaxAge::MAX_BROAD_SECS.into() {
            errors.push(ConfigError::BroadPreflight(BroadPreflightReason::MaxAge));
        }
        ConfigErrors::none_or(errors, || Self { max_age })
    }
}

impl Default for Optimistic {
    fn default() -> Self {
        Self::new()
    }
}

impl OriginPolicy for Optimistic {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Verdict::Abstain)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(match request.origin() {
            RequestOrigin::Tuple(_) => {
                let grant = Grant::new().allow_credentials(false);
                Verdict::Allow(grant.max_age_at_most(self.max_age))
            }
            RequestOrigin::Opaque => Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin)),
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .broad_preflight()
            .denied_requests(DeniedRequests::Refuse)
            .no_store()
    }
}
