use std::time::Duration;

use http::header::ACCEPT;
use reqwest::ClientBuilder;

use super::endpoint::{Endpoint, EndpointError, PlainHttp, is_json, same_origin_redirects};
use crate::token::verify::{FetchFuture, KeySetFetcher};

/// Fetches a JWK set over HTTP, with `reqwest`.
///
/// Redirects lead to the same scheme, host and port, or nowhere. TLS is the application's choice:
/// enable one of `reqwest`'s TLS features.
///
/// ```
/// use tower_cors::token::verify::reqwest::{EndpointError, ReqwestKeySetFetcher};
///
/// # fn main() -> Result<(), EndpointError> {
/// let keys = "https://login.example.com/realms/shop/protocol/openid-connect/certs";
/// let fetcher = ReqwestKeySetFetcher::new(reqwest::Client::builder(), keys)?;
///
/// let plain = ReqwestKeySetFetcher::new(reqwest::Client::builder(), "http://login.example.com/");
/// assert_eq!(plain.unwrap_err(), EndpointError::Insecure);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct ReqwestKeySetFetcher {
    endpoint: Endpoint,
}

impl ReqwestKeySetFetcher {
    /// Fetches from an `https` URL, or an `http` URL on this machine.
    ///
    /// Takes the builder of a client, because redirects are its matter and are set here.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, the URL is not safe to ask, or the client cannot be made.
    pub fn new(client: ClientBuilder, url: &str) -> Result<Self, EndpointError> {
        Self::with(client, url, PlainHttp::Loopback)
    }

    /// Fetches from any `http` or `https` URL. Anybody who controls the network between chooses
    /// the keys, and so signs tokens.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, or the client cannot be made.
    pub fn dangerously_over_http(client: ClientBuilder, url: &str) -> Result<Self, EndpointError> {
        Self::with(client, url, PlainHttp::Anywhere)
    }

    fn with(client: ClientBuilder, url: &str, plain: PlainHttp) -> Result<Self, EndpointError> {
        let mut endpoint = Endpoint::new(client, url, same_origin_redirects(), plain)?;
        endpoint.max_body = 256 * 1024;
        Ok(Self { endpoint })
    }

    /// How long the whole answer may take. Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// The largest document that is read, in bytes. Default: 256 KiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.endpoint.max_body = bytes;
        self
    }
}

impl KeySetFetcher for ReqwestKeySetFetcher {
    fn fetch(&self) -> FetchFuture {
        let endpoint = self.endpoint.clone();
        Box::pin(async move {
            let accept = "application/jwk-set+json, application/json";
            let request = endpoint.get().header(ACCEPT, accept);
            endpoint.exchange(request, is_json).await
        })
    }
}
