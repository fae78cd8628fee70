use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::{Client, ClientBuilder, redirect::Policy};
use tower_service::Service;

use super::page_request::RequestUrl;

/// A service that goes over the network, so that a [`Browser`](super::Browser) plays against a server
/// that runs: `page.fetch("http://127.0.0.1:3000/").send(Network::new()?)`.
///
/// Redirects are the browser's business and are not followed here. At most a mebibyte of a body is
/// read.
#[derive(Clone, Debug)]
pub struct Network {
    client: Client,
}

/// Why a request got no answer over the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The client's own error.
    #[error("no answer")]
    Client(#[from] reqwest::Error),
    /// The body is longer than a mebibyte.
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
    /// The request was not sent by a [`Browser`](super::Browser).
    #[error("the request's extensions have no RequestUrl")]
    NoUrl,
}

const MAX_BODY: usize = 1024 * 1024;

impl Network {
    /// Over HTTP/1.1, without a proxy, and without TLS unless a feature of `reqwest` adds it.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::with(Client::builder().no_proxy())
    }

    /// With a client's settings, as for the certificates of a test.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    pub fn with(client: ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = client.redirect(Policy::none()).build()?;
        Ok(Self { client })
    }
}

impl Service<Request<Bytes>> for Network {
    type Response = Response<Bytes>;
    type Error = NetworkError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, NetworkError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let client = self.client.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.extensions.get::<RequestUrl>();
            let url = url.ok_or(NetworkError::NoUrl)?.uri().to_string();
            let request = client.request(parts.method, url).headers(parts.headers);
            let request = if body.is_empty() {
                request
            } else {
                request.body(body)
            };
            let mut answer = request.send().await?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > MAX_BODY {
                    return Err(NetworkError::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body.freeze());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}
