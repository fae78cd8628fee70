use std::{fmt, sync::Arc};

use http::Extensions;

use crate::{origin::OriginSet, token::verify::VerifiedToken};

/// Origins that an outer authentication layer has verified for the request, and left in its
/// extensions: see
/// [`TokenSource::verified_origins`](crate::token::source::TokenSource::verified_origins).
///
/// Risky entries are allowed **without credentials**, whatever the layer says: `http` origins that are
/// not of this machine, unless
/// [`ListRules::dangerously_allow_http`](crate::token::claim::ListRules::dangerously_allow_http) lets
/// them in, wildcards across a public suffix such as `https://*.github.io`, and every host of an
/// application's scheme. Their requests with cookies are denied.
///
/// ```
/// use http::{Request, Response, header};
/// # use std::convert::Infallible;
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{
///     CorsLayer,
///     OriginSet,
///     token::{TokenOrigins, source::{TokenSource, VerifiedOrigins}},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = TokenOrigins::builder().source(TokenSource::verified_origins()).build()?;
/// let service = CorsLayer::builder()
///     .origin_policy(policy)
///     .build()?
///     .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
///
/// // What the outer layer does once it has verified the request's token.
/// let verified = OriginSet::parse(["https://example.com"])?;
/// let request = |origin| {
///     Request::get("/")
///         .header(header::ORIGIN, origin)
///         .extension(VerifiedOrigins(verified.clone()))
///         .body(())
/// };
/// let allowed = service.clone().oneshot(request("https://example.com")?).await?;
/// assert_eq!(allowed.status(), 200);
/// let denied = service.oneshot(request("https://evil.example")?).await?;
/// assert_eq!(denied.status(), 403);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it only marks the set as verified"
)]
pub struct VerifiedOrigins(pub OriginSet);

/// Where an outer layer leaves what it has verified.
#[derive(Clone)]
pub(crate) enum ExtensionSource {
    Token,
    Origins(Arc<Look>),
}

type Look = dyn Fn(&Extensions) -> Option<VerifiedOrigins> + Send + Sync;

/// What an outer layer has verified and left in the extensions.
#[derive(Clone, Debug)]
pub(crate) enum Verified {
    Token(Arc<VerifiedToken>),
    Origins(VerifiedOrigins),
}

impl ExtensionSource {
    pub(crate) fn find(&self, extensions: &Extensions) -> Option<Verified> {
        match self {
            Self::Token => extensions.get().cloned().map(Verified::Token),
            Self::Origins(find) => find(extensions).map(Verified::Origins),
        }
    }
}

impl fmt::Debug for ExtensionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "Token",
            Self::Origins(_) => "Origins",
        })
    }
}
