use crate::{
    origin::OriginSet,
    policy::{MaybeReady, PolledAgain},
};

/// What is known of the key in a URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// The origins that belong to the key.
    Known(OriginSet),
    /// Nobody has this key. The answer is the same as for an origin that does not belong to it.
    Unknown,
    /// Nobody can tell for now: the request is refused with 503, and a preflight with 403, as ever.
    Unavailable,
}

impl From<Option<OriginSet>> for Lookup {
    fn from(origins: Option<OriginSet>) -> Self {
        origins.map_or(Self::Unknown, Self::Known)
    }
}

/// What is known of the key in a URL, there already or on its way.
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
