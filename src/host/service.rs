use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{future::ResponseFuture, layer::Shared};
use crate::request::Head;

/// Refuses requests for hosts that are not listed. Made by [`HostLayer`](super::HostLayer).
#[derive(Clone)]
pub struct HostCheck<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> HostCheck<S> {
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for HostCheck<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.shared.judge(&Head::from(&request)) {
            Ok(()) => ResponseFuture::forward(self.inner.call(request)),
            Err(denial) => ResponseFuture::refuse(denial),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for HostCheck<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostCheck")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
