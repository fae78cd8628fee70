//! A browser's side of the protocol, for tests of layers and policies.
//!
//! | you want to test | with | section |
//! |---|---|---|
//! | who can use your service | [`Browser`] | [A layer](#a-layer) |
//! | a page that has a token | [`Browser`] | [A token](#a-token) |
//! | sessions with cookies | [`Browser`] | [Cookies](#cookies) |
//! | a server that runs | [`Browser`] and [`Network`](https://docs.rs/tower-cors/latest/tower_cors/test_util/struct.Network.html) | [A server that runs](#a-server-that-runs) |
//! | a policy of your own, also in a crate of its own | [`policy_conformance`] | [A policy](#a-policy) |
//! | one request and one answer, without a service | [`Fetch`] | [One answer](#one-answer) |
//!
//! # A layer
//!
//! A [`Browser`] has pages, and a page sends requests as `fetch()` does: with a preflight where one is
//! needed and not remembered, over redirects, and with the checks of the Fetch standard at each answer.
//! The methods of [`Played`] that begin with `expect` fail with the whole exchange, what the browser has
//! against it, and why the layer denied it, if it [records denials].
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Method, Request, Response};
//! use tower::{Layer, service_fn};
//! use tower_cors::{CorsLayer, test_util::{Browser, Failure}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = CorsLayer::builder()
//!     .allow_origins(["https://app.example.com"])
//!     .allow_methods([Method::PUT])
//!     .record_denials(true)
//!     .build()?
//!     .layer(service_fn(async |_: Request<Bytes>| Ok::<_, Infallible>(Response::new("saved"))));
//! let browser = Browser::new();
//! let url = "https://api.example.com/things/1";
//!
//! let page = browser.page("https://app.example.com/")?;
//! let played = page.fetch(url).method("PUT").send(service.clone()).await?;
//! assert_eq!(*played.expect_readable().body(), "saved");
//!
//! // The same from another page: the preflight does not pass, so nothing is saved.
//! let other = browser.page("https://evil.example/")?;
//! let played = other.fetch(url).method("PUT").send(service.clone()).await?;
//! let played = played.expect_preflight_refused();
//! assert_eq!(played.failure(), Some(&Failure::MissingAllowOrigin));
//! let why = "the layer: the origin is not allowed: add it to allow_origins, or to what the policy reads";
//! assert!(played.to_string().contains(why));
//!
//! // A header that is not allowed.
//! let played = page.fetch(url).header("x-id", "1").send(service).await?;
//! assert!(matches!(played.failure(), Some(Failure::HeaderNotAllowed(name)) if name == "x-id"));
//! # Ok(())
//! # }
//! ```
//!
//! An axum `Router` takes bodies of any kind, so name one:
//! `page.fetch(url).send_as(router, axum::body::Body::from)`. The service gets the requests to all
//! hosts, and tells them apart by `Host`.
//!
//! # A token
//!
//! A preflight has no token, so test both: that the page with the token can read, and that another page
//! with the same token cannot.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response, header::AUTHORIZATION};
//! use tower::{Layer, service_fn};
//! use tower_cors::{
//!     CorsLayer, CorsRequest, DeniedRequests, OriginPolicy, VerdictFuture,
//!     policy::PolicyProperties, preflight::Optimistic, test_util::Browser,
//! };
//!
//! /// Stands for `TokenOrigins`: the token names the page.
//! #[derive(Debug)]
//! struct Named;
//!
//! impl OriginPolicy for Named {
//!     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
//!         let token = request.single_header(&AUTHORIZATION).and_then(|t| t.strip_prefix("Bearer "));
//!         request.origin().judge_by(|origin| token == Some(origin.as_str())).into()
//!     }
//!
//!     fn properties(&self) -> PolicyProperties {
//!         PolicyProperties::new().reads([AUTHORIZATION]).denied_requests(DeniedRequests::Refuse)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = CorsLayer::builder()
//!     .origin_policy(Named.with_preflight(Optimistic::new()))
//!     .allow_headers([AUTHORIZATION])
//!     .build()?
//!     .layer(service_fn(async |_: Request<Bytes>| Ok::<_, Infallible>(Response::new("hello"))));
//! let browser = Browser::new();
//! let url = "https://api.example.com/things";
//! let token = "Bearer https://shop.example";
//!
//! let page = browser.page("https://shop.example/")?;
//! let with_token = page.fetch(url).header("authorization", token);
//! assert_eq!(*with_token.send(service.clone()).await?.expect_readable().body(), "hello");
//!
//! // The preflight passes, and the request is refused before the inner service is called.
//! let other = browser.page("https://evil.example/")?;
//! let played = other.fetch(url).header("authorization", token).send(service).await?;
//! let played = played.expect_blocked();
//! assert_eq!(played.exchanges().last().map(|last| last.status.as_u16()), Some(403));
//! # Ok(())
//! # }
//! ```
//!
//! # Cookies
//!
//! The browser keeps what `Set-Cookie` sets, and sends it by the rules of [RFC 6265bis]: host or domain,
//! path, `Secure`, `SameSite`, `Max-Age` and `Expires`, and the prefixes `__Host-` and `__Secure-`. A
//! cookie without `SameSite` is `Lax`, as in Chromium.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response, header::COOKIE};
//! use tower::{Layer, service_fn};
//! use tower_cors::{CorsLayer, test_util::{Browser, Credentials}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = CorsLayer::builder()
//!     .allow_origins(["https://app.example.com", "https://partner.example"])
//!     .allow_credentials(true)
//!     .build()?
//!     .layer(service_fn(async |request: Request<Bytes>| {
//!         let is_known = request.headers().contains_key(COOKIE);
//!         Ok::<_, Infallible>(Response::new(if is_known { "hello again" } else { "who are you?" }))
//!     }));
//! let browser = Browser::new();
//! let url = "https://api.example.com/";
//! browser.set_cookie(url, "session=1; Secure; HttpOnly; SameSite=Strict")?;
//!
//! // A page of the same site.
//! let page = browser.page("https://app.example.com/")?;
//! let fetch = page.fetch(url).credentials(Credentials::Include);
//! assert_eq!(*fetch.send(service.clone()).await?.expect_readable().body(), "hello again");
//! // A page of another site is allowed, too, and the cookie is not sent.
//! let partner = browser.page("https://partner.example/")?;
//! let fetch = partner.fetch(url).credentials(Credentials::Include);
//! assert_eq!(*fetch.send(service).await?.expect_readable().body(), "who are you?");
//! # Ok(())
//! # }
//! ```
//!
//! [`Page::submit_form`] sends what CORS does not judge: a form of another site.
//!
//! # A server that runs
//!
//! With the feature `reqwest`, `Network` stands for the service, and the browser plays against
//! whatever listens there: your server behind its proxy, or somebody else's.
//! `page.fetch(url).send(Network::new()?)` goes over HTTP, and
//! `Network::with(reqwest::Client::builder())` with the TLS that you have given to `reqwest`.
//! Another client is a `tower` service that takes the URL from [`RequestUrl`] in the request's
//! extensions.
//!
//! # A policy
//!
//! [`policy_conformance`] runs a policy through the obligations of [`OriginPolicy`]: each
//! [`Obligation`] has a sentence. It is for crates that implement a policy, and all policies of this
//! crate pass it.
//!
//! ```
//! use tower_cors::{
//!     CorsRequest, Origin, OriginPolicy, VerdictFuture,
//!     test_util::{AllowedRequest, Obligation, policy_conformance},
//! };
//!
//! /// Admits the pages of this organisation's intranet.
//! #[derive(Debug)]
//! struct Intranet;
//!
//! impl OriginPolicy for Intranet {
//!     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
//!         request.origin().judge_by(|origin| origin.as_str() == "https://intra.example").into()
//!     }
//! }
//!
//! /// Whoever says `x-intranet: yes` is let in, and no cache knows of it.
//! #[derive(Debug)]
//! struct Trusting;
//!
//! impl OriginPolicy for Trusting {
//!     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
//!         let says_so = request.headers().get("x-intranet").is_some_and(|value| value == "yes");
//!         request.origin().judge_by(|_| says_so).into()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! policy_conformance(Intranet, [AllowedRequest::new("https://intra.example")]).await?;
//!
//! let allowed = AllowedRequest::new("https://intra.example").header("x-intranet", "yes");
//! let violations = policy_conformance(Trusting, [allowed]).await.unwrap_err();
//! let has = |obligation| violations.iter().any(|violation| violation.obligation() == obligation);
//! assert!(has(Obligation::WholeOrigins));
//! assert!(has(Obligation::NamesWhatItReads));
//! assert!(has(Obligation::Preflights));
//! # Ok(())
//! # }
//! ```
//!
//! # One answer
//!
//! [`Fetch`] is a request to another origin by itself. It says whether a preflight comes first, builds
//! it, and judges answers that you have from elsewhere:
//!
//! ```
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
//! use tower_cors::{Origin, test_util::{Failure, Fetch}};
//!
//! let page: Origin = "https://app.example.com".parse()?;
//! let put = Fetch::new(page, Method::PUT, "/things/1".parse()?);
//! assert!(put.preflight().is_some());
//!
//! let mut answer = HeaderMap::new();
//! answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
//! answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("put"));
//! let refused = put.check_preflight(StatusCode::OK, &answer);
//! assert_eq!(refused, Err(Failure::MethodNotAllowed(Method::PUT)));
//! answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("PUT"));
//! assert_eq!(put.check_preflight(StatusCode::OK, &answer), Ok(()));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How far it is a browser
//!
//! A real Chromium, Firefox and WebKit and the [`Engine`] of the same name agree on 292 scripted
//! answers, many of them malformed: on what the page reads, and on every request with its `Origin`,
//! its cookies and its fetch metadata. `scripts/browsers.sh` compares them again. Where engines
//! differ from the standard and from each other, the table of [`Engine`] says it;
//! [`Engine::Standard`] is the default.
//!
//! What the kit judges by is its own: its tables of methods, headers and tokens are not those that the
//! layer decides with, so that a mistake there is not made here as well. Three things are shared, and
//! decide nothing in a layer: the table of safelisted values, which only the kit and `cors-doctor` have;
//! the list of public suffixes, at which a layer looks only while it is built; and the type [`Origin`],
//! whose text is compared byte by byte with the answer's.
//!
//! Left out: `Content-Security-Policy`, mixed content, and the permission for local networks, each
//! of which can stop a request before anything is sent; the HTTP cache and `fetch()`'s `cache` and
//! `redirect` modes; the referrer; credentials of HTTP authentication and client certificates; the
//! blocking and partitioning of other sites' cookies in Firefox and WebKit, and `document.cookie`;
//! WebSockets, workers and images. Of URLs it knows what tests need: names in ASCII, and no
//! escapes.
//!
//! [records denials]: crate::CorsLayerBuilder::record_denials
//! [RFC 6265bis]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis
//! [`OriginPolicy`]: crate::OriginPolicy
//! [`Origin`]: crate::Origin

mod browser;
mod conformance;
mod cors_check;
mod failure;
mod fetch;
mod header_list;
mod outcome;
mod preflight;
mod preflight_answer;
mod readable;
mod safelist;
mod tables;

#[cfg(feature = "reqwest")]
pub use self::browser::{Network, NetworkError};
pub use self::{
    browser::{
        Browser, Engine, Exchange, InvalidUrl, ManualClock, Page, PageRequest, Played, RequestUrl,
    },
    conformance::{
        AllowedRequest, Expectations, Obligation, Violation, Violations, policy_conformance,
    },
    failure::Failure,
    fetch::{Credentials, Fetch},
    outcome::Outcome,
};
