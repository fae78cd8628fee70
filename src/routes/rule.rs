use std::{sync::Arc, time::Duration};

use http::{Method, header::AUTHORIZATION};

use crate::{
    config::{DangerousOptIns, WithinTable},
    error::ConfigErrors,
    layer::{Core, CorsLayer, VerdictTimeout},
    lists::{Any, ConfigList},
    policy::{
        BearerOr, Caching, Decider, DenialKind, DeniedRequests, OriginPolicy, PolicyProperties,
        Reach, VerdictFuture,
    },
    request::CorsRequest,
};

/// Who may call the methods of a route from other origins, and how.
///
/// | rule | who |
/// |---|---|
/// | [`none`](Self::none) | nobody, as without CORS |
/// | [`public_any_origin`](Self::public_any_origin) | any origin, without credentials: metadata |
/// | [`bearer_any_origin`](Self::bearer_any_origin) | any origin with a bearer token and no cookie |
/// | [`trusted_only`](Self::trusted_only) | whom a policy trusts, such as a registry |
/// | [`trusted_or_bearer`](Self::trusted_or_bearer) | both |
///
/// The allowed methods are those that the rule is given to: see [`CorsLayer::by_method`] and, with
/// the feature `axum`, `MethodCorsRouter`. A clone is the same rule; methods with the same rule are
/// allowed together.
///
/// ```
/// use http::Method;
/// use tower_cors::{CorsLayer, OriginSet, routes::MethodRule};
///
/// let metadata = MethodRule::public_any_origin().expose_headers(["etag"]);
/// let sign_in = MethodRule::trusted_only(OriginSet::parse(["https://login.example.com"]).unwrap())
///     .allow_headers(["content-type"])
///     .allow_credentials(true);
/// assert!(CorsLayer::by_method().rule([Method::POST], sign_in).build().is_ok());
///
/// // Any site could read it with the cookies of the signed-in user:
/// let leak = metadata.allow_credentials(true);
/// assert!(CorsLayer::by_method().rule([Method::GET], leak).build().is_err());
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct MethodRule(Arc<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    policy: Arc<dyn OriginPolicy>,
    credentials: bool,
    headers: ConfigList,
    /// Whether pages may send `Authorization`, listed or not.
    takes_tokens: bool,
    expose: ConfigList,
    max_age: Option<Duration>,
    denied_requests: Option<DeniedRequests>,
    opt_ins: DangerousOptIns,
}

impl MethodRule {
    /// Nobody. Preflights are refused. Other requests reach the service, but pages of other origins
    /// cannot read its answers. Methods without a rule have this one.
    pub fn none() -> Self {
        Self::new(Closed)
    }

    /// Any origin, without credentials.
    pub fn public_any_origin() -> Self {
        Self::new(Any)
    }

    /// Any origin, for requests with a bearer token and without cookies: see [`BearerOr`]. Other
    /// cross-origin requests are refused. Pages may send `Authorization`, whatever else
    /// [`allow_headers`](Self::allow_headers) lists.
    pub fn bearer_any_origin() -> Self {
        Self::new(BearerOr::new(Closed)).taking_tokens()
    }

    /// The origins that the policy trusts: a registry, or an [`OriginSet`](crate::OriginSet).
    /// Credentials are a registry's to allow; for other policies see
    /// [`allow_credentials`](Self::allow_credentials).
    pub fn trusted_only(policy: impl OriginPolicy) -> Self {
        Self::new(policy)
    }

    /// Callers with a bearer token and without cookies from any origin, all others from the
    /// origins that the policy trusts: see [`BearerOr`]. Pages may send `Authorization`, whatever
    /// else [`allow_headers`](Self::allow_headers) lists.
    pub fn trusted_or_bearer(policy: impl OriginPolicy) -> Self {
        Self::new(BearerOr::new(policy)).taking_tokens()
    }

    fn new(policy: impl OriginPolicy) -> Self {
        Self(Arc::new(Rule {
            policy: Arc::new(policy),
            credentials: false,
            headers: ConfigList::default(),
            takes_tokens: false,
            expose: ConfigList::default(),
            max_age: None,
            denied_requests: None,
            opt_ins: DangerousOptIns::default(),
        }))
    }

    fn taking_tokens(mut self) -> Self {
        Arc::make_mut(&mut self.0).takes_tokens = true;
        self
    }

