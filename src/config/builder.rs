use std::{future::Future, sync::Arc, time::Duration};

use http::StatusCode;

use super::{
    dangerous::DangerousOptIns,
    origins::{InsecureList, OriginList},
};
use crate::{
    error::{ConfigErrors, OriginSetting},
    layer::{CorsLayer, InForce, Observation, Observer, VerdictTimeout},
    lists::{Any, ConfigList},
    policy::{Caching, DeniedRequests, OriginPolicy},
};

/// A configuration that is not checked yet: see [`CorsLayer::builder`].
///
/// A setter that is called twice replaces the first value, except
/// [`dangerously_allow_insecure_origin`](Self::dangerously_allow_insecure_origin), which adds to it.
/// Nothing is checked before [`build`](Self::build), which reports every mistake.
///
/// An insecure setting is a mistake, unless it is made by a method whose name begins with
/// `dangerously_`:
///
/// ```
/// use tower_cors::CorsLayer;
///
/// let intranet = || {
///     CorsLayer::builder().allow_origins(["http://intranet.example"]).allow_credentials(true)
/// };
/// assert!(intranet().build().is_err());
/// assert!(intranet().dangerously_allow_insecure_origins().build().is_ok());
/// ```
#[derive(Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct CorsLayerBuilder {
    pub(super) origins: Option<OriginList>,
    pub(super) insecure_origins: Vec<InsecureList>,
    pub(super) is_constant: bool,
    pub(super) policy: Option<Box<dyn OriginPolicy>>,
    pub(super) credentials: bool,
    pub(super) methods: ConfigList,
    pub(super) headers: ConfigList,
    pub(super) expose: ConfigList,
    pub(super) max_age: Option<i64>,
    pub(super) denied_requests: Option<DeniedRequests>,
    pub(super) preflight_status: Option<StatusCode>,
    pub(super) record_denials: Option<bool>,
    pub(super) opt_ins: DangerousOptIns,
    pub(super) verdict_timeout: Option<VerdictTimeout>,
    pub(super) observation: Observation,
    pub(super) is_shadow: bool,
    pub(super) table: Option<WithinTable>,
}

/// What the configuration of one method takes from those of the other methods of its route.
#[derive(Clone, Debug)]
pub(crate) struct WithinTable {
    /// The strictest of all: caches and logs know a request by its URL, which the methods share.
    pub(crate) caching: Caching,
    /// The observers of the decisions about all of them.
    pub(crate) observer: Option<Arc<Observer>>,
    /// Whether they are judged in shadow.
    pub(crate) is_shadow: bool,
    /// The status of answers to preflights. Clients that need another than 204 need it for all
    /// methods.
    pub(crate) preflight_status: Option<StatusCode>,
}

impl CorsLayer {
    /// Starts a configuration.
    pub fn builder() -> CorsLayerBuilder {
        CorsLayerBuilder::new()
    }

    /// Starts a configuration, as [`builder`](Self::builder) does: the name that users of
    /// tower-http type first. The configuration has to be built, since it may have mistakes.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a layer cannot be had without its checks"
    )]
    pub fn new() -> CorsLayerBuilder {
        CorsLayerBuilder::new()
    }

    /// Any origin, method, request header and response header, without credentials.
    ///
    /// By the Fetch standard `*` does not cover `Authorization`, but current browsers let it pass.
    /// List `authorization` if pages need it, and do not count on the `*` to keep it out.
    pub fn permissive() -> Self {
        CorsLayerBuilder::permissive()
            .build()
            .expect("any of everything without credentials has no mistake")
    }
}

