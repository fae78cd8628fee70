use std::{
    fmt,
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    future::{ResponseFuture, State},
    in_force::InForce,
};
use crate::{protocol::Plan, request::Head};

/// Answers preflights, and adds the headers of the CORS protocol to the responses of a service.
///
/// The policy is asked before the inner service is called. Made by [`CorsLayer`](crate::CorsLayer).
#[derive(Clone)]
pub struct Cors<S> {
    inner: S,
    in_force: Arc<InForce>,
}

impl<S> Cors<S> {
    pub(super) fn new(inner: S, in_force: Arc<InForce>) -> Self {
        Self { inner, in_force }
    }

    pub(super) fn in_force(&self) -> &InForce {
        &self.in_force
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Cors<S>
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
        let head = Head::from(&request);
        let core = self.in_force.core(&head);
        // A request is large, so it is moved only where it is passed on. Everything unusual is out
        // of line, in the future's functions.
        match core.start(&head) {
            ControlFlow::Continue(Plan::Forward(edit, None)) => ResponseFuture {
                state: State::Forwarded {
                    future: self.inner.call(request),
                    edit,
                },
                core,
            },
            ControlFlow::Continue(Plan::Forward(edit, Some(attachment))) => {
                ResponseFuture::attach(core, edit, attachment, &mut self.inner, request)
            }
            ControlFlow::Continue(Plan::Answer(answer)) => ResponseFuture::answer(core, answer),
            ControlFlow::Break(detour) => {
                ResponseFuture::detour(core, *detour, &mut self.inner, request)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Cors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cors")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
