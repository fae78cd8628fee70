//! A configuration that can be replaced while the service runs.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{core::Core, cors_layer::CorsLayer, future::ResponseFuture, service::respond};
use crate::request::Head;

impl CorsLayer {
    /// A layer whose whole configuration can be replaced while requests are in flight, and the
    /// handle to do it with. It begins with this configuration.
    ///
    /// ```
    /// use tower_cors::CorsLayer;
    ///
    /// let (cors, handle) = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .build()?
    ///     .reloadable();
    ///
    /// // What has mistakes is refused with all of them, and the old configuration stays.
    /// assert!(handle.reload(CorsLayer::builder().allow_origins(["app.example.com"])).is_err());
    /// handle.reload(CorsLayer::builder().allow_origins(["https://app.example.org"]))?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn reloadable(self) -> (ReloadableCorsLayer, CorsHandle) {
        let current = Arc::new(ArcSwap::new(self.core));
        let layer = ReloadableCorsLayer::new(Arc::clone(&current));
        (layer, CorsHandle { current })
    }
}

/// Replaces the configuration of a [`CorsLayer`] that is [reloadable](CorsLayer::reloadable), and of
/// all services that it has made.
///
/// Cloning is one reference count.
#[derive(Clone)]
pub struct CorsHandle {
    current: Arc<ArcSwap<Core>>,
}

impl CorsHandle {
    /// Replaces the whole configuration at once: by a [`CorsLayer`], a [`CorsLayerBuilder`](crate::CorsLayerBuilder), or a
    /// `CorsConfig` from a file.
    ///
    /// Requests that have arrived keep the configuration that they began with, also while their
    /// verdict is waited for.
    ///
    /// # Errors
    ///
    /// Every mistake of the new configuration; the old one stays.
    pub fn reload<C>(&self, configuration: C) -> Result<(), <CorsLayer as TryFrom<C>>::Error>
    where
        CorsLayer: TryFrom<C>,
    {
        let layer = CorsLayer::try_from(configuration)?;
        self.current.store(layer.core);
        Ok(())
    }

    /// The configuration that new requests meet.
    pub fn current(&self) -> CorsLayer {
        CorsLayer {
            core: self.current.load_full(),
        }
    }
}

impl fmt::Debug for CorsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorsHandle").field(&self.current()).finish()
    }
}

/// What is in force when a request arrives.
pub(crate) trait InForce: Send + Sync {
    /// The configuration for the request, from there to its response.
    fn core(&self, request: &Head<'_>) -> Arc<Core>;
}

impl InForce for ArcSwap<Core> {
    fn core(&self, _: &Head<'_>) -> Arc<Core> {
        self.load_full()
    }
}

/// Adds [`ReloadableCors`] to a service: see [`CorsLayer::reloadable`] and
/// [`MethodCorsLayer::reloadable`](crate::routes::MethodCorsLayer::reloadable).
#[derive(Clone)]
pub struct ReloadableCorsLayer {
    current: Arc<dyn InForce>,
}

impl ReloadableCorsLayer {
    pub(crate) fn new(current: Arc<impl InForce + 'static>) -> Self {
        Self { current }
    }
}

impl<S> Layer<S> for ReloadableCorsLayer {
    type Service = ReloadableCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ReloadableCors {
            inner,
            current: Arc::clone(&self.current),
        }
    }
}

impl fmt::Debug for ReloadableCorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableCorsLayer")
            .finish_non_exhaustive()
    }
}

/// [`Cors`](crate::Cors), or [`MethodCors`](crate::routes::MethodCors), with a configuration that can be
/// replaced. Made by [`ReloadableCorsLayer`].
#[derive(Clone)]
pub struct ReloadableCors<S> {
    inner: S,
    current: Arc<dyn InForce>,
}

impl<S> ReloadableCors<S> {
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ReloadableCors<S>
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
        let core = self.current.core(&Head::from(&request));
        respond(core, &mut self.inner, request)
    }
}

impl<S: fmt::Debug> fmt::Debug for ReloadableCors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableCors")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
