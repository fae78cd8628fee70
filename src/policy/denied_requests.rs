/// Whether an actual request whose origin is denied is forwarded or refused.
///
/// A preflight is always answered by the layer, so this is about all other requests
/// ([Fetch, HTTP responses](https://fetch.spec.whatwg.org/#http-responses): leaving
/// out the headers is the refusal, and a 403 may say so).
///
/// ```
/// use http::{Request, Response, StatusCode, header};
/// # use std::convert::Infallible;
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{CorsLayer, DeniedRequests};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = |denied_requests| {
///     let cors = CorsLayer::builder()
///         .allow_origins(["https://app.example.com"])
///         .denied_requests(denied_requests)
///         .build()?;
///     let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("hello")));
///     Ok::<_, tower_cors::ConfigErrors>(cors.layer(inner))
/// };
/// let get = |origin| Request::get("/").header(header::ORIGIN, origin).body(());
///
/// let forwards = service(DeniedRequests::Forward)?;
/// let response = forwards.oneshot(get("https://evil.example")?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
///
/// let refuses = service(DeniedRequests::Refuse)?;
/// let response = refuses.clone().oneshot(get("https://evil.example")?).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// let response = refuses.oneshot(get("https://app.example.com")?).await?;
/// assert_eq!(*response.body(), "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedRequests {
    /// The inner service answers, and browsers keep the answer from the page: the response carries
    /// no header of the CORS protocol, whatever the inner service has set.
    ///
    /// This is what CORS asks for. It does not prevent anything on the server: the request has had
    /// its effect.
    #[default]
    Forward,
    /// The layer answers 403 and the inner service is never called.
    ///
    /// Requests of the service's own pages are exempt, because browsers send `Origin` with those
    /// too: `Sec-Fetch-Site` says `same-origin` or `none` or, where a client does not send it, the
    /// origin's authority is the one in `Host`. WebSocket handshakes, which CORS does not cover,
    /// are refused like any other request.
    ///
    /// HTTP/1.1 does not say whether a request came over TLS. So where `Sec-Fetch-Site` is missing,
    /// a page of `http://` and the service's own host passes for the service's own page, also at a
    /// service that is `https` only. Send `Strict-Transport-Security`: browsers then never load such
    /// a page, which an attacker in the network could write.
    ///
    /// A request is not let through because it lacks `Sec-Fetch-Site`. Browsers leave it out where
    /// an attacker can arrange it: WebKit after a redirect, Chromium in WebSocket handshakes, and
    /// all of them over plain HTTP to hosts other than loopback. So a server that adds an `Origin`
    /// to its own requests is refused too: leave its routes out of the layer, or let it leave the
    /// header out.
    Refuse,
}

impl DeniedRequests {
    pub(crate) fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refuse, _) | (_, Self::Refuse) => Self::Refuse,
            (Self::Forward, Self::Forward) => Self::Forward,
        }
    }
}
