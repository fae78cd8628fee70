use std::{
    fmt,
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{future::ResponseFuture, layer::Shared};
use crate::request::Head;

/// Refuses requests that pages of other sites cause. Made by
/// [`FetchMetadataLayer`](super::FetchMetadataLayer).
#[derive(Clone)]
pub struct FetchMetadata<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> FetchMetadata<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for FetchMetadata<S>
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
        let shared = Arc::clone(&self.shared);
        match shared.judge(&Head::from(&request)) {
            ControlFlow::Continue(Ok(())) => {
                ResponseFuture::forward(shared, self.inner.call(request))
            }
            ControlFlow::Continue(Err(denial)) => ResponseFuture::refuse(shared, denial),
            ControlFlow::Break(verdict) => {
                ResponseFuture::wait(shared, *verdict, &mut self.inner, request)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for FetchMetadata<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchMetadata")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
