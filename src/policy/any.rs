use http::HeaderName;

use super::{Grant, OriginPolicy, PolicyProperties, VerdictFuture};
use crate::request::CorsRequest;

/// Anything: any origin, any method, any request header, or all response headers.
///
/// As a policy it grants every request the literal `*`, never with credentials, and its answers
/// vary on nothing. Safe for what is public anyway; not for a service that only a private network
/// protects.
///
/// ```
/// use tower_cors::{Any, ConfigError, CorsLayer};
///
/// let cors = CorsLayer::builder().allow_origins(Any).build()?;
///
/// // Every site could act as the signed-in user:
/// let errors = CorsLayer::builder()
///     .allow_origins(Any)
///     .allow_credentials(true)
///     .build()
///     .unwrap_err();
/// assert_eq!(errors.into_iter().next(), Some(ConfigError::AnyOriginWithCredentials));
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit value, written in configurations"
)]
pub struct Any;

impl OriginPolicy for Any {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Grant::any_origin())
    }

    fn varies_on(&self) -> &[HeaderName] {
        &[]
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::always_any_origin()
    }
}
