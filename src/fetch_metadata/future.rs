use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{denial::CrossSiteDenial, layer::Shared};
use crate::{gate::refusal, policy::VerdictFuture, request::Head};

pin_project! {
    /// The future of a response of [`FetchMetadata`](super::FetchMetadata).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        shared: Arc<Shared>,
        #[pin]
        state: State<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, W> {
        Forwarded {
            #[pin]
            future: F,
        },
        Refused { denial: Option<CrossSiteDenial> },
        /// The policy has not answered yet. Boxed: it is rare, and holds the whole request.
        Waiting { waiting: Option<Box<W>> },
    }
}

/// A request that waits for its verdict, and the service that is ready for it.
struct Waiting<S, B> {
    verdict: VerdictFuture,
    service: S,
    request: Request<B>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn forward(shared: Arc<Shared>, future: S::Future) -> Self {
        Self {
            shared,
            state: State::Forwarded { future },
        }
    }

    pub(super) fn refuse(shared: Arc<Shared>, denial: CrossSiteDenial) -> Self {
        Self {
            shared,
            state: State::Refused {
                denial: Some(denial),
            },
        }
    }

    /// Waits for a verdict. Only the service that was polled ready may be called, so it goes with
    /// the request; the clone takes its place, and will be polled before the next request.
    pub(super) fn wait(
        shared: Arc<Shared>,
        verdict: VerdictFuture,
        service: &mut S,
        request: Request<B>,
    ) -> Self
    where
        S: Clone,
    {
        let clone = service.clone();
        let waiting = Waiting {
            verdict,
            service: mem::replace(service, clone),
            request,
        };
        Self {
            shared,
            state: State::Waiting {
                waiting: Some(Box::new(waiting)),
            },
        }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StateProj::Waiting { waiting } = this.state.as_mut().project() {
            let pending = waiting.as_mut().expect(POLLED_AGAIN);
            let verdict = ready!(Pin::new(&mut pending.verdict).poll(cx));
            let mut waiting = *waiting.take().expect(POLLED_AGAIN);
            let head = Head::from(&waiting.request);
            let next = match this.shared.conclude(&head, verdict) {
                Ok(()) => State::Forwarded {
                    future: waiting.service.call(waiting.request),
                },
                Err(denial) => State::Refused {
                    denial: Some(denial),
                },
            };
            this.state.set(next);
        }
        let mut response = match this.state.project() {
            StateProj::Forwarded { future } => ready!(future.poll(cx))?,
            StateProj::Refused { denial } => {
                let denial = denial.take().expect(POLLED_AGAIN);
                refusal(denial.status(), denial)
            }
            StateProj::Waiting { .. } => unreachable!("it was replaced above"),
        };
        this.shared.vary.merge_into(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

const POLLED_AGAIN: &str = "a future is not polled after it is ready";

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
