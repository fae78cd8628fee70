use std::fmt;

use super::{future::VerdictFuture, origin_policy::OriginPolicy};
use crate::request::CorsRequest;

/// A policy that is a closure.
///
/// The closure returns a [`Verdict`](crate::Verdict), or a [`VerdictFuture`] when it has to wait.
/// It judges preflights too. If it reads other headers than `Origin`, implement [`OriginPolicy`]
/// on a type of your own instead, and name them there.
///
/// ```
/// use tower_cors::{CorsLayer, Denial, DenialKind, Grant, Verdict, VerdictFuture, policy_fn};
///
/// let secure = policy_fn(|request| match request.origin().tuple() {
///     Some(origin) if origin.scheme() == "https" => Verdict::Allow(Grant::new()),
///     _ => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
/// });
///
/// # async fn is_customer(host: String) -> bool { host == "example.com" }
/// let customers = policy_fn(|request| {
///     let host = request.origin().tuple().map(|origin| origin.host().to_owned());
///     VerdictFuture::new(async move {
///         let Some(host) = host else {
///             return Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin));
///         };
///         if is_customer(host).await {
///             Verdict::Allow(Grant::new())
///         } else {
///             Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
///         }
///     })
/// });
/// let cors = CorsLayer::builder().origin_policy(customers).build()?;
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
pub fn policy_fn<F, V>(judge: F) -> PolicyFn<F>
where
    F: Fn(&CorsRequest<'_>) -> V + Send + Sync + 'static,
    V: Into<VerdictFuture>,
{
    PolicyFn { judge }
}

/// A policy that is a closure: see [`policy_fn`].
#[derive(Clone, Copy)]
pub struct PolicyFn<F> {
    judge: F,
}

impl<F, V> OriginPolicy for PolicyFn<F>
where
    F: Fn(&CorsRequest<'_>) -> V + Send + Sync + 'static,
    V: Into<VerdictFuture>,
{
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        (self.judge)(request).into()
    }
}

impl<F> fmt::Debug for PolicyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyFn({})", std::any::type_name::<F>())
    }
}