    /// The request headers that pages may send: see [`AllowHeaders`](crate::lists::AllowHeaders).
    /// Bearer rules add `Authorization`.
    pub fn allow_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        Arc::make_mut(&mut self.0).headers = headers.into();
        self
    }

    /// The response headers that pages may read: see
    /// [`ExposeHeaders`](crate::lists::ExposeHeaders).
    pub fn expose_headers(mut self, headers: impl Into<ConfigList>) -> Self {
        Arc::make_mut(&mut self.0).expose = headers.into();
        self
    }

    /// How long browsers may keep the answer to a preflight: see [`MaxAge`](crate::lists::MaxAge).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        Arc::make_mut(&mut self.0).max_age = Some(max_age);
        self
    }

    /// Whether pages may send cookies, unless the policy decides that itself. Default: no. Any
    /// origin together with credentials does not build.
    pub fn allow_credentials(mut self, allowed: bool) -> Self {
        Arc::make_mut(&mut self.0).credentials = allowed;
        self
    }

    /// Whether requests whose origin is denied are forwarded or refused. Default: as the policy's
    /// properties say. Registries and bearer callers refuse them, lists forward them.
    pub fn denied_requests(mut self, denied_requests: DeniedRequests) -> Self {
        Arc::make_mut(&mut self.0).denied_requests = Some(denied_requests);
        self
    }

    /// Lets the policy list origins without transport security together with credentials: see
    /// [`CorsLayerBuilder`](crate::CorsLayerBuilder::dangerously_allow_insecure_origins).
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user.
    ///
    /// ```
    /// use http::Method;
    /// use tower_cors::{CorsLayer, OriginSet, routes::MethodRule};
    ///
    /// let intranet = OriginSet::parse(["http://intranet.example"]).expect("one origin");
    /// let trusted = MethodRule::trusted_only(intranet).allow_credentials(true);
    /// let rules = |rule| CorsLayer::by_method().rule([Method::PUT], rule);
    /// assert!(rules(trusted.clone()).build().is_err());
    /// assert!(rules(trusted.dangerously_allow_insecure_origins()).build().is_ok());
    /// ```
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        Arc::make_mut(&mut self.0).opt_ins.insecure_origins = true;
        self
    }

    /// Lets the policy list wildcards below, or above, a public suffix together with credentials:
    /// see [`CorsLayerBuilder`](crate::CorsLayerBuilder::dangerously_allow_public_suffixes).
    ///
    /// Anybody who registers a name below the suffix can act as the user.
    pub fn dangerously_allow_public_suffixes(mut self) -> Self {
        Arc::make_mut(&mut self.0).opt_ins.public_suffixes = true;
        self
    }

    /// Lets the policy list `file://` together with credentials.
    ///
    /// Browsers that send it, instead of `null`, send it for every local file, also for one that
    /// came by mail.
    pub fn dangerously_allow_file_origin(mut self) -> Self {
        Arc::make_mut(&mut self.0).opt_ins.file_origin = true;
        self
    }

    /// Whether it is a clone of the same rule. Methods with the same rule share one list of
    /// methods.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Which parts of the rule's requests caches and logs may keep.
    pub(super) fn caching(&self) -> Caching {
        self.0.policy.properties().caching()
    }

    pub(super) fn build(
        &self,
        methods: &[Method],
        table: WithinTable,
        verdict_timeout: Option<VerdictTimeout>,
    ) -> Result<Arc<Core>, ConfigErrors> {
        let rule = &*self.0;
        let mut headers = rule.headers.clone();
        if rule.takes_tokens {
            // Otherwise a page could not send the token that the rule is about.
            headers.push(AUTHORIZATION.as_str());
        }
        // Built by the ordinary builder, so that a rule passes the same checks as a layer.
        let mut builder = CorsLayer::builder()
            .within_table(table)
            .limited_by(verdict_timeout)
            .opted_in(rule.opt_ins)
            .origin_policy(Arc::clone(&rule.policy))
            .allow_credentials(rule.credentials)
            .allow_methods(methods)
            .allow_headers(headers)
            .expose_headers(rule.expose.clone());
        if let Some(max_age) = rule.max_age {
            builder = builder.max_age(max_age);
        }
        if let Some(denied_requests) = rule.denied_requests {
            builder = builder.denied_requests(denied_requests);
        }
        builder.build_core().map(Arc::new)
    }
}

/// Denies everybody.
#[derive(Debug)]
struct Closed;

impl OriginPolicy for Closed {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        DenialKind::OriginNotAllowed.into()
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::with_reach(Reach::Nobody)
    }

    fn decider(&self, _: &CorsRequest<'_>) -> Decider {
        Decider::new("MethodRule::none")
    }
}
