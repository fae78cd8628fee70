use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{ClientBuilder, redirect};

use super::{
    client_auth::ClientAuth,
    endpoint::{Endpoint, EndpointError, PlainHttp},
};
use crate::token::verify::{
    FetchFuture,
    introspection::{IntrospectionClient, IntrospectionRequest},
};

/// Asks an issuer about tokens over HTTP, with `reqwest`.
///
/// No redirect is followed: the question holds the token. TLS is the application's choice: enable
/// one of `reqwest`'s TLS features.
///
/// ```
/// use tower_cors::token::verify::{
///     introspection::IntrospectionVerifier,
///     reqwest::{ClientAuth, EndpointError, ReqwestIntrospectionClient},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = ReqwestIntrospectionClient::new(
///     reqwest::Client::builder(),
///     "https://login.example.com/oauth2/introspect",
///     ClientAuth::basic("my-api", "s3cr3t"),
/// )?;
/// let verifier = IntrospectionVerifier::builder(client).build()?;
///
/// let plain = ReqwestIntrospectionClient::new(
///     reqwest::Client::builder(),
///     "http://login.example.com/oauth2/introspect",
///     ClientAuth::basic("my-api", "s3cr3t"),
/// );
/// assert_eq!(plain.unwrap_err(), EndpointError::Insecure);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct ReqwestIntrospectionClient {
    endpoint: Endpoint,
    auth: ClientAuth,
}

impl ReqwestIntrospectionClient {
    /// Asks at an `https` URL, or at an `http` URL on this machine.
    ///
    /// Takes the builder of a client, because redirects are its matter and are forbidden here.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, the URL is not safe to ask, or the client cannot be made.
    pub fn new(client: ClientBuilder, url: &str, auth: ClientAuth) -> Result<Self, EndpointError> {
        Self::with(client, url, auth, PlainHttp::Loopback)
    }

    /// Asks at any `http` or `https` URL. Anybody on the network between reads the tokens
    /// and this service's secret, and writes the answers.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, or the client cannot be made.
    pub fn dangerously_over_http(
        client: ClientBuilder,
        url: &str,
        auth: ClientAuth,
    ) -> Result<Self, EndpointError> {
        Self::with(client, url, auth, PlainHttp::Anywhere)
    }

    fn with(
        client: ClientBuilder,
        url: &str,
        auth: ClientAuth,
        plain: PlainHttp,
    ) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::new(client, url, redirect::Policy::none(), plain)?;
        Ok(Self { endpoint, auth })
    }

    /// How long the whole answer may take. Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// The largest answer that is read, in bytes. Default: 64 KiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.endpoint.max_body = bytes;
        self
    }
}

impl IntrospectionClient for ReqwestIntrospectionClient {
    fn introspect(&self, request: IntrospectionRequest) -> FetchFuture {
        let Self { endpoint, auth } = self.clone();
        Box::pin(async move {
            let question = endpoint
                .post()
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            let question = auth.apply(question, request.into_form());
            // RFC 7662, section 2.2: the answer is "application/json".
            endpoint
                .exchange(question, |media_type| media_type == "application/json")
                .await
        })
    }
}
