use std::{convert::Infallible, fmt};

use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter},
};
use http::Method;

use super::{method_rules::MethodRules, rule::MethodRule};
use crate::{error::ConfigErrors, layer::CorsLayer};

/// The handlers of one path of an axum router, each with its rule.
///
/// A preflight's answer allows the methods that have handlers with the same rule, so that the two
/// cannot drift apart. `GET` handlers answer `HEAD` too, by their rule, unless there is a
/// handler of `HEAD` with its own. A preflight for a method without a handler is told which methods
/// its origin may use.
///
/// A path has one of these. Of two for one path axum merges the handlers, but one of the two
/// answers all preflights then, and refuses those for the methods of the other.
///
/// ```
/// use axum::Router;
/// use tower_cors::{OriginSet, routes::{MethodCorsRouter, MethodRule}};
///
/// async fn list() {}
/// async fn replace() {}
/// async fn purge() {}
///
/// let origins = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
/// let trusted = MethodRule::trusted_only(origins).allow_credentials(true);
/// let things = MethodCorsRouter::new()
///     .get(list, MethodRule::public_any_origin())
///     .put(replace, trusted.clone())
///     .delete(purge, MethodRule::none())
///     .build()?;
/// let app: Router = Router::new().route("/things", things);
///
/// let everybody = MethodRule::public_any_origin().allow_credentials(true);
/// assert!(MethodCorsRouter::<()>::new().get(list, everybody).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[must_use = "handlers do nothing until they are built into a route"]
pub struct MethodCorsRouter<S = ()> {
    handlers: MethodRouter<S, Infallible>,
    rules: MethodRules,
}

impl<S: Clone + Send + Sync + 'static> MethodCorsRouter<S> {
    /// No handlers.
    pub fn new() -> Self {
        Self {
            handlers: MethodRouter::new(),
            rules: CorsLayer::by_method().complete(),
        }
    }

    /// Changes the settings of all rules together, such as the observers of the decisions.
    ///
    /// ```
    /// use axum::routing::MethodRouter;
    /// use tower_cors::routes::{MethodCorsRouter, MethodRule};
    ///
    /// let things: MethodRouter = MethodCorsRouter::new()
    ///     .get(async || "things", MethodRule::public_any_origin())
    ///     .settings(|rules| rules.record_decisions(true))
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn settings(mut self, set: impl FnOnce(MethodRules) -> MethodRules) -> Self {
        self.rules = set(self.rules);
        self
    }

    /// Checks the rules, and makes the route.
    ///
    /// # Errors
    ///
    /// Every mistake in the rules.
    pub fn build(self) -> Result<MethodRouter<S, Infallible>, ConfigErrors> {
        Ok(self.handlers.layer(self.rules.build()?))
    }

    fn on<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        handler: H,
        rule: MethodRule,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let mut methods = vec![method];
        if methods == [Method::GET] && !self.rules.has(&Method::HEAD) {
            methods.push(Method::HEAD);
        }
        self.rules = self.rules.rule(methods, rule);
        self.handlers = self.handlers.on(filter, handler);
        self
    }
}

macro_rules! handlers {
    ($($name:ident: $method:ident;)*) => {
        impl<S: Clone + Send + Sync + 'static> MethodCorsRouter<S> {
            $(
                #[doc = concat!("Adds the handler of `", stringify!($method), "` and its rule.")]
                ///
                /// # Panics
                ///
                /// When there is one already, as in axum.
                pub fn $name<H, T>(self, handler: H, rule: MethodRule) -> Self
                where
                    H: Handler<T, S>,
                    T: 'static,
                {
                    self.on(Method::$method, MethodFilter::$method, handler, rule)
                }
            )*
        }
    };
}

handlers! {
    get: GET;
    head: HEAD;
    post: POST;
    put: PUT;
    patch: PATCH;
    delete: DELETE;
}

impl<S: Clone + Send + Sync + 'static> Default for MethodCorsRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for MethodCorsRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodCorsRouter")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
