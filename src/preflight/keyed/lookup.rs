use crate::{
    origin::OriginSet,
    policy::{MaybeReady, PolledAgain},
};

/// The answer to a lookup: what is known of the key in a URL.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "only applications make it, and a policy has to act on each answer"
)]
pub enum Lookup {
    /// The origins that belong to the key. An empty set is nobody. Risky entries get no credentials:
    /// see [`UrlKey`](crate::preflight::UrlKey).
    Known(OriginSet),
    /// The key belongs to an *open* tenant, whose pages may come from any origin but `null`: the
    /// answer repeats the origin, **never allows credentials**, and requests with cookies are
    /// refused. Only where the policy [says so](crate::preflight::UrlKey::open_tenants); otherwise
    /// it is nobody.
    AnyOrigin,
    /// Nobody has this key. The answer is the same as for an origin that does not belong to it.
    Unknown,
    /// The store cannot tell for now. The request is refused with 503, a preflight with 403.
    Unavailable,
}

impl From<Option<OriginSet>> for Lookup {
    fn from(origins: Option<OriginSet>) -> Self {
        origins.map_or(Self::Unknown, Self::Known)
    }
}

/// A [`Lookup`] that is ready, or one to wait for.
///
/// ```
/// use tower_cors::{OriginSet, preflight::{Lookup, LookupFuture}};
///
/// async fn query(project: String) -> Result<Option<OriginSet>, std::io::Error> {
///     Ok(OriginSet::parse(["https://example.com"]).ok().filter(|_| project == "7"))
/// }
///
/// let known = LookupFuture::from(Some(OriginSet::default()));
/// let queried = LookupFuture::new(async {
///     match query("7".to_owned()).await {
///         Ok(origins) => origins.into(),
///         Err(_) => Lookup::Unavailable,
///     }
/// });
/// ```
pub type LookupFuture = MaybeReady<Lookup>;

impl From<Lookup> for LookupFuture {
    fn from(lookup: Lookup) -> Self {
        Self::ready(lookup)
    }
}

impl From<Option<OriginSet>> for LookupFuture {
    fn from(origins: Option<OriginSet>) -> Self {
        Self::ready(origins)
    }
}

impl PolledAgain for Lookup {
    fn polled_again() -> Self {
        Self::Unavailable
    }
}
