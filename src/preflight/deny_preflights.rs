use crate::{
    policy::{Denial, DenialKind, OriginPolicy, Verdict, VerdictFuture},
    request::CorsRequest,
};

/// Denies every preflight, so that only requests which need none can come from other origins.
///
/// It has no opinion on actual requests.
///
/// ```
/// use tower_cors::{CorsLayer, OriginSet, OriginPolicy, preflight::DenyPreflights};
///
/// // Pages of the list may read. They cannot send requests with a preflight, such as a `PUT`.
/// let list = OriginSet::parse(["https://example.com"]).expect("one origin");
/// let cors = CorsLayer::builder()
///     .origin_policy(list.with_preflight(DenyPreflights))
///     .build()?;
/// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///
/// let get = http::Request::get("/").header("origin", "https://example.com");
/// assert!(is_allowed(get.body(())?));
/// let put = http::Request::options("/")
///     .header("origin", "https://example.com")
///     .header("access-control-request-method", "PUT");
/// assert!(!is_allowed(put.body(())?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit value, written in configurations"
)]
pub struct DenyPreflights;

impl OriginPolicy for DenyPreflights {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Verdict::Abstain)
    }

    fn judge_preflight(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Denial::new(DenialKind::PreflightNotAllowed))
    }
}
