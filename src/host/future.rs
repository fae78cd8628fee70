use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

use super::denial::HostDenial;
use crate::gate::refusal;

pin_project! {
    /// The future of a response of [`HostCheck`](super::HostCheck).
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Forwarded {
            #[pin]
            future: F,
        },
        Refused { denial: Option<HostDenial> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn forward(future: F) -> Self {
        Self {
            state: State::Forwarded { future },
        }
    }

    pub(super) fn refuse(denial: HostDenial) -> Self {
        Self {
            state: State::Refused {
                denial: Some(denial),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Forwarded { future } => future.poll(cx),
            StateProj::Refused { denial } => {
                let denial = denial
                    .take()
                    .expect("a future is not polled after it is ready");
                Poll::Ready(Ok(refusal(denial.status(), denial)))
            }
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
