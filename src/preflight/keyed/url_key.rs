use std::{fmt, sync::Arc, time::Duration};

use http::header::COOKIE;

use super::{
    super::DEFAULT_MAX_AGE,
    lookup::{Lookup, LookupFuture},
    lookup_cache::LookupCache,
    request_url::RequestUrl,
};
#[cfg(feature = "metrics")]
use crate::observe::{CacheCounters, CacheKind};
use crate::{
    origin::RequestOrigin,
    policy::{
        Denial, DenialKind, DeniedRequests, Grant, OriginPolicy, PolicyProperties, UncheckedList,
        Verdict, VerdictFuture,
    },
    request::CorsRequest,
    time::Clock,
};

/// Judges requests and preflights by a key in the URL: a project, a tenant or a session in the path,
/// the query or the host.
///
/// A preflight has the URL of the request that it announces, so the answer is exact for the key.
/// The first function finds the key, without decoding it; where there is none, the policy abstains.
/// It sees the URL and the host only, because a cache would not know of anything else: for a tenant
/// that a header names, write a [policy](crate::OriginPolicy) that says which header it reads. The
/// second function finds the origins that belong to the key, at once or with a [`LookupFuture`].
///
/// A key that nobody has gets the same answer as an origin that is not on the list of its key, so
/// that keys cannot be probed for. A key is a name, not a secret: judge the requests themselves by
/// more, if they do more than the name allows. Denied requests are refused.
///
/// No builder has checked the lists, so their risky entries are allowed **without credentials**,
/// whatever the layer says: `http` origins that are not of this machine, wildcards across a public
/// suffix such as `https://*.github.io`, and every host of an application's scheme. Their requests
/// with cookies are denied. Two methods named `dangerously_...` change that.
///
/// Anybody can send preflights, and make up keys. So a lookup that has to be waited for is under way
/// once for a key, its answer is remembered for a [moment](Self::lookup_ttl), and only so many are
/// [under way](Self::max_outstanding) at once. A lookup that panics is
/// [unavailable](Lookup::Unavailable), and so is one that waits for its own answer, to itself.
///
/// ```
/// use std::collections::HashMap;
/// use tower_cors::{CorsLayer, OriginSet, preflight::UrlKey};
///
/// let projects = HashMap::from([
///     ("7", OriginSet::parse(["https://example.com"]).expect("one origin")),
/// ]);
/// let policy = UrlKey::new(
///     |url| url.path().strip_prefix("/api/")?.split('/').next(),
///     move |project| projects.get(project).cloned(),
/// );
/// let cors = CorsLayer::builder().origin_policy(policy).build()?;
/// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///
/// let preflight = |url| {
///     http::Request::options(url)
///         .header("origin", "https://example.com")
///         .header("access-control-request-method", "POST")
///         .body(())
/// };
/// assert!(is_allowed(preflight("/api/7/things")?));
/// // The page is not one of this project's.
/// assert!(!is_allowed(preflight("/api/8/things")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct UrlKey {
    extract: Arc<Extract>,
    look_up: Arc<LookUpFn>,
    cache: Arc<LookupCache>,
    max_age: Duration,
    has_open_tenants: bool,
    lists: UncheckedList,
}

type Extract = dyn for<'a> Fn(&'a RequestUrl<'_>) -> Option<&'a str> + Send + Sync;

type LookUpFn = dyn Fn(&str) -> LookupFuture + Send + Sync;

impl UrlKey {
    /// The longest key that is looked up, in bytes; nobody has a longer one.
    pub const MAX_KEY_LEN: usize = 256;

    /// A policy that finds the key with `extract`, and its origins with `lookup`.
    pub fn new<E, L, O>(extract: E, lookup: L) -> Self
    where
        E: for<'a> Fn(&'a RequestUrl<'_>) -> Option<&'a str> + Send + Sync + 'static,
        L: Fn(&str) -> O + Send + Sync + 'static,
        O: Into<LookupFuture>,
    {
        Self {
            extract: Arc::new(extract),
            look_up: Arc::new(move |key: &str| lookup(key).into()),
            cache: Arc::new(LookupCache::new()),
            max_age: DEFAULT_MAX_AGE,
            has_open_tenants: false,
            lists: UncheckedList::default(),
        }
    }

