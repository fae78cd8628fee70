use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    core::Core,
    future::{ResponseFuture, State, Waiting},
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
        let core = self.in_force.core(&Head::from(&request));
        respond(core, &mut self.inner, request)
    }
}

impl<S: fmt::Debug> fmt::Debug for Cors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cors")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// Starts the response to a request, once its configuration is known.
///
/// One function, inlined: passing the request or the inner service's future through another call
/// costs a copy of each, and requests are large.
#[inline(always)]
fn respond<S, B, ResBody>(
    core: Arc<Core>,
    inner: &mut S,
    mut request: Request<B>,
) -> ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
{
    match core.start(Head::from(&request)) {
        Ok(Plan::Forward(forward)) => {
            let (edit, record) = forward.start(request.extensions_mut());
            ResponseFuture {
                core,
                state: State::Forwarded {
                    future: inner.call(request),
                    edit,
                    record,
                },
            }
        }
        Ok(Plan::Answer(answer)) => ResponseFuture {
            core,
            state: State::Answered {
                answer: Some(answer),
            },
        },
        Err(verdict) => {
            // Only the service that was polled ready may be called, so it goes with the request.
            // The clone takes its place, and will be polled before the next request.
            let clone = inner.clone();
            let waiting = Waiting {
                verdict: core.limit(verdict),
                service: mem::replace(inner, clone),
                request,
            };
            ResponseFuture {
                core,
                state: State::Waiting {
                    waiting: Some(Box::new(waiting)),
                },
            }
        }
    }
}
