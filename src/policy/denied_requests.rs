/// What becomes of an actual request whose origin is denied.
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
    /// This is what CORS asks for. It is no access control: the request has had its effect.
    #[default]
    Forward,
    /// The layer answers 403 to what a browser says comes from a page of another origin, and the
    /// inner service is never called. Everything else is as with [`Forward`](Self::Forward).
    ///
    /// For services behind a gateway that adds an `Origin` to requests between servers, which
    /// [`Refuse`](Self::Refuse) would refuse. Browsers say where a request comes from in
    /// [`Sec-Fetch-Site`](https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header), and
    /// only over HTTPS or to this machine; Safari does so since 16.4. **Requests of older browsers
    /// have their effect**, as have all over plain HTTP, so this is no substitute for `Refuse`, and
    /// a [broad preflight](crate::policy::PolicyProperties::broad_preflight) does not build with it.
    ///
    /// ```
    /// use http::{Request, Response, StatusCode, header};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// use tower_cors::{CorsLayer, DeniedRequests};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .denied_requests(DeniedRequests::RefuseBrowsers)
    ///     .build()?
    ///     .layer(service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(()))));
    /// let request = || Request::get("/").header(header::ORIGIN, "https://gateway.example");
    ///
    /// let from_a_server = service.clone().oneshot(request().body(())?).await?;
    /// assert_eq!(from_a_server.status(), StatusCode::OK);
    /// assert!(!from_a_server.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    ///
    /// let from_a_page = request().header("sec-fetch-site", "cross-site").body(())?;
    /// assert_eq!(service.oneshot(from_a_page).await?.status(), StatusCode::FORBIDDEN);
    /// # Ok(())
    /// # }
    /// ```
    RefuseBrowsers,
    /// The layer answers 403 and the inner service is never called.
    ///
    /// Requests of the service's own pages are exempt, because browsers send `Origin` with those
    /// too: `Sec-Fetch-Site` says `same-origin` or `none` or, where a client does not send it, the
    /// origin's authority is the one in `Host`. WebSocket handshakes, which CORS does not cover,
    /// are refused like any other request.
    Refuse,
}

impl DeniedRequests {
    pub(crate) fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refuse, _) | (_, Self::Refuse) => Self::Refuse,
            (Self::RefuseBrowsers, _) | (_, Self::RefuseBrowsers) => Self::RefuseBrowsers,
            (Self::Forward, Self::Forward) => Self::Forward,
        }
    }
}
