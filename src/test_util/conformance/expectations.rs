use std::fmt;

use super::allowed_request::AllowedRequest;
use crate::origin::Origin;

/// What a policy is meant to allow, for [`policy_conformance`](super::policy_conformance).
///
/// A list of [`AllowedRequest`]s becomes one. More is needed only for a policy that allows more than
/// single origins, or judges no preflights:
///
/// ```
/// use tower_cors::{OriginSet, test_util::{AllowedRequest, Expectations, policy_conformance}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let previews = OriginSet::parse(["https://*.preview.example.com"])?;
/// let expectations = || Expectations::new().allows(AllowedRequest::new("https://pr-7.preview.example.com"));
/// let meant = expectations()
///     .also_allows(|origin| origin.as_str().ends_with(".preview.example.com")
///         && origin.scheme() == "https" && origin.port().is_none());
/// policy_conformance(previews.clone(), meant).await?;
/// // Without saying that the other names are meant, too:
/// assert!(policy_conformance(previews, expectations()).await.is_err());
/// # Ok(())
/// # }
/// ```
#[must_use = "they do nothing until they are passed on"]
pub struct Expectations {
    pub(super) allowed: Vec<AllowedRequest>,
    pub(super) also: Box<dyn Fn(&Origin) -> bool + Send + Sync>,
    pub(super) allows_null: bool,
    pub(super) judges_preflights: bool,
}

impl Expectations {
    /// Expects nothing yet.
    pub fn new() -> Self {
        Self {
            allowed: Vec::new(),
            also: Box::new(|_| false),
            allows_null: false,
            judges_preflights: true,
        }
    }

    /// Adds a request that the policy allows. There has to be at least one.
    pub fn allows(mut self, request: AllowedRequest) -> Self {
        self.allowed.push(request);
        self
    }

    /// Sets which origins may be allowed beside those of the requests. Default: none. Write it
    /// without what the policy itself compares origins with.
    pub fn also_allows(
        mut self,
        is_meant: impl Fn(&Origin) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.also = Box::new(is_meant);
        self
    }

    /// Says that `null` may be allowed. Sandboxed frames of every site have that origin.
    pub fn allows_null(mut self) -> Self {
        self.allows_null = true;
        self
    }

    /// Says that preflights are another policy's business, by
    /// [`with_preflight`](crate::OriginPolicy::with_preflight), so that this one may deny them.
    pub fn preflights_elsewhere(mut self) -> Self {
        self.judges_preflights = false;
        self
    }
}

impl Default for Expectations {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> From<[AllowedRequest; N]> for Expectations {
    fn from(allowed: [AllowedRequest; N]) -> Self {
        allowed.into_iter().fold(Self::new(), Self::allows)
    }
}

impl From<Vec<AllowedRequest>> for Expectations {
    fn from(allowed: Vec<AllowedRequest>) -> Self {
        allowed.into_iter().fold(Self::new(), Self::allows)
    }
}

impl fmt::Debug for Expectations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expectations")
            .field("allowed", &self.allowed)
            .field("allows_null", &self.allows_null)
            .field("judges_preflights", &self.judges_preflights)
            .finish_non_exhaustive()
    }
}
