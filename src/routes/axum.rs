use std::{convert::Infallible, fmt};

use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter},
};
use http::Method;

use super::{MethodCorsBuilder, MethodCorsLayer, RouteCors};
use crate::error::ConfigErrors;

/// The handlers of one path of an axum router, each with its rule.
///
/// What a preflight lists as allowed are the methods that have handlers with the same rule, so
/// that the two cannot drift apart. `GET` handlers answer `HEAD` too. A preflight for a method
/// without a handler is refused.
///
/// ```
/// use axum::Router;
/// use tower_cors::{CorsMethodRouter, OriginSet, RouteCors};
///
/// async fn list() {}
/// async fn replace() {}
/// async fn purge() {}
///
/// let origins = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
/// let trusted = RouteCors::trusted_only(origins).allow_credentials(true);
/// let things = CorsMethodRouter::new()
///     .get(list, RouteCors::public_any_origin())
///     .put(replace, trusted.clone())
///     .delete(purge, RouteCors::none())
///     .build()?;
/// let app: Router = Router::new().route("/things", things);
///
/// let everybody = RouteCors::public_any_origin().allow_credentials(true);
/// assert!(CorsMethodRouter::<()>::new().get(list, everybody).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[must_use = "handlers do nothing until they are built into a route"]
pub struct CorsMethodRouter<S = ()> {
    handlers: MethodRouter<S, Infallible>,
    table: MethodCorsBuilder,
}

impl<S: Clone + Send + Sync + 'static> CorsMethodRouter<S> {
    /// No handlers.
    pub fn new() -> Self {
        Self {
            handlers: MethodRouter::new(),
            table: MethodCorsLayer::builder(),
        }
    }

    /// Checks the rules, and makes the route.
    ///
    /// # Errors
    ///
    /// Every mistake in the rules.
    pub fn build(self) -> Result<MethodRouter<S, Infallible>, ConfigErrors> {
        Ok(self.handlers.layer(self.table.build()?))
    }

    fn on<H, T>(
        mut self,
        methods: &[Method],
        filter: MethodFilter,
        handler: H,
        rule: RouteCors,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let new: Vec<Method> = methods
            .iter()
            .filter(|method| **method != Method::HEAD || !self.table.has(method))
            .cloned()
            .collect();
        self.table = self.table.rule(new, rule);
        self.handlers = self.handlers.on(filter, handler);
        self
    }
}

macro_rules! handlers {
    ($($name:ident: $filter:ident, $methods:expr;)*) => {
        impl<S: Clone + Send + Sync + 'static> CorsMethodRouter<S> {
            $(
                #[doc = concat!("Adds the handler of `", stringify!($filter), "` and its rule.")]
                ///
                /// # Panics
                ///
                /// When there is one already, as in axum.
                pub fn $name<H, T>(self, handler: H, rule: RouteCors) -> Self
                where
                    H: Handler<T, S>,
                    T: 'static,
                {
                    self.on(&$methods, MethodFilter::$filter, handler, rule)
                }
            )*
        }
    };
}

handlers! {
    get: GET, [Method::GET, Method::HEAD];
    head: HEAD, [Method::HEAD];
    post: POST, [Method::POST];
    put: PUT, [Method::PUT];
    patch: PATCH, [Method::PATCH];
    delete: DELETE, [Method::DELETE];
}

impl<S: Clone + Send + Sync + 'static> Default for CorsMethodRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for CorsMethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorsMethodRouter")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
