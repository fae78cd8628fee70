//! A check of where a request comes from, for what CORS does not stop: forms, WebSockets, and pages
//! that load your answers as parts of themselves.
//!
//! A page of another site can send your service a form, open a WebSocket, or show your answer in a
//! frame, with the user's cookies. CORS has no say in this: it decides what the page may *read*.
//! Browsers tell with most requests who has caused them ([Fetch Metadata]: `Sec-Fetch-Site`,
//! `Sec-Fetch-Mode`, `Sec-Fetch-Dest`), and no page can alter that. [`FetchMetadataLayer`] refuses
//! what other sites cause, before the inner service is called:
//!
//! | request | by `Sec-Fetch-Site` | without it |
//! |---|---|---|
//! | from the service's own pages | passes: `same-origin` | passes, if the host and port of `Origin` are those of `Host` |
//! | caused by the user, as from the address bar | passes: `none` | passes: it has no `Origin` |
//! | a link of another site: `GET` or `HEAD`, `navigate` to a `document` | passes | passes: it has no `Origin` |
//! | anything else with a trusted origin | passes | passes |
//! | anything else: forms, WebSockets, frames, images, `fetch()` | refused with 403 | refused with 403 if there is an `Origin`, and browsers send that with each method but `GET` and `HEAD`, and with WebSockets |
//! | from a program, as curl | | passes: it has no `Origin` |
//!
//! Current browsers send `Sec-Fetch-Site` to each URL with `https` and to loopback addresses; to
//! others over `http` they do not. Chromium leaves it out of WebSocket handshakes, and WebKit after
//! a redirect to another origin.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! # use std::convert::Infallible;
//! # use tower::{Layer, ServiceExt, service_fn};
//! use tower_cors::fetch_metadata::FetchMetadataLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = FetchMetadataLayer::builder().build()?;
//! let service = layer.layer(service_fn(async |_: Request<()>| {
//!     Ok::<_, Infallible>(Response::new(()))
//! }));
//! let form = |site| Request::post("/transfer").header("sec-fetch-site", site).body(());
//!
//! let response = service.clone().oneshot(form("same-origin")?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! let response = service.oneshot(form("cross-site")?).await?;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! * **`GET` must not change anything** ([RFC 9110, section 9.2.1]): links of other sites pass.
//! * **It believes the browser about what is the same origin.** A page that has rebound its own name
//!   to your service *is* of the same origin: use [`host`](crate::host) beside it.
//! * **Programs pass**, since they have no user whose cookies they could misuse. Authorise requests
//!   by other means.
//! * **Whatever other sites may embed** - images, scripts, a public API - has no place in it: put the
//!   layer on the other routes.
//!
//! # Beside `CorsLayer`
//!
//! Put it inside of [`CorsLayer`](crate::CorsLayer), which answers preflights, and list the
//! origins of `CorsLayer` here too. A preflight that reaches this layer is judged by the trusted
//! origins.
//!
//! [Fetch Metadata]: https://w3c.github.io/webappsec-fetch-metadata/
//! [RFC 9110, section 9.2.1]: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1

mod builder;
mod cause;
mod denial;
mod future;
mod layer;
mod rules;
mod service;

pub use self::{
    builder::FetchMetadataLayerBuilder,
    denial::{CrossSiteDenial, CrossSiteDenialKind},
    future::ResponseFuture,
    layer::FetchMetadataLayer,
    service::FetchMetadata,
};
