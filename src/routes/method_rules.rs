use std::{future::Future, sync::Arc, time::Duration};

use http::{Method, StatusCode};

use super::rule::MethodRule;
#[cfg(feature = "metrics")]
use crate::observe::LayerMetrics;
use crate::{
    config::{ReportOnly, WithinTable, success_status},
    error::ConfigErrors,
    layer::{Core, CorsLayer, InForce, Observation, Table, VerdictTimeout},
    observe::Decision,
};

impl CorsLayer {
    /// Starts a configuration for the methods of one route, each by its own rule.
    pub fn by_method() -> MethodRules {
        MethodRules::default()
    }
}

/// The rules of one route, by method: see [`CorsLayer::by_method`].
///
/// A preflight is decided by the rule of the method that it asks for. Methods without a rule have
/// [`MethodRule::none`]. The answer to a preflight for one of them lists the methods that its
/// origin may use, by the rule that admits the most origins, so that the browser's console names
/// the method and not the origin. In axum the layer goes around the handlers of one path, with
/// `get(..).put(..).layer(..)`; in a tower stack around a service.
///
/// ```
/// use http::Method;
/// use tower_cors::{CorsLayer, OriginSet, routes::MethodRule};
///
/// let trusted = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
/// let things: CorsLayer = CorsLayer::by_method()
///     .rule([Method::GET, Method::HEAD], MethodRule::public_any_origin())
///     .rule([Method::PUT], MethodRule::trusted_only(trusted).allow_credentials(true))
///     .build()?;
///
/// let everybody = MethodRule::public_any_origin().allow_credentials(true);
/// assert!(CorsLayer::by_method().rule([Method::GET], everybody).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "rules do nothing until they are built"]
pub struct MethodRules {
    rules: Vec<(Method, MethodRule)>,
    is_complete: bool,
    preflight_status: Option<StatusCode>,
    verdict_timeout: Option<VerdictTimeout>,
    observation: Observation,
    is_shadow: bool,
}

impl MethodRules {
    /// Gives methods a rule. A later rule replaces an earlier one of the same method.
    pub fn rule(mut self, methods: impl IntoIterator<Item = Method>, rule: MethodRule) -> Self {
        for method in methods {
            // So that the table has each method once.
            self.rules.retain(|(there, _)| *there != method);
            self.rules.push((method, rule.clone()));
        }
        self
    }

    /// The status of answers to preflights for all methods, from 200 to 299, for clients that do not
    /// understand the default, 204.
    ///
    /// ```
    /// use http::{Method, StatusCode};
    /// use tower_cors::{CorsLayer, routes::MethodRule};
    ///
    /// let rules = || CorsLayer::by_method().rule([Method::GET], MethodRule::public_any_origin());
    /// assert!(rules().preflight_status(StatusCode::OK).build().is_ok());
    /// assert!(rules().preflight_status(StatusCode::FOUND).build().is_err());
    /// ```
    pub fn preflight_status(mut self, status: StatusCode) -> Self {
        self.preflight_status = Some(status);
        self
    }

