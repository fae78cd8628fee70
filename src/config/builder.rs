use std::{future::Future, sync::Arc, time::Duration};

use http::{HeaderValue, StatusCode};

use super::{
    dangerous::DangerousOptIns,
    origins::{ListedOrigins, OriginList, constant_origin},
};
use crate::{
    error::{BroadPreflightReason as Broad, ConfigError, ConfigErrors},
    layer::{Core, CorsLayer, InForce, Observation, Observer, VerdictTimeout},
    lists::{AllowHeaders, AllowMethods, Any, ConfigList, ExposeHeaders, MaxAge},
    origin::OriginSet,
    policy::{Caching, DeniedRequests, OriginPolicy, PolicyProperties, Reach, SetAndNull, is_any},
    protocol::{Prepared, Rules, ToAll},
};

/// A configuration that is not checked yet: see [`CorsLayer::builder`].
///
/// A setter that is called twice replaces the first value. Nothing is checked before
/// [`build`](Self::build), which reports every mistake.
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
    origins: Option<OriginList>,
    insecure_origins: Vec<ConfigList>,
    is_constant: bool,
    policy: Option<Box<dyn OriginPolicy>>,
    /// Whether the policy is `Any` itself, which need not be asked.
    policy_is_any: bool,
    credentials: bool,
    methods: ConfigList,
    headers: ConfigList,
    expose: ConfigList,
    max_age: Option<i64>,
    denied_requests: Option<DeniedRequests>,
    preflight_status: Option<StatusCode>,
    record_denials: Option<bool>,
    opt_ins: DangerousOptIns,
    verdict_timeout: Option<VerdictTimeout>,
    pub(super) observation: Observation,
    is_shadow: bool,
    table: Option<WithinTable>,
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
            policy_is_any: false,
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
        self.table = Some(table);
        self
    }

    /// The origins that may use the service: [`Any`](crate::Any), one or several entries in the
    /// grammar of [`OriginPattern`](crate::origin::OriginPattern), a text with several, or an
    /// [`OriginSet`]. An empty list allows nobody.
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
    /// compare the header with the page's origin, so pages of other origins still read nothing.
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

    /// The policy that decides, in place of a list of origins.
    ///
    /// With credentials, a policy whose [`PolicyProperties`](crate::policy::PolicyProperties) say
    /// that it lists insecure origins or public suffixes does not build, as with
    /// [`allow_origins`](Self::allow_origins). An [`OriginSet`] says so by itself.
    pub fn origin_policy(mut self, policy: impl OriginPolicy) -> Self {
        self.policy_is_any = is_any(&policy);
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
    /// through: see [`AllowMethods`]. Default: no others.
    pub fn allow_methods(mut self, methods: impl Into<ConfigList>) -> Self {
        self.methods = methods.into();
        self
    }

    /// The request headers that pages may send: see [`AllowHeaders`]. Default: the safelisted ones.
    pub fn allow_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        self.headers = headers.into();
        self
    }

    /// The response headers that pages may read: see [`ExposeHeaders`]. Default: the safelisted
    /// ones.
    pub fn expose_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        self.expose = headers.into();
        self
    }

    /// How long browsers may keep the answer to a preflight, in whole seconds: see [`MaxAge`].
    /// Default: no header, which browsers take for 5 seconds.
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

    /// The status of answers to preflights, for clients that do not understand the default, 204.
    pub fn preflight_status(mut self, status: StatusCode) -> Self {
        self.preflight_status = Some(status);
        self
    }

    /// How long a policy that has to be waited for may take. After that the request is refused with
    /// 503 and [`DenialKind::VerdictTimeout`](crate::DenialKind::VerdictTimeout), whatever
    /// [`denied_requests`](Self::denied_requests) says, and the inner service is not called.
    /// Default: no limit.
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

    /// Adds origins without transport security to the list, also together with credentials; and
    /// only here, ranges of IPv4 addresses, for the machines of developers.
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
    pub fn dangerously_allow_insecure_origin(mut self, origins: impl Into<ConfigList>) -> Self {
        self.insecure_origins.push(origins.into());
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

    pub(crate) fn build_core(self) -> Result<Core, ConfigErrors> {
        let mut errors = Vec::new();
        let list = self.build_list(&mut errors);
        let credentials = self.credentials;
        let methods = AllowMethods::build(&self.methods, &mut errors);
        let headers = AllowHeaders::build(&self.headers, &mut errors);
        let expose = ExposeHeaders::build(&self.expose, &mut errors);
        if expose.is_any() && credentials {
            errors.push(ConfigError::ExposeAnyWithCredentials);
        }
        let max_age = self.max_age.map(|secs| MaxAge::build(secs, &mut errors));
        let preflight_status = self.preflight_status.unwrap_or(StatusCode::NO_CONTENT);
        if !preflight_status.is_success() {
            let status = preflight_status.as_u16();
            errors.push(ConfigError::PreflightStatus { status });
        }
        // The entries of a list have been checked one by one, with better messages.
        let is_own_policy = self.policy.is_some();
        // An own policy and a list are never both in use: `build_list` reports that as a mistake.
        let (policy, plain_list, constant_origin) = match self.policy {
            Some(policy) => (policy, None, None),
            None => (list.policy, list.plain, list.constant),
        };
        let mut properties = policy.properties();
        // A policy around `Any` may say that it has the properties of `Any`, and deny somebody.
        if is_own_policy && !self.policy_is_any && properties.reach() == Reach::Always {
            properties.set_reach(Reach::Star);
        }
        let is_in_table = self.table.is_some();
        let (observer, is_shadow) = match self.table {
            Some(table) => {
                properties.set_caching(table.caching);
                (table.observer, table.is_shadow)
            }
            None => (self.observation.build(&mut errors), self.is_shadow),
        };
        // A list that is `Any` has been reported already, by its setting's name.
        if properties.reach() >= Reach::Star
            && credentials
            && !errors.contains(&ConfigError::AnyOriginWithCredentials)
        {
            errors.push(ConfigError::AnyOriginWithCredentials);
        }
        if let Some(name) = properties.bypassed() {
            let header = name.clone();
            errors.push(ConfigError::BypassedPolicy { header });
        }
        if is_own_policy && (credentials || properties.has_own_credentials()) {
            errors.extend(mistakes_with_credentials(&properties, self.opt_ins));
        }
        let denied_requests = self
            .denied_requests
            .unwrap_or(properties.own_denied_requests());
        let to_all = match constant_origin {
            Some(origin) => {
                if denied_requests != DeniedRequests::Forward {
                    errors.push(ConfigError::ConstantOriginRefuses);
                }
                // The answer no longer depends on the origin, so `Vary` must not name it.
                properties.set_reach(Reach::Always);
                Some(ToAll::Origin(origin))
            }
            None => (properties.reach() == Reach::Always).then_some(ToAll::Star),
        };
        // The mistakes are returned at the end. Until then the values go on, so that all are found.
        let prepared = Prepared::new(
            &properties,
            is_in_table,
            credentials,
            &methods,
            &headers,
            max_age.as_ref(),
        );
        let rules = Rules {
            credentials,
            methods,
            headers,
            expose,
            max_age,
            denied_requests,
            preflight_status,
            record_denials: self
                .record_denials
                .unwrap_or(denied_requests != DeniedRequests::Forward),
            is_observed: observer.is_some() || is_shadow,
            properties,
            to_all,
            plain_list,
            prepared,
            by_method: is_in_table,
        };
        // These depend on several settings, so they are checked when all are known.
        if rules.properties.has_broad_preflight() {
            errors.extend(missing_for_a_broad_preflight(&rules).map(ConfigError::BroadPreflight));
        }
        let timeout = self.verdict_timeout;
        ConfigErrors::none_or(errors, || Core::new(rules, policy, timeout, observer))
    }

    /// The policy that the lists of origins stand for.
    fn build_list(&self, errors: &mut Vec<ConfigError>) -> BuiltList {
        let is_said = self.origins.is_some() || !self.insecure_origins.is_empty();
        match (is_said, &self.policy) {
            // An empty list was said on purpose; nothing at all may have been forgotten.
            (false, None) => errors.push(ConfigError::MissingOrigins),
            (true, Some(_)) => errors.push(ConfigError::OriginsAndPolicy),
            (false, Some(_)) | (true, None) => {}
        }
        // Checked even if a policy is set, so that the mistakes in the list are reported too.
        let nobody = OriginList::from(ConfigList::default());
        let origins = self.origins.as_ref().unwrap_or(&nobody);
        let listed = ListedOrigins::build(
            origins,
            &self.insecure_origins,
            self.credentials,
            self.opt_ins,
            errors,
        );
        let constant = if self.is_constant {
            constant_origin(origins, &self.insecure_origins, &listed, errors)
        } else {
            None
        };
        match listed {
            ListedOrigins { any: Some(any), .. } => BuiltList::policy(any),
            ListedOrigins {
                null: true, set, ..
            } => BuiltList::policy(SetAndNull(set)),
            ListedOrigins { set, .. } => BuiltList {
                policy: Box::new(set.clone()),
                plain: Some(set),
                constant,
            },
        }
    }
}

