use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{MethodCorsBuilder, MethodCorsLayer, layer::Table};
use crate::{
    error::ConfigErrors,
    future::{ResponseFuture, respond},
};

impl MethodCorsLayer {
    /// A layer whose whole table of rules can be replaced while requests are in flight, and the
    /// handle to do it with. It begins with these rules.
    ///
    /// In axum it goes around the handlers of one path, with `get(..).put(..).layer(..)`.
    ///
    /// ```
    /// use http::Method;
    /// use tower_cors::{MethodCorsLayer, RouteCors};
    ///
    /// let public = RouteCors::public_any_origin();
    /// let rules = MethodCorsLayer::builder().rule([Method::GET], public.clone());
    /// let (cors, handle) = rules.build()?.reloadable();
    ///
    /// // What has mistakes is refused with all of them, and the old rules stay.
    /// let leak = public.clone().allow_credentials(true);
    /// assert!(handle.reload(MethodCorsLayer::builder().rule([Method::GET], leak)).is_err());
    /// handle.reload(MethodCorsLayer::builder().rule([Method::GET, Method::PUT], public))?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn reloadable(self) -> (ReloadableMethodCorsLayer, MethodCorsHandle) {
        let current = Arc::new(ArcSwap::new(self.table));
        let layer = ReloadableMethodCorsLayer {
            current: Arc::clone(&current),
        };
        (layer, MethodCorsHandle { current })
    }
}

/// Replaces the rules of a [`ReloadableMethodCorsLayer`], and of all services that it has made.
///
/// Cloning is one reference count.
#[derive(Clone)]
pub struct MethodCorsHandle {
    current: Arc<ArcSwap<Table>>,
}

impl MethodCorsHandle {
    /// Replaces all rules at once: by a [`MethodCorsLayer`], or a [`MethodCorsBuilder`].
    ///
    /// Requests that have arrived keep the rules that they began with, also while their verdict is
    /// waited for.
    ///
    /// # Errors
    ///
    /// Every mistake of the new rules; the old ones stay.
    pub fn reload<C>(&self, rules: C) -> Result<(), <MethodCorsLayer as TryFrom<C>>::Error>
    where
        MethodCorsLayer: TryFrom<C>,
    {
        let layer = MethodCorsLayer::try_from(rules)?;
        self.current.store(layer.table);
        Ok(())
    }

    /// The rules that new requests meet.
    pub fn current(&self) -> MethodCorsLayer {
        MethodCorsLayer {
            table: self.current.load_full(),
        }
    }
}

impl fmt::Debug for MethodCorsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MethodCorsHandle")
            .field(&self.current())
            .finish()
    }
}

/// Builds the table: see [`MethodCorsBuilder::build`].
impl TryFrom<MethodCorsBuilder> for MethodCorsLayer {
    type Error = ConfigErrors;

    fn try_from(builder: MethodCorsBuilder) -> Result<Self, Self::Error> {
        builder.build()
    }
}

/// Adds [`ReloadableMethodCors`] to a service: see [`MethodCorsLayer::reloadable`].
#[derive(Clone)]
pub struct ReloadableMethodCorsLayer {
    current: Arc<ArcSwap<Table>>,
}

impl<S> Layer<S> for ReloadableMethodCorsLayer {
    type Service = ReloadableMethodCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ReloadableMethodCors {
            inner,
            current: Arc::clone(&self.current),
        }
    }
}

impl fmt::Debug for ReloadableMethodCorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableMethodCorsLayer")
            .finish_non_exhaustive()
    }
}

/// [`MethodCors`](crate::MethodCors) with rules that can be replaced. Made by
/// [`ReloadableMethodCorsLayer`].
#[derive(Clone)]
pub struct ReloadableMethodCors<S> {
    inner: S,
    current: Arc<ArcSwap<Table>>,
}

impl<S> ReloadableMethodCors<S> {
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ReloadableMethodCors<S>
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
        // One rule from here to the response.
        let core = Arc::clone(self.current.load().core(&request));
        respond(core, &mut self.inner, request)
    }
}

impl<S: fmt::Debug> fmt::Debug for ReloadableMethodCors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableMethodCors")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
