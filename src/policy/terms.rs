use std::sync::Arc;

use crate::lists::{AllowHeaders, AllowMethods, ExposeHeaders};

/// Lists of a [`Grant`](crate::Grant) that replace the layer's. Make them once, when the policy is
/// configured; cloning is one reference count.
///
/// ```
/// use http::Method;
/// use tower_cors::{Grant, lists::AllowMethods, policy::Terms};
///
/// let read_only = Terms::new().methods(AllowMethods::list([Method::GET])?);
/// let grant = Grant::new().terms(read_only.clone());
///
/// assert!(AllowMethods::list(["TRACE"]).is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it does nothing until it is passed on"]
pub struct Terms(Arc<Lists>);

#[derive(Clone, Debug, Default)]
struct Lists {
    methods: Option<AllowMethods>,
    headers: Option<AllowHeaders>,
    expose: Option<ExposeHeaders>,
}

impl Terms {
    /// The layer's own lists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the methods that pages may use.
    pub fn methods(mut self, methods: AllowMethods) -> Self {
        Arc::make_mut(&mut self.0).methods = Some(methods);
        self
    }

    /// Replaces the request headers that pages may send.
    pub fn headers(mut self, headers: AllowHeaders) -> Self {
        Arc::make_mut(&mut self.0).headers = Some(headers);
        self
    }

    /// Replaces the response headers that pages may read.
    pub fn expose(mut self, expose: ExposeHeaders) -> Self {
        Arc::make_mut(&mut self.0).expose = Some(expose);
        self
    }

    pub(super) fn without_any(mut self) -> Self {
        // Falls back to the layer's list, which `build` has checked to have no wildcard.
        if self.own_methods().is_some_and(AllowMethods::is_any) {
            Arc::make_mut(&mut self.0).methods = None;
        }
        if self.own_headers().is_some_and(AllowHeaders::is_any) {
            Arc::make_mut(&mut self.0).headers = None;
        }
        self
    }

    pub(crate) fn own_methods(&self) -> Option<&AllowMethods> {
        self.0.methods.as_ref()
    }

    pub(crate) fn own_headers(&self) -> Option<&AllowHeaders> {
        self.0.headers.as_ref()
    }

    pub(crate) fn own_expose(&self) -> Option<&ExposeHeaders> {
        self.0.expose.as_ref()
    }
}
