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

use crate::{
    decision::{Answer, Edit, Plan},
    layer::Core,
    policy::{Denial, VerdictFuture},
    request::Head,
    rules::Rules,
    write,
};

pin_project! {
    /// The future of a response of [`Cors`](crate::Cors).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        core: Arc<Core>,
        #[pin]
        state: State<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, W> {
        /// The inner service is at work.
        Forwarded {
            #[pin]
            future: F,
            // Taken when the response is there.
            edit: Edit,
            record: Option<Denial>,
        },
        /// The layer answers; taken and written when polled, because what is written is larger.
        Answered { answer: Option<Answer> },
        /// The policy is at work; taken when it is done. Boxed, because it is rare and large.
        Waiting { waiting: Option<Box<W>> },
    }
}

/// A request that waits for its verdict, and the service that is ready for it.
struct Waiting<S, B> {
    verdict: VerdictFuture,
    service: S,
    request: Request<B>,
}

/// What every layer of this crate does with a request, once it has its configuration.
///
/// Whoever takes a request by value copies it, and so does whoever is handed the inner future: hence
/// all is put together here.
#[inline(always)]
pub(crate) fn respond<S, B, ResBody>(
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
            // The clone has not been polled ready; what has been goes with the request.
            let clone = inner.clone();
            let waiting = Waiting {
                verdict,
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
                    // Edited where it is, because a response is dear to move. An error of the inner
                    // service passes through as it is.
                    let mut polled = future.poll(cx);
                    if let Poll::Ready(Ok(response)) = &mut polled {
                        let edit = mem::replace(edit, Edit::Leave);
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
            this.state.set(next);
        }
    }
}

const POLLED_AGAIN: &str = "a future is not polled after it is ready";

/// Leaves the denial for whoever logs or tests.
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
