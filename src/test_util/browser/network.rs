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
use crate::debug_as_display::debug_as_display;

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
#[derive(thiserror::Error)]
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

debug_as_display!(NetworkError);

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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::super::window::Browser;

    use super::*;

    /// A server that answers once, with a body of this length.
    async fn server(len: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let asked = client.read(&mut [0; 4096]).await.unwrap();
            assert_ne!(asked, 0, "a request");
            let head = format!(
                "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-length: {len}\r\n\r\n"
            );
            client.write_all(head.as_bytes()).await.unwrap();
            // The client goes away when it has had enough.
            let _ = client.write_all(&vec![b'a'; len]).await;
        });
        url
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_a_mebibyte() {
        let page = Browser::new().page("https://app.example").unwrap();
        let url = server(MAX_BODY).await;
        let played = page.fetch(&url).send(Network::new().unwrap()).await;
        let response = played.unwrap().expect_readable();
        assert_eq!(response.body().len(), MAX_BODY);
        let url = server(MAX_BODY + 1).await;
        let error = page.fetch(&url).send(Network::new().unwrap()).await;
        assert!(matches!(error, Err(NetworkError::TooLong)));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_an_error() {
        let mut network = Network::new().unwrap();
        let error = network.call(Request::new(Bytes::new())).await.unwrap_err();
        assert!(matches!(error, NetworkError::NoUrl));
        let page = Browser::new().page("https://app.example").unwrap();
        let nobody = page.fetch("http://127.0.0.1:1/").send(network).await;
        assert!(matches!(nobody, Err(NetworkError::Client(_))));
    }
}