/// A policy made from lists of origins, with the facts that make the request path faster.
struct BuiltList {
    policy: Box<dyn OriginPolicy>,
    /// The same set, if the policy is nothing else.
    plain: Option<OriginSet>,
    /// The origin that every response names.
    constant: Option<HeaderValue>,
}

impl BuiltList {
    fn policy(policy: impl OriginPolicy) -> Self {
        Self {
            policy: Box::new(policy),
            plain: None,
            constant: None,
        }
    }
}

/// Builds the configuration: see [`CorsLayerBuilder::build`].
impl TryFrom<CorsLayerBuilder> for CorsLayer {
    type Error = ConfigErrors;

    fn try_from(builder: CorsLayerBuilder) -> Result<Self, Self::Error> {
        builder.build()
    }
}

/// Properties of the policy that are too risky together with credentials.
pub(super) fn mistakes_with_credentials(
    properties: &PolicyProperties,
    opt_ins: DangerousOptIns,
) -> impl Iterator<Item = ConfigError> {
    let insecure = properties.has_insecure_origins() && !opt_ins.insecure_origins;
    let suffixes = properties.has_public_suffixes() && !opt_ins.public_suffixes;
    [
        insecure.then_some(ConfigError::InsecurePolicy),
        suffixes.then_some(ConfigError::PublicSuffixPolicy),
    ]
    .into_iter()
    .flatten()
}

/// Conditions that are not met. If preflights are answered more broadly than requests are judged, a
/// preflight that passes must not be enough to have an effect.
fn missing_for_a_broad_preflight(rules: &Rules) -> impl Iterator<Item = Broad> {
    let max_age = MaxAge::check_broad(rules.max_age.as_ref()).err();
    [
        (rules.denied_requests != DeniedRequests::Refuse).then_some(Broad::Forwards),
        (rules.credentials || rules.properties.has_own_credentials()).then_some(Broad::Credentials),
        rules.methods.is_any().then_some(Broad::AnyMethod),
        rules.headers.is_any().then_some(Broad::AnyHeader),
        max_age,
    ]
    .into_iter()
    .flatten()
}
