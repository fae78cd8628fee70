use std::{fmt, future::Future};

use super::{future::VerdictFuture, origin_policy::OriginPolicy, verdict::Verdict};
use crate::request::{CorsRequest, OwnedRequest};

/// A policy that is a closure.
///
/// The closure returns a [`Verdict`](crate::Verdict) or what converts into one, such as a `bool`;
/// or a [`VerdictFuture`] if it has to wait. It judges preflights too. If it reads other headers
/// than `Origin`, implement [`OriginPolicy`] on a type of your own instead, and name them there.
///
/// Compare whole origins, as [`OriginSet`](crate::OriginSet) does: the host alone would let in
/// `http://` and every port.
///
/// ```
/// use tower_cors::{CorsLayer, OriginPolicy, OriginSet, Verdict, policy_fn};
///
/// let customers = OriginSet::parse(["https://customer.example"])?;
/// let policy = policy_fn(move |request| {
///     request.origin().judge_by(|origin| customers.contains(origin))
/// });
///
/// // This one knows one origin. It abstains on the others, so that a fallback is asked.
/// let previews = policy_fn(|request| match request.origin().tuple() {
///     Some(origin) if origin.as_str() == "https://preview.example" => Verdict::from(true),
///     _ => Verdict::Abstain,
/// });
/// let cors = CorsLayer::builder().origin_policy(previews.fallback(policy)).build()?;
/// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///
/// let from = |origin| http::Request::get("/").header("origin", origin).body(());
/// assert!(is_allowed(from("https://preview.example")?));
/// assert!(is_allowed(from("https://customer.example")?));
/// assert!(!is_allowed(from("https://evil.example")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

/// A policy that is an asynchronous closure. It is given a copy of each request, and is always
/// waited for: implement [`OriginPolicy`] to answer at once where the answer is known.
///
/// ```
/// use tower_cors::{CorsLayer, DenialKind, Origin, Verdict, policy::async_policy_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn is_customer(origin: &Origin) -> Result<bool, std::io::Error> {
///     Ok(origin.as_str() == "https://customer.example")
/// }
///
/// let policy = async_policy_fn(async |request| {
///     let Some(origin) = request.origin().tuple() else {
///         return DenialKind::OpaqueOrigin.into();
///     };
///     match is_customer(origin).await {
///         Ok(is_customer) => Verdict::from(is_customer),
///         // If the source cannot tell, deny.
///         Err(error) => DenialKind::Unavailable.because(error.to_string()).into(),
///     }
/// });
/// let cors = CorsLayer::builder().origin_policy(policy).build()?;
///
/// let from = |origin| http::Request::get("/").header("origin", origin).body(());
/// assert!(cors.explain(&from("https://customer.example")?).await.is_allowed());
/// assert!(!cors.explain(&from("https://evil.example")?).await.is_allowed());
/// # Ok(())
/// # }
/// ```
pub fn async_policy_fn<F, R, V>(judge: F) -> AsyncPolicyFn<F>
where
    F: Fn(OwnedRequest) -> R + Send + Sync + 'static,
    R: Future<Output = V> + Send + 'static,
    V: Into<Verdict>,
{
    AsyncPolicyFn { judge }
}

/// A policy that is an asynchronous closure: see [`async_policy_fn`].
#[derive(Clone, Copy)]
pub struct AsyncPolicyFn<F> {
    judge: F,
}

impl<F, R, V> OriginPolicy for AsyncPolicyFn<F>
where
    F: Fn(OwnedRequest) -> R + Send + Sync + 'static,
    R: Future<Output = V> + Send + 'static,
    V: Into<Verdict>,
{
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let verdict = (self.judge)(request.to_owned_request());
        VerdictFuture::new(async move { verdict.await.into() })
    }
}

impl<F> fmt::Debug for AsyncPolicyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncPolicyFn").finish_non_exhaustive()
    }
}