    /// How long a policy that has to be waited for may take: see
    /// [`CorsLayerBuilder::verdict_timeout`](crate::CorsLayerBuilder::verdict_timeout).
    pub fn verdict_timeout<F, T>(mut self, limit: Duration, sleep: F) -> Self
    where
        F: Fn(Duration) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.verdict_timeout = Some(VerdictTimeout::new(limit, sleep));
        self
    }

    /// Calls a function once for each request that the layer has decided: see
    /// [`CorsLayerBuilder::on_decision`](crate::CorsLayerBuilder::on_decision).
    pub fn on_decision(mut self, hook: impl Fn(&Decision) + Send + Sync + 'static) -> Self {
        self.observation.hook = Some(Box::new(hook));
        self
    }

    /// Whether the [`Decision`] is left in the extensions of requests and responses: see
    /// [`CorsLayerBuilder::record_decisions`](crate::CorsLayerBuilder::record_decisions).
    pub fn record_decisions(mut self, record: bool) -> Self {
        self.observation.records = record;
        self
    }

    /// Counts through the facade `metrics`: see
    /// [`CorsLayerBuilder::record_metrics`](crate::CorsLayerBuilder::record_metrics).
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, layer: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.observation.metrics = Some(LayerMetrics::register(layer.into()));
        self
    }

    /// Judges every request by a second configuration too, and never answers with it: see
    /// [`CorsLayerBuilder::report_only`](crate::CorsLayerBuilder::report_only).
    pub fn report_only(mut self, shadow: impl Into<ReportOnly>) -> Self {
        self.observation.shadow = Some(shadow.into().into_settings());
        self
    }

    /// Says that the service has no handlers for methods without a rule.
    #[cfg(feature = "axum")]
    pub(super) fn complete(mut self) -> Self {
        self.is_complete = true;
        self
    }

    #[cfg(feature = "axum")]
    pub(super) fn has(&self, method: &Method) -> bool {
        self.rules.iter().any(|(there, _)| there == method)
    }

    /// Checks the rules.
    ///
    /// # Errors
    ///
    /// Every mistake in the rules: see [`CorsLayerBuilder::build`](crate::CorsLayerBuilder::build).
    pub fn build(self) -> Result<CorsLayer, ConfigErrors> {
        let mut errors = Vec::new();
        // Caches and logs know a request by its URL, which all methods share: if one policy finds a
        // token in the path, the path is secret in the events of all of them.
        let caching = self
            .rules
            .iter()
            .map(|(_, rule)| rule.caching())
            .reduce(|one, other| one.or(other))
            .unwrap_or_default();
        let verdict_timeout = self.verdict_timeout;
        let is_shadow = self.is_shadow;
        let observer = self.observation.build(&mut errors);
        // Checked here, so that a mistake is reported once and not for each rule.
        let preflight_status = self
            .preflight_status
            .map(|status| success_status(status, &mut errors));
        let mut core_of = |rule: &MethodRule, methods: &[Method]| match rule.build(
            methods,
            WithinTable {
                caching,
                observer: observer.clone(),
                is_shadow,
                preflight_status,
            },
            verdict_timeout.clone(),
        ) {
            Ok(core) => Some(core),
            Err(mistakes) => {
                errors.extend(mistakes);
                None
            }
        };
        let closed = core_of(&MethodRule::none(), &[]);
        let mut rest = self.rules;
        let mut rules: Vec<(Method, Arc<Core>)> = Vec::with_capacity(rest.len());
        // Methods with the same rule get one configuration, whose preflights list all of them.
        while let Some((_, rule)) = rest.first() {
            let rule = rule.clone();
            let (same, others): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|(_, other)| other.is_same(&rule));
            let methods: Vec<Method> = same.into_iter().map(|(method, _)| method).collect();
            if let Some(core) = core_of(&rule, &methods) {
                let with_core = |method| (method, Arc::clone(&core));
                rules.extend(methods.into_iter().map(with_core));
            }
            rest = others;
        }
        ConfigErrors::none_or(errors, || {
            let closed = closed.expect("the rule that admits nobody has no mistake");
            // Without any rule the route admits nobody.
            let mut widest = &closed;
            for (_, core) in &rules {
                if core.rules.properties.reach() > widest.rules.properties.reach() {
                    widest = core;
                }
            }
            let table = Table {
                widest: Arc::clone(widest),
                is_complete: self.is_complete,
                closed,
                rules,
            };
            CorsLayer::from_in_force(InForce::ByMethod(table))
        })
    }
}

impl From<MethodRules> for ReportOnly {
    fn from(rules: MethodRules) -> Self {
        let in_shadow = MethodRules {
            observation: Observation::default(),
            is_shadow: true,
            ..rules
        };
        Self::new(in_shadow.build())
    }
}

/// Builds the layer: see [`MethodRules::build`].
impl TryFrom<MethodRules> for CorsLayer {
    type Error = ConfigErrors;

    fn try_from(rules: MethodRules) -> Result<Self, Self::Error> {
        rules.build()
    }
}
