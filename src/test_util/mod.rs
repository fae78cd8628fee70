//! A browser's side of the protocol, for tests of layers and policies.
//!
//! [`Fetch`] is a request that a page makes with `fetch()`. It says whether a preflight comes
//! first, builds it, and judges the answers as the Fetch standard has browsers do it; or it
//! [plays](Fetch::play) the whole exchange against a tower service. A failure is a [`Failure`],
//! whose text is what a browser's console would say.
//!
//! ```
//! use http::{HeaderValue, Method, Request, Response, header};
//! use tower::{Layer, service_fn};
//! use tower_cors::{CorsLayer, Origin, test_util::{Failure, Fetch, Outcome}};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let service = CorsLayer::builder()
//!     .allow_origins(["https://app.example.com"])
//!     .allow_methods([Method::PUT])
//!     .build()?
//!     .layer(service_fn(async |_: Request<()>| {
//!         Ok::<_, std::convert::Infallible>(Response::new("hello"))
//!     }));
//! let page: Origin = "https://app.example.com".parse()?;
//!
//! let put = Fetch::new(page.clone(), Method::PUT, "/things/1".parse()?);
//! let response = put.play(service.clone(), ()).await?.into_readable()?;
//! assert_eq!(response.into_body(), "hello");
//!
//! let with_id = put.header(header::HeaderName::from_static("x-id"), HeaderValue::from(1));
//! let outcome = with_id.play(service, ()).await?;
//! assert!(matches!(
//!     outcome,
//!     Outcome::PreflightFailed(Failure::HeaderNotAllowed(name), _) if name == "x-id"
//! ));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Out of scope are redirects, which are judged like any answer and not followed; requests to the
//! page's own origin, since every fetch is taken for one across origins; the cache of preflights;
//! fetch metadata (`Sec-Fetch-Site`); and what single browsers do differently.

mod cors_check;
mod failure;
mod fetch;
mod header_list;
mod outcome;
mod preflight;
mod readable;
mod safelist;

pub use self::{
    failure::Failure,
    fetch::{Credentials, Fetch},
    outcome::Outcome,
};
