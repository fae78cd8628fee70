use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, header::ACCESS_CONTROL_REQUEST_METHOD};
use tower_layer::Layer;
use tower_service::Service;

use super::rule::MethodRule;
use crate::{
    error::ConfigErrors,
    layer::{Core, ResponseFuture, respond},
    request::{Head, RequestKind, classify},
};

/// CORS for the methods of one route, each by its own rule.
///
/// A preflight is decided by the rule of the method that it asks for, never by that of another
/// method of the route. Methods without a rule have [`MethodRule::none`]. In axum this goes around
/// the handlers of one path, with `get(..).put(..).layer(..)`; in a tower stack around a service.
///
/// ```
/// use http::Method;
/// use tower_cors::{OriginSet, routes::{MethodCorsLayer, MethodRule}};
///
/// let trusted = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
/// let things = MethodCorsLayer::builder()
///     .rule([Method::GET, Method::HEAD], MethodRule::public_any_origin())
///     .rule([Method::PUT], MethodRule::trusted_only(trusted).allow_credentials(true))
///     .build()?;
///
/// let everybody = MethodRule::public_any_origin().allow_credentials(true);
/// assert!(MethodCorsLayer::builder().rule([Method::GET], everybody).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct MethodCorsLayer {
    pub(super) table: Arc<Table>,
}

impl MethodCorsLayer {
    /// Starts a table without rules.
    pub fn builder() -> MethodCorsBuilder {
        MethodCorsBuilder::default()
    }
}

impl<S> Layer<S> for MethodCorsLayer {
    type Service = MethodCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MethodCors {
            inner,
            table: Arc::clone(&self.table),
        }
    }
}

/// A table of rules in the making: see [`MethodCorsLayer`].
#[derive(Debug, Default)]
#[must_use = "a table does nothing until it is built"]
pub struct MethodCorsBuilder {
    rules: Vec<(Method, MethodRule)>,
}

impl MethodCorsBuilder {
    /// Gives methods a rule. A later rule replaces an earlier one of the same method.
    pub fn rule(mut self, methods: impl IntoIterator<Item = Method>, rule: MethodRule) -> Self {
        for method in methods {
            self.rules.retain(|(there, _)| *there != method);
            self.rules.push((method, rule.clone()));
        }
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
    pub fn build(self) -> Result<MethodCorsLayer, ConfigErrors> {
        let mut errors = Vec::new();
        let mut core_of = |rule: &MethodRule, methods: &[Method]| match rule.build(methods) {
            Ok(layer) => Some(layer.core),
            Err(mistakes) => {
                errors.extend(mistakes);
                None
            }
        };
        let closed = core_of(&MethodRule::none(), &[]);
        let mut rest = self.rules;
        let mut rules = Vec::with_capacity(rest.len());
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
        ConfigErrors::none_or(errors, || MethodCorsLayer {
            table: Arc::new(Table {
                rules,
                closed: closed.expect("the rule that admits nobody has no mistake"),
            }),
        })
    }
}

/// Builds the table: see [`MethodCorsBuilder::build`].
impl TryFrom<MethodCorsBuilder> for MethodCorsLayer {
    type Error = ConfigErrors;

    fn try_from(builder: MethodCorsBuilder) -> Result<Self, Self::Error> {
        builder.build()
    }
}

#[derive(Debug)]
pub(super) struct Table {
    rules: Vec<(Method, Arc<Core>)>,
    closed: Arc<Core>,
}

impl Table {
    pub(super) fn core(&self, request: &Head<'_>) -> &Arc<Core> {
        let method = match classify(request) {
            // https://fetch.spec.whatwg.org/#cors-preflight-fetch: the method of the request to
            // come. Of several lines none counts, and the preflight is refused as malformed.
            RequestKind::Preflight { .. } => request
                .headers
                .get(ACCESS_CONTROL_REQUEST_METHOD)
                .map_or(b"" as &[u8], HeaderValue::as_bytes),
            RequestKind::NotCors | RequestKind::Actual(_) => request.method.as_str().as_bytes(),
        };
        self.rules
            .iter()
            .find(|(own, _)| own.as_str().as_bytes() == method)
            .map_or(&self.closed, |(_, core)| core)
    }
}

/// Answers preflights, and adds the headers of the CORS protocol to responses, by the rule of the
/// method. Made by [`MethodCorsLayer`].
#[derive(Clone)]
pub struct MethodCors<S> {
    inner: S,
    table: Arc<Table>,
}

impl<S> MethodCors<S> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, mutably.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for MethodCors<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let core = Arc::clone(self.table.core(&Head::from(&request)));
        respond(core, &mut self.inner, request)
    }
}

impl<S: fmt::Debug> fmt::Debug for MethodCors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodCors")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
