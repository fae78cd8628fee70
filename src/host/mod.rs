//! A list of the hosts that a service answers for: the protection against DNS rebinding.
//!
//! A page of `evil.example` can have its own name point at your service, at `127.0.0.1` or at an
//! address inside your network. To the browser, that service is then of the page's own origin: the
//! page may send any request and read every answer, and CORS is not asked. What such a request
//! cannot hide is the name: `Host` says `evil.example`
//! ([RFC 9110, section 7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2)). [`HostLayer`]
//! refuses each request whose host is not listed, before the inner service is called.
//!
//! Use it for whatever is reached without TLS, or runs on a developer's machine, or trusts its
//! network. A service behind a certificate for its own name is safe from rebinding in browsers, since
//! they refuse the certificate for another name.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! # use std::convert::Infallible;
//! # use tower::{Layer, ServiceExt, service_fn};
//! use tower_cors::host::HostLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hosts = HostLayer::builder()
//!     .allow_hosts(["localhost:3000", "*.tools.example.com"])
//!     .build()?;
//! let service = hosts.layer(service_fn(async |_: Request<()>| {
//!     Ok::<_, Infallible>(Response::new(()))
//! }));
//! let get = |host| Request::get("/").header("host", host).body(());
//!
//! let response = service.clone().oneshot(get("localhost:3000")?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! let response = service.oneshot(get("evil.example:3000")?).await?;
//! assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
//! # Ok(())
//! # }
//! ```
//!
//! # Which host counts
//!
//! | request | host |
//! |---|---|
//! | HTTP/2 and HTTP/3 | `:authority` |
//! | HTTP/1.1 with a whole URL as its target | the URL's, as [RFC 9112, section 3.2.2] has it |
//! | HTTP/1.1 otherwise | the one `Host` line |
//! | both a target with a host and a `Host` line | they must say the same, since some other part of the service may read the other one |
//! | no host, several lines, or a value that is not a host | refused |
//!
//! `X-Forwarded-Host` and `Forwarded` are never looked at, since any client can set them. Behind a
//! proxy that rewrites `Host`, list the name that the proxy sends, and check the client's name there.
//!
//! # Why 421
//!
//! A host that is not listed is answered with 421, "Misdirected Request"
//! ([RFC 9110, section 15.5.20]): the service does not answer for that name. This is what happened,
//! while 403 would say that somebody lacks a permission. It also helps the one honest client that can
//! meet it: a browser that has reused a connection for another name of the same certificate repeats
//! the request on a new connection. A request that is malformed is answered with 400, as
//! [RFC 9112, section 3.2] demands.
//!
//! [RFC 9112, section 3.2.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
//! [RFC 9110, section 15.5.20]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20
//! [RFC 9112, section 3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2

mod builder;
mod denial;
mod error;
mod future;
mod hosts;
mod layer;
mod service;

pub use self::{
    builder::HostLayerBuilder,
    denial::{HostDenial, HostDenialKind},
    error::{HostError, HostErrorReason, HostErrors},
    future::ResponseFuture,
    layer::HostLayer,
    service::HostCheck,
};
