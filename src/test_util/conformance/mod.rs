//! [`policy_conformance`]: the obligations of [`OriginPolicy`], for policies of other crates.

mod alike;
mod allowed_request;
mod closed;
mod expectations;
mod grants;
mod hostile;
mod layered;
mod named;
mod origins;
mod preflights;
mod question;
mod subject;
mod violation;

pub use self::{
    allowed_request::AllowedRequest,
    expectations::Expectations,
    violation::{Obligation, Violation, Violations},
};
use self::{subject::Subject, violation::Found};
use crate::policy::OriginPolicy;

/// Runs a policy through the obligations of [`OriginPolicy`], and names every one that it does not
/// keep.
///
/// You name requests that the policy allows, each with the facts that its verdict needs and nothing
/// else. From these, requests are made that differ in one point and must not be allowed: without a
/// fact, with a wrong one, from an origin that resembles the allowed one. Over 500 requests are judged
/// for each that you name; the [`Obligation`]s are the list of what is looked at.
///
/// The policy is asked while it waits for nothing else, and there is no time limit: one that never
/// answers makes the test hang. Nothing is known of its sources, so what a policy does while its
/// database is out of reach needs a test of its own.
///
/// # Errors
///
/// All violations, with the request and the verdict of each.
///
/// # Examples
///
/// ```
/// use tower_cors::{OriginSet, policy_fn, test_util::{AllowedRequest, Obligation, policy_conformance}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let list = OriginSet::parse(["https://app.example.com"])?;
/// policy_conformance(list, [AllowedRequest::new("https://app.example.com")]).await?;
///
/// // This one looks at the host alone, so it lets in pages that anybody on the network can write.
/// let by_host = policy_fn(|request| {
///     request.origin().judge_by(|origin| origin.host() == "app.example.com")
/// });
/// let allowed = AllowedRequest::new("https://app.example.com");
/// let violations = policy_conformance(by_host, [allowed]).await.unwrap_err();
/// assert!(violations.iter().all(|violation| violation.obligation() == Obligation::WholeOrigins));
/// assert!(violations.to_string().contains("http://app.example.com"));
/// # Ok(())
/// # }
/// ```
///
/// A policy that needs a token says so by the header of its sample:
///
/// ```
/// use http::header::HOST;
/// use tower_cors::{
///     CorsRequest, OriginPolicy, OriginSet, VerdictFuture,
///     policy::PolicyProperties,
///     test_util::{AllowedRequest, policy_conformance},
/// };
///
/// /// Each tenant has a host, and pages of its own.
/// #[derive(Debug)]
/// struct Tenant(OriginSet);
///
/// impl OriginPolicy for Tenant {
///     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
///         let is_known = request.single_header(&HOST) == Some("one.example");
///         request.origin().judge_by(|origin| is_known && self.0.contains(origin)).into()
///     }
///
///     fn properties(&self) -> PolicyProperties {
///         PolicyProperties::new().reads([HOST])
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tenant = Tenant(OriginSet::parse(["https://shop.one.example"])?);
/// let allowed = AllowedRequest::new("https://shop.one.example").header("host", "one.example");
/// policy_conformance(tenant, [allowed]).await?;
/// # Ok(())
/// # }
/// ```
pub async fn policy_conformance(
    policy: impl OriginPolicy,
    expectations: impl Into<Expectations>,
) -> Result<(), Violations> {
    let mut found = Found::default();
    let subject = Subject::new(policy, expectations.into(), &mut found);
    // First, while the policy has remembered nothing.
    alike::check(&subject, &mut found).await;
    grants::check(&subject, &mut found).await;
    closed::check(&subject, &mut found).await;
    hostile::check(&subject, &mut found).await;
    named::check(&subject, &mut found).await;
    preflights::check(&subject, &mut found).await;
    layered::check(&subject, &mut found).await;
    subject.check_properties(&mut found);
    found.into_result()
}