    /// Sets how long browsers may keep the answer to a preflight, in whole seconds; not longer
    /// than the data behind `lookup` may be out of date. Default: 60 seconds.
    pub fn max_age_at_most(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets how long the answer of a lookup that had to be waited for is remembered. At most 4096
    /// answers are. Default: 5 seconds, and 1 second where the store could not tell.
    pub fn lookup_ttl(mut self, ttl: Duration) -> Self {
        self.cache = Arc::new(LookupCache {
            ttl,
            ..self.cache.emptied()
        });
        self
    }

    /// Sets how many lookups may be under way; at least 1. While as many are, a key that is not
    /// remembered is [unavailable](Lookup::Unavailable) at once, unless its lookup is under way
    /// already: the lookup is not called. Default: 256.
    ///
    /// Lookups whose answer is there without waiting take no place. One that begins its work before
    /// it is polled, as with `tokio::spawn`, may be called once too often by each thread that calls
    /// it at the same moment.
    pub fn max_outstanding(mut self, lookups: usize) -> Self {
        self.cache = Arc::new(LookupCache {
            max_outstanding: lookups.max(1),
            ..self.cache.emptied()
        });
        self
    }

    /// Sets the clock. Default: [`SystemClock`](crate::time::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.cache = Arc::new(LookupCache {
            clock: Arc::new(clock),
            ..self.cache.emptied()
        });
        self
    }

    /// Counts through the facade `metrics` how often an answer is remembered that would have to be
    /// waited for, with this name: see [the table in the guide](crate::guide::observing#counters).
    /// The counters are registered here, so install the recorder first. Default: not.
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        let counters = CacheCounters::register(CacheKind::UrlKey, name.into());
        self.cache = Arc::new(LookupCache {
            counters: Some(counters),
            ..self.cache.emptied()
        });
        self
    }

    /// Lets [`Lookup::AnyOrigin`] stand for any origin: the answer repeats the origin, **never
    /// allows credentials**, whatever the layer says, and requests with cookies are refused, which
    /// any page can send. Default: it is nobody.
    pub fn open_tenants(mut self) -> Self {
        self.has_open_tenants = true;
        self
    }

    /// Lets origins without transport security that a key's list has get credentials, if the layer
    /// allows them. Default: they are allowed without credentials.
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user.
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        self.lists.insecure_origins = true;
        self
    }

    /// Lets wildcards across a public suffix, and every host of an application's scheme, get
    /// credentials where a key's list has them and the layer allows credentials. Default: the origins
    /// that only they match are allowed without credentials.
    ///
    /// Anybody who registers a name below the suffix can act as the user.
    pub fn dangerously_allow_public_suffixes(mut self) -> Self {
        self.lists.public_suffixes = true;
        self
    }

    fn judgement(&self, request: &CorsRequest<'_>) -> Judgement {
        Judgement {
            max_age: self.max_age,
            lists: self.lists,
            has_cookies: request.headers().contains_key(COOKIE),
            has_open_tenants: self.has_open_tenants,
        }
    }
}

impl OriginPolicy for UrlKey {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let url = RequestUrl::of(request);
        let Some(key) = (self.extract)(&url) else {
            return VerdictFuture::ready(Verdict::Abstain);
        };
        let lookup = if key.len() <= Self::MAX_KEY_LEN {
            self.cache.get(key, || (self.look_up)(key))
        } else {
            Lookup::Unknown.into()
        };
        let judgement = self.judgement(request);
        match lookup.into_ready() {
            Ok(lookup) => VerdictFuture::ready(judgement.of(request.origin(), lookup)),
            Err(lookup) => {
                let origin = request.origin().clone();
                VerdictFuture::new(async move { judgement.of(&origin, lookup.await) })
            }
        }
    }

    fn properties(&self) -> PolicyProperties {
        let properties = PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .no_store();
        if self.has_open_tenants {
            // Their answer depends on whether there are cookies.
            properties.repeats_any_origin().reads([COOKIE])
        } else {
            properties
        }
    }
}

/// What the verdict depends on, beside the origin and the answer.
#[derive(Clone, Copy)]
struct Judgement {
    max_age: Duration,
    lists: UncheckedList,
    has_cookies: bool,
    has_open_tenants: bool,
}

impl Judgement {
    fn of(self, origin: &RequestOrigin, lookup: Lookup) -> Verdict {
        let denied = |reason: &str| {
            Denial::new(DenialKind::OriginNotAllowed)
                .reason(reason)
                .into()
        };
        let verdict = match (lookup, origin) {
            (Lookup::Known(list), RequestOrigin::Tuple(origin)) => {
                let (is_listed, beside_strangers) = (
                    || list.contains(origin),
                    || list.contains_beside_strangers(origin),
                );
                self.lists
                    .judge(origin, self.has_cookies, is_listed, beside_strangers)
                    .unwrap_or_else(|| DenialKind::OriginNotAllowed.into())
            }
            (Lookup::Known(_), RequestOrigin::Opaque) => DenialKind::OpaqueOrigin.into(),
            (Lookup::AnyOrigin, RequestOrigin::Tuple(_))
                if self.has_open_tenants && !self.has_cookies =>
            {
                Grant::new().allow_credentials(false).into()
            }
            (Lookup::AnyOrigin, RequestOrigin::Opaque) => {
                Denial::new(DenialKind::OpaqueOrigin).into()
            }
            (Lookup::AnyOrigin, _) => denied(
                "the tenant of the key in the URL is open: without open_tenants(), and with \
                 cookies, that is nobody",
            ),
            (Lookup::Unknown, _) => denied("nobody has the key in the URL"),
            (Lookup::Unavailable, _) => Denial::new(DenialKind::Unavailable).into(),
        };
        match verdict {
            Verdict::Allow(grant) => Verdict::Allow(grant.max_age_at_most(self.max_age)),
            other => other,
        }
    }
}

impl fmt::Debug for UrlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlKey")
            .field("max_age", &self.max_age)
            .field("lookup_ttl", &self.cache.ttl)
            .field("open_tenants", &self.has_open_tenants)
            .finish_non_exhaustive()
    }
}
