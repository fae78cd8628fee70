use std::{
    fmt,
    future::Future,
    mem,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    core::Core,
    observe::{Detour, Recorded},
};
use crate::{
    observe::Decision,
    policy::{Attachment, Denial, VerdictFuture},
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
            // Its header values are taken when the response has arrived.
            edit: Edit<HeaderValue>,
        },
        /// The layer answers. The headers are written when this is polled: they are larger than the
        /// plan, and would make every future larger.
        Answered { answer: Option<Answer<HeaderValue>> },
        /// The inner service is at work, and the decision is left in its response.
        ForwardedRecorded {
            #[pin]
            future: F,
            edit: Option<Box<(Edit<HeaderValue>, Decision)>>,
        },
        /// The layer answers, and leaves the decision in its response.
        AnsweredRecorded { answer: Option<Box<(Answer<HeaderValue>, Decision)>> },
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

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    #[inline(always)]
    pub(super) fn answer(core: Arc<Core>, answer: Answer<HeaderValue>) -> Self {
        Self {
            core,
            state: State::Answered {
                answer: Some(answer),
            },
        }
    }

    /// Adds the policy's attachment to the request, and calls the service.
    #[inline(never)]
    pub(super) fn attach(
        core: Arc<Core>,
        edit: Edit<HeaderValue>,
        attachment: Arc<dyn Attachment>,
        service: &mut S,
        mut request: Request<B>,
    ) -> Self {
        attachment.attach(request.extensions_mut());
        Self {
            core,
            state: State::Forwarded {
                future: service.call(request),
                edit,
            },
        }
    }

    /// Goes another way than the usual ones.
    #[cold]
    pub(super) fn detour(
        core: Arc<Core>,
        detour: Detour,
        service: &mut S,
        request: Request<B>,
    ) -> Self
    where
        S: Clone,
    {
        match detour {
            Detour::Wait(verdict) => Self::wait(core, verdict, service, request),
            Detour::Record(recorded) => Self {
                core,
                state: State::record(recorded, service, request),
            },
        }
    }

    /// Waits for a verdict.
    fn wait(core: Arc<Core>, verdict: VerdictFuture, service: &mut S, request: Request<B>) -> Self
    where
        S: Clone,
    {
        // Only the service that was polled ready may be called, so it goes with the request. The
        // clone takes its place, and will be polled before the next request.
        let clone = service.clone();
        let waiting = Waiting {
            verdict: core.limit(verdict),
            service: mem::replace(service, clone),
            request,
        };
        Self {
            core,
            state: State::Waiting {
                waiting: Some(Box::new(waiting)),
            },
        }
    }
}

impl<F, W> State<F, W> {
    /// Leaves the decision in the request, if the inner service is called, and carries on with the
    /// plan.
    fn record<S, B>(recorded: Recorded, service: &mut S, mut request: Request<B>) -> Self
    where
        S: Service<Request<B>, Future = F>,
    {
        match recorded {
            Recorded::Forward(edit, attachment, decision) => {
                if let Some(attachment) = attachment {
                    attachment.attach(request.extensions_mut());
                }
                request.extensions_mut().insert(decision.clone());
                Self::ForwardedRecorded {
                    future: service.call(request),
                    edit: Some(Box::new((edit, decision))),
                }
            }
            Recorded::Answer(answer, decision) => Self::AnsweredRecorded {
                answer: Some(Box::new((answer, decision))),
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let rules = &this.core.rules;
        match this.state.project() {
            StateProj::Forwarded { future, edit } => {
                // Edit the response in place: moving it costs a copy. An error of the inner service
                // is passed on unchanged.
                let mut polled = future.poll(cx);
                if let Poll::Ready(Ok(response)) = &mut polled {
                    carry_out(edit, response, rules);
                }
                polled
            }
            StateProj::Answered { answer } => {
                let answer = answer.take().expect(POLLED_AGAIN);
                Poll::Ready(Ok(respond(answer, rules)))
            }
            StateProj::ForwardedRecorded { future, edit } => poll_recorded(future, edit, rules, cx),
            StateProj::AnsweredRecorded { answer } => {
                Poll::Ready(Ok(respond_recorded(answer, rules)))
            }
            StateProj::Waiting { .. } => self.poll_verdict(cx),
        }
    }
}

impl<S, B, ResBody> ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: Default,
{
    /// Continues once the verdict has arrived. Nothing that borrows from the request can be kept
    /// while it waits, so the decision starts again, and gets the verdict at once.
    #[cold]
    fn poll_verdict(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResBody>, S::Error>> {
        let mut this = self.as_mut().project();
        if let StateProj::Waiting { waiting } = this.state.as_mut().project() {
            let pending = waiting.as_mut().expect(POLLED_AGAIN);
            let verdict = ready!(Pin::new(&mut pending.verdict).poll(cx));
            let waiting = *waiting.take().expect(POLLED_AGAIN);
            let (mut service, mut request) = (waiting.service, waiting.request);
            let next = match this.core.resume(Head::from(&request), verdict) {
                ControlFlow::Break(recorded) => State::record(recorded, &mut service, request),
                ControlFlow::Continue(Plan::Forward(edit, attachment)) => {
                    let edit = edit.into_owned();
                    if let Some(attachment) = attachment {
                        attachment.attach(request.extensions_mut());
                    }
                    State::Forwarded {
                        future: service.call(request),
                        edit,
                    }
                }
                ControlFlow::Continue(Plan::Answer(answer)) => State::Answered {
                    answer: Some(answer.into_owned()),
                },
            };
            // Poll the new state at once: nobody has registered a waker for it yet.
            this.state.set(next);
        }
        self.poll(cx)
    }
}

/// As for `Forwarded`, and leaves the decision in the response's extensions.
#[cold]
fn poll_recorded<F, B, E>(
    future: Pin<&mut F>,
    edit: &mut Option<Box<(Edit<HeaderValue>, Decision)>>,
    rules: &Rules,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<B>, E>>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    let mut response = ready!(future.poll(cx))?;
    let (mut edit, decision) = *edit.take().expect(POLLED_AGAIN);
    carry_out(&mut edit, &mut response, rules);
    response.extensions_mut().insert(decision);
    Poll::Ready(Ok(response))
}

/// As for `Answered`, and leaves the decision in the response's extensions.
#[cold]
fn respond_recorded<B: Default>(
    answer: &mut Option<Box<(Answer<HeaderValue>, Decision)>>,
    rules: &Rules,
) -> Response<B> {
    let (answer, decision) = *answer.take().expect(POLLED_AGAIN);
    let mut response = respond(answer, rules);
    response.extensions_mut().insert(decision);
    response
}

#[inline(always)]
fn carry_out<B>(edit: &mut Edit<HeaderValue>, response: &mut Response<B>, rules: &Rules) {
    write::edit(edit, rules, response.headers_mut());
    if let Edit::Full(edit) = edit {
        leave(edit.take_denial(), response, rules);
    }
}

#[inline(always)]
fn respond<B: Default>(answer: Answer<HeaderValue>, rules: &Rules) -> Response<B> {
    let answer = write::answer(answer, rules);
    let mut response = Response::new(B::default());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    leave(answer.record, &mut response, rules);
    response
}

const POLLED_AGAIN: &str = "a future is not polled after it is ready";

/// Puts the denial into the response's extensions, where a logging layer or a test finds it.
fn leave<B>(record: Option<Denial>, response: &mut Response<B>, rules: &Rules) {
    if rules.record_denials
        && let Some(denial) = record
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
