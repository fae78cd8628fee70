use std::{fmt, time::Duration};

use super::{
    DEFAULT_MAX_AGE,
    lookup::{Lookup, LookupFuture},
};
use crate::{
    origin::RequestOrigin,
    policy::{
        Denial, DenialKind, DeniedRequests, OriginPolicy, PolicyProperties, Verdict, VerdictFuture,
    },
    request::CorsRequest,
};

/// Judges by a key in the URL: a project, a tenant or a session in the path, query or host.
///
/// A preflight has the URL of the request that it announces, so the answer is exact for the key.
/// The first function finds the key, without decoding it; where there is none, the policy
/// abstains. The second finds the origins that belong to the key: at once, or with a
/// [`LookupFuture`]. A key that nobody has gets the same answer as an origin that is not on the
/// list of its key, so that keys cannot be probed for. A key is a name, not a secret: judge the
/// requests themselves by more, if they do more than the name allows.
///
/// It judges requests as well as preflights, and says of itself that denied ones are refused.
///
/// ```
/// use std::collections::HashMap;
/// use tower_cors::{CorsLayer, OriginSet, preflight::UrlKey};
///
/// let projects = HashMap::from([
///     ("7", OriginSet::parse(["https://example.com"]).expect("one origin")),
/// ]);
/// let policy = UrlKey::new(
///     |request| request.uri().path().strip_prefix("/api/")?.split('/').next(),
///     move |project| projects.get(project).cloned(),
/// );
/// let cors = CorsLayer::builder().origin_policy(policy).build()?;
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Copy)]
pub struct UrlKey<E, L> {
    extract: E,
    lookup: L,
    max_age: Duration,
}

impl UrlKey<(), ()> {
    /// The longest key that is looked up, in bytes; nobody has a longer one.
    pub const MAX_KEY_LEN: usize = 256;

    /// A policy that finds the key with `extract`, and its origins with `lookup`.
    ///
    /// `extract` may read the URL, and the host also where the `Host` header has it; what it read
    /// from other headers, caches would not know of.
    pub fn new<E, L, O>(extract: E, lookup: L) -> UrlKey<E, L>
    where
        E: for<'a> Fn(&CorsRequest<'a>) -> Option<&'a str> + Send + Sync + 'static,
        L: Fn(&str) -> O + Send + Sync + 'static,
        O: Into<LookupFuture>,
    {
        UrlKey {
            extract,
            lookup,
            max_age: DEFAULT_MAX_AGE,
        }
    }
}

impl<E, L> UrlKey<E, L> {
    /// Sets how long browsers may keep the answer to a preflight, in whole seconds; not longer
    /// than the data behind `lookup` may be out of date. Default: 60 seconds.
    #[must_use]
    pub fn max_age_at_most(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }
}

impl<E, L, O> OriginPolicy for UrlKey<E, L>
where
    E: for<'a> Fn(&CorsRequest<'a>) -> Option<&'a str> + Send + Sync + 'static,
    L: Fn(&str) -> O + Send + Sync + 'static,
    O: Into<LookupFuture>,
{
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let Some(key) = (self.extract)(request) else {
            return VerdictFuture::ready(Verdict::Abstain);
        };
        let lookup = if key.len() <= UrlKey::MAX_KEY_LEN {
            (self.lookup)(key).into()
        } else {
            Lookup::Unknown.into()
        };
        let max_age = self.max_age;
        match lookup.into_ready() {
            Ok(lookup) => VerdictFuture::ready(verdict(request.origin(), lookup, max_age)),
            Err(lookup) => {
                let origin = request.origin().clone();
                VerdictFuture::new(async move { verdict(&origin, lookup.await, max_age) })
            }
        }
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .no_store()
    }
}

fn verdict(origin: &RequestOrigin, lookup: Lookup, max_age: Duration) -> Verdict {
    match lookup {
        Lookup::Known(origins) => match origin.judge_by(|origin| origins.contains(origin)) {
            Verdict::Allow(grant) => Verdict::Allow(grant.max_age_at_most(max_age)),
            other => other,
        },
        Lookup::Unknown => {
            let denial = Denial::new(DenialKind::OriginNotAllowed);
            Verdict::Deny(denial.reason("nobody has the key in the URL"))
        }
        Lookup::Unavailable => Verdict::Deny(Denial::new(DenialKind::Unavailable)),
    }
}

impl<E, L> fmt::Debug for UrlKey<E, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlKey")
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