impl CorsLayerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            origins: None,
            insecure_origins: Vec::new(),
            is_constant: false,
            policy: None,
            credentials: false,
            methods: ConfigList::default(),
            headers: ConfigList::default(),
            expose: ConfigList::default(),
            max_age: None,
            denied_requests: None,
            preflight_status: None,
            record_denials: None,
            opt_ins: DangerousOptIns::default(),
            verdict_timeout: None,
            observation: Observation::default(),
            is_shadow: false,
            table: None,
        }
    }

    /// A configuration that allows any origin, method, request header and response header, without
    /// credentials, to start from.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_cors::CorsLayerBuilder;
    ///
    /// let cors = CorsLayerBuilder::permissive().max_age(Duration::from_secs(600)).build()?;
    /// assert!(CorsLayerBuilder::permissive().allow_credentials(true).build().is_err());
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn permissive() -> Self {
        Self::new()
            .allow_origins(Any)
            .allow_methods(Any)
            .allow_headers(Any)
            .expose_headers(Any)
    }

    /// Makes the configuration one that is judged and never answered with.
    pub(super) fn in_shadow(mut self) -> Self {
        self.observation = Observation::default();
        self.is_shadow = true;
        self
    }

    /// Makes the configuration one of several for a route, which the method chooses among.
    pub(crate) fn within_table(mut self, table: WithinTable) -> Self {
        self.preflight_status = table.preflight_status;
        self.table = Some(table);
        self
    }

    /// The origins that may use the service: [`Any`](crate::Any), one or several entries in the
    /// grammar of [`OriginPattern`](crate::origin::OriginPattern), a text with several, or an
    /// [`OriginSet`](crate::OriginSet). An empty list allows nobody.
    pub fn allow_origins(mut self, origins: impl Into<OriginList>) -> Self {
        self.origins = Some(origins.into());
        self.is_constant = false;
        self
    }

    /// Allows exactly one origin, and says so in every response: also to requests of other origins
    /// and to those without an `Origin`, and without `Vary: Origin`. Replaces
    /// [`allow_origins`](Self::allow_origins).
    ///
    /// For services behind a cache that ignores `Vary`, which would otherwise hand the response to
    /// a request without an `Origin` to the page ([Fetch, CORS protocol and HTTP caches]). Browsers
    /// compare the header with the page's origin, so pages of other origins still read nothing. With
    /// credentials and [`Any`] method or header, the answer to a preflight repeats what it asks for,
    /// and its `Vary` names that: list the names, so that such a cache can keep these answers too.
    ///
    /// ```
    /// use tower_cors::CorsLayer;
    ///
    /// let one = "https://app.example.com";
    /// assert!(CorsLayer::builder().always_allow_origin(one).build().is_ok());
    /// let several = "https://*.example.com";
    /// assert!(CorsLayer::builder().always_allow_origin(several).build().is_err());
    /// ```
    ///
    /// [Fetch, CORS protocol and HTTP caches]: https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches
    pub fn always_allow_origin(mut self, origin: impl Into<OriginList>) -> Self {
        self.origins = Some(origin.into());
        self.is_constant = true;
        self
    }

    /// The policy that decides, in place of a list of origins. Both together are a mistake: put the
    /// list behind the policy with [`fallback`](crate::OriginPolicy::fallback).
    ///
    /// With credentials, a policy whose [`PolicyProperties`](crate::policy::PolicyProperties) say
    /// that it lists insecure origins or public suffixes does not build, as with
    /// [`allow_origins`](Self::allow_origins). An [`OriginSet`](crate::OriginSet) says so by itself.
    pub fn origin_policy(mut self, policy: impl OriginPolicy) -> Self {
        self.policy = Some(Box::new(policy));
        self
    }

    /// Whether pages may send cookies, client certificates and HTTP authentication, and read the
    /// answers. Default: no.
    pub fn allow_credentials(mut self, allowed: bool) -> Self {
        self.credentials = allowed;
        self
    }

    /// The methods that pages may use, beside `GET`, `HEAD` and `POST`, which browsers always let
    /// through: see [`AllowMethods`](crate::lists::AllowMethods). Default: no others.
    pub fn allow_methods(mut self, methods: impl Into<ConfigList>) -> Self {
        self.methods = methods.into();
        self
    }

    /// The request headers that pages may send: see [`AllowHeaders`](crate::lists::AllowHeaders).
    /// Default: the safelisted ones.
    pub fn allow_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        self.headers = headers.into();
        self
    }

    /// The response headers that pages may read: see [`ExposeHeaders`](crate::lists::ExposeHeaders).
    /// Default: the safelisted ones.
    pub fn expose_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        self.expose = headers.into();
        self
    }

    /// How long browsers may keep the answer to a preflight, in whole seconds: see
    /// [`MaxAge`](crate::lists::MaxAge). Default: no header, which browsers take for 5 seconds.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX));
        self
    }

    #[cfg(feature = "serde")]
    pub(crate) fn max_age_secs(mut self, seconds: Option<i64>) -> Self {
        self.max_age = seconds;
        self
    }

    /// Whether requests whose origin is denied are forwarded or refused. Default: as the policy's
    /// properties say, which is [`DeniedRequests::Forward`] for a list.
    pub fn denied_requests(mut self, denied_requests: DeniedRequests) -> Self {
        self.denied_requests = Some(denied_requests);
        self
    }

    /// The status of answers to preflights, from 200 to 299, for clients that do not understand the
    /// default, 204.
    pub fn preflight_status(mut self, status: StatusCode) -> Self {
        self.preflight_status = Some(status);
        self
    }

    /// How long a policy that has to be waited for may take. After that the request is refused with
    /// 503 and [`DenialKind::VerdictTimeout`](crate::DenialKind::VerdictTimeout), whatever
    /// [`denied_requests`](Self::denied_requests) says, and the inner service is not called. A late
    /// preflight gets 403, a gRPC request status 14, and a request of the service's own page is
    /// forwarded. Default: no limit.
    ///
    /// Without a limit, a policy that never answers holds its requests for ever, and with them the
    /// places that an outer limit on concurrent requests has. `sleep` is the runtime's timer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_cors::{CorsLayer, VerdictFuture, policy_fn};
    ///
    /// let never = policy_fn(|_| VerdictFuture::new(std::future::pending()));
    /// let cors = CorsLayer::builder()
    ///     .origin_policy(never)
    ///     .verdict_timeout(Duration::from_secs(2), tokio::time::sleep)
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn verdict_timeout<F, T>(mut self, limit: Duration, sleep: F) -> Self
    where
        F: Fn(Duration) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.verdict_timeout = Some(VerdictTimeout::new(limit, sleep));
        self
    }

    /// Permits what methods named `dangerously_...` of another builder have permitted.
    pub(crate) fn opted_in(mut self, opt_ins: DangerousOptIns) -> Self {
        self.opt_ins = opt_ins;
        self
    }

    pub(crate) fn limited_by(mut self, timeout: Option<VerdictTimeout>) -> Self {
        self.verdict_timeout = timeout;
        self
    }

    /// Whether a [`Denial`](crate::Denial) is left in the extensions of the response, for a log
    /// or a test. Default: where denied requests are refused.
    ///
    /// It costs an allocation for each denied request. On a public API those are frequent, hence
    /// the default.
    pub fn record_denials(mut self, record: bool) -> Self {
        self.record_denials = Some(record);
        self
    }

    /// Lets `"null"` stand in the list of origins.
    ///
    /// Any site can send it from a sandboxed frame, so this allows any site; with credentials,
    /// any site acts as the signed-in user.
    pub fn dangerously_allow_null_origin(mut self) -> Self {
        self.opt_ins.null_origin = true;
        self
    }

    /// Lets origins without transport security stand in a list together with credentials.
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user.
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        self.opt_ins.insecure_origins = true;
        self
    }

    /// Adds origins without transport security, which are allowed even with credentials. Entries
    /// here may also be ranges of IPv4 addresses, for the machines of developers.
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user. All
    /// other entries still have to be `https`.
    ///
    /// ```
    /// use tower_cors::CorsLayer;
    ///
    /// let cors = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .dangerously_allow_insecure_origin("http://192.168.0.0/16:*")
    ///     .allow_credentials(true)
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn dangerously_allow_insecure_origin(self, origins: impl Into<ConfigList>) -> Self {
        self.insecure_by(
            OriginSetting::DangerouslyAllowInsecureOrigin,
            origins.into(),
        )
    }

    /// The same by another setting, which errors name.
    pub(super) fn insecure_by(mut self, setting: OriginSetting, origins: ConfigList) -> Self {
        InsecureList::add(&mut self.insecure_origins, setting, origins);
        self
    }

    /// Lets `"file://"` stand in the list of origins.
    ///
    /// Browsers that send it, instead of `null`, send it for every local file, also for one that
    /// came by mail.
    pub fn dangerously_allow_file_origin(mut self) -> Self {
        self.opt_ins.file_origin = true;
        self
    }

    /// Lets wildcards below, or above, a public suffix stand in a list together with credentials.
    ///
    /// Anybody who registers a name below the suffix can act as the user. The same is true of every
    /// host of an application's scheme, as in `moz-extension://*`.
    pub fn dangerously_allow_public_suffixes(mut self) -> Self {
        self.opt_ins.public_suffixes = true;
        self
    }

    /// Checks the configuration, and writes every header that does not depend on a request.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<CorsLayer, ConfigErrors> {
        let core = self.build_core()?;
        Ok(CorsLayer::from_in_force(InForce::Always(Arc::new(core))))
    }
}

/// Builds the configuration: see [`CorsLayerBuilder::build`].
impl TryFrom<CorsLayerBuilder> for CorsLayer {
    type Error = ConfigErrors;

    fn try_from(builder: CorsLayerBuilder) -> Result<Self, Self::Error> {
        builder.build()
    }
}
