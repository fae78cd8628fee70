use std::{
    fmt,
    future::Future,
    mem,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    core::Core,
    observe::{Detour, Recorded},
};
use crate::{
    observe::Decision,
    policy::{Attachment, Denial, Verdict, VerdictFuture},
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
        pub(super) state: State<S::Future, Way<S, B>>,
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
            edit: Edit,
        },
        /// The layer answers. The headers are written when this is polled: they are larger than the
        /// plan, and would make every future larger.
        Answered { answer: Option<Answer> },
        /// Anything else. Boxed: it is rare, and larger, and would make every future larger.
        Detoured { way: Option<Box<W>> },
    }
}

/// What a request does that does not go the usual way.
pub(super) enum Way<S, B>
where
    S: Service<Request<B>>,
{
    /// The policy has not answered yet.
    Waiting(Waiting<S, B>),
    /// The inner service is at work, and the decision is left in its response.
    Forwarded(Pin<Box<S::Future>>, Edit, Decision),
    /// The layer answers, and leaves the decision in its response.
    Answered(Option<Answer>, Decision),
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
    pub(super) fn answer(core: Arc<Core>, answer: Answer) -> Self {
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
        edit: Edit,
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
                state: State::detoured(Way::record(recorded, service, request)),
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
            verdict: core.limit_and_measure(verdict),
            service: mem::replace(service, clone),
            request,
        };
        Self {
            core,
            state: State::detoured(Way::Waiting(waiting)),
        }
    }
}

impl<F, W> State<F, W> {
    fn detoured(way: W) -> Self {
        Self::Detoured {
            way: Some(Box::new(way)),
        }
    }
}

impl<S, B> Way<S, B>
where
    S: Service<Request<B>>,
{
    /// Leaves the decision in the request, if the inner service is called, and carries on with the
    /// plan.
    fn record(recorded: Recorded, service: &mut S, mut request: Request<B>) -> Self {
        match recorded {
            Recorded::Forward(edit, attachment, decision) => {
                if let Some(attachment) = attachment {
                    attachment.attach(request.extensions_mut());
                }
                request.extensions_mut().insert(decision.clone());
                Self::Forwarded(Box::pin(service.call(request)), edit, decision)
            }
            Recorded::Answer(answer, decision) => Self::Answered(Some(answer), decision),
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
            StateProj::Detoured { .. } => self.poll_detoured(cx),
        }
    }
}

impl<S, B, ResBody> ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: Default,
{
    #[cold]
    fn poll_detoured(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResBody>, S::Error>> {
        let mut this = self.as_mut().project();
        if let StateProj::Detoured { way } = this.state.as_mut().project() {
            // The way is taken once it has come to an end.
            match &mut **way.as_mut().expect(POLLED_AGAIN) {
                Way::Waiting(waiting) => {
                    let verdict = ready!(Pin::new(&mut waiting.verdict).poll(cx));
                    if let Some(way) = way.take()
                        && let Way::Waiting(waiting) = *way
                    {
                        // Poll the new state at once: nobody has registered a waker for it yet.
                        let next = waiting.resume(this.core, verdict);
                        this.state.set(next);
                    }
                }
                Way::Forwarded(future, edit, decision) => {
                    let mut response = ready!(future.as_mut().poll(cx))?;
                    carry_out(edit, &mut response, &this.core.rules);
                    response.extensions_mut().insert(decision.clone());
                    *way = None;
                    return Poll::Ready(Ok(response));
                }
                Way::Answered(answer, decision) => {
                    let answer = answer.take().expect(POLLED_AGAIN);
                    let mut response = respond(answer, &this.core.rules);
                    response.extensions_mut().insert(decision.clone());
                    *way = None;
                    return Poll::Ready(Ok(response));
                }
            }
        }
        self.poll(cx)
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    /// Continues once the verdict has arrived. Nothing that borrows from the request can be kept
    /// while it waits, so the decision starts again, and gets the verdict at once.
    fn resume(self, core: &Core, verdict: Verdict) -> State<S::Future, Way<S, B>> {
        let (mut service, mut request) = (self.service, self.request);
        match core.resume(Head::from(&request), verdict) {
            ControlFlow::Break(recorded) => {
                State::detoured(Way::record(recorded, &mut service, request))
            }
            ControlFlow::Continue(Plan::Forward(edit, attachment)) => {
                if let Some(attachment) = attachment {
                    attachment.attach(request.extensions_mut());
                }
                State::Forwarded {
                    future: service.call(request),
                    edit,
                }
            }
            ControlFlow::Continue(Plan::Answer(answer)) => State::Answered {
                answer: Some(answer),
            },
        }
    }
}

const POLLED_AGAIN: &str = "a future is not polled after it is ready";

#[inline(always)]
fn carry_out<B>(edit: &mut Edit, response: &mut Response<B>, rules: &Rules) {
    write::edit(edit, rules, response.headers_mut());
    if let Edit::Full(edit) = edit {
        leave(edit.take_denial(), response, rules);
    }
}

#[inline(always)]
fn respond<B: Default>(answer: Answer, rules: &Rules) -> Response<B> {
    let mut response = Response::new(B::default());
    let written = write::answer(answer, rules, response.headers_mut());
    *response.status_mut() = written.status;
    leave(written.record, &mut response, rules);
    response
}

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
