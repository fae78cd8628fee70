//! The service behind the layer, which does next to nothing.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    marker::PhantomData,
    task::{Context, Poll},
};

use http::{
    HeaderValue, Request, Response,
    header::{CONTENT_TYPE, SERVER, VARY},
};
use tower::Service;

/// Answers 200 with two headers and, in some scenarios, a `Vary` of its own.
pub(crate) struct Inner<B> {
    vary: Option<HeaderValue>,
    body: PhantomData<fn() -> B>,
}

impl<B> Inner<B> {
    pub(crate) fn new(vary: Option<&'static str>) -> Self {
        Self {
            vary: vary.map(HeaderValue::from_static),
            body: PhantomData,
        }
    }
}

impl<B> Clone for Inner<B> {
    fn clone(&self) -> Self {
        Self {
            vary: self.vary.clone(),
            body: PhantomData,
        }
    }
}

impl<B: Default> Service<Request<B>> for Inner<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(SERVER, HeaderValue::from_static("bench"));
        if let Some(vary) = &self.vary {
            headers.insert(VARY, vary.clone());
        }
        ready(Ok(response))
    }
}
