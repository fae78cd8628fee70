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

use super::core::Core;
use crate::{
    policy::{Denial, VerdictFuture},
    protocol::{Answer, Edit, Plan, Rules, write},
    request::Head,
};

pin_project! {
    /// The future of a response of [`Cors`](crate::Cors).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        pub(super) core: Arc<Core>,
        #[pin]
        pub(super) state: State<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F, W> {
        /// The inner service is at work.
        Forwarded {
            #[pin]
            future: F,
            // Taken when the response has arrived.
            edit: Edit,
            record: Option<Denial>,
        },
        /// The layer answers. The headers are written when this is polled: they are larger than the
        /// plan, and would make every future larger.
        Answered { answer: Option<Answer> },
        /// The policy has not answered yet. Boxed: it is rare, and holds the whole request.
        Waiting { waiting: Option<Box<W>> },
    }
}

/// A request that waits for its verdict, and the service that is ready for it.
pub(super) struct Waiting<S, B> {
    pub(super) verdict: VerdictFuture,
    pub(super) service: S,
    pub(super) request: Request<B>,
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let rules = &this.core.rules;
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Forwarded {
                    future,
                    edit,
                    record,
                } => {
                    // Edit the response in place: moving it costs a copy. An error of the inner
                    // service is passed on unchanged.
                    let mut polled = future.poll(cx);
                    if let Poll::Ready(Ok(response)) = &mut polled {
                        let edit = mem::replace(edit, Edit::VaryOnly);
                        write::edit(edit, rules, response.headers_mut());
                        leave(record, response, rules);
                    }
                    return polled;
                }
                StateProj::Answered { answer } => {
                    let answer = write::answer(answer.take().expect(POLLED_AGAIN), rules);
                    let mut response = Response::new(ResBody::default());
                    *response.status_mut() = answer.status;
                    *response.headers_mut() = answer.headers;
                    leave(&mut { answer.record }, &mut response, rules);
                    return Poll::Ready(Ok(response));
                }
                StateProj::Waiting { waiting } => {
                    let pending = waiting.as_mut().expect(POLLED_AGAIN);
                    let verdict = ready!(Pin::new(&mut pending.verdict).poll(cx));
                    let waiting = *waiting.take().expect(POLLED_AGAIN);
                    let (mut service, mut request) = (waiting.service, waiting.request);
                    match this.core.resume(Head::from(&request), verdict) {
                        Plan::Forward(forward) => {
                            let (edit, record) = forward.start(request.extensions_mut());
                            State::Forwarded {
                                future: service.call(request),
                                edit,
                                record,
                            }
                        }
                        Plan::Answer(answer) => State::Answered {
                            answer: Some(answer),
                        },
                    }
                }
            };
            // Poll the new state at once: nobody has registered a waker for it yet.
            this.state.set(next);
        }
    }
}

const POLLED_AGAIN: &str = "a future is not polled after it is ready";

/// Puts the denial into the response's extensions, where a logging layer or a test finds it.
fn leave<B>(record: &mut Option<Denial>, response: &mut Response<B>, rules: &Rules) {
    if rules.record_denials
        && let Some(denial) = record.take()
    {
        response.extensions_mut().insert(denial);
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
