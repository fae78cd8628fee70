use std::fmt;

use http::{HeaderValue, StatusCode, header::ORIGIN};

use super::cause::SEC_FETCH_SITE;
use crate::{escaped::Quoted, fetch::Line, policy::Denial, request::Head};

/// Why a request was refused because of the page that caused it.
///
/// For the operator: it is in the extensions of the response and, with the feature `tracing`, in the
/// log. The client gets a status only.
///
/// ```
/// use tower_cors::fetch_metadata::{CrossSiteDenial, CrossSiteDenialKind, FetchMetadataLayer};
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
/// let service = FetchMetadataLayer::builder()
///     .allow_origins(["https://shop.example"])
///     .build()?
///     .layer(inner);
/// let form = |origin| {
///     Request::post("/").header("sec-fetch-site", "cross-site").header("origin", origin).body(())
/// };
///
/// let response = service.clone().oneshot(form("https://evil.example")?).await?;
/// let denial = response.extensions().get::<CrossSiteDenial>().expect("it is refused");
/// assert_eq!(denial.kind(), CrossSiteDenialKind::NotTrusted);
/// assert_eq!(denial.status(), 403);
///
/// let response = service.oneshot(form("https://shop.example")?).await?;
/// assert!(response.extensions().get::<CrossSiteDenial>().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct CrossSiteDenial {
    kind: CrossSiteDenialKind,
    site: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    by_policy: Option<Denial>,
}

impl CrossSiteDenial {
    pub(super) fn new(kind: CrossSiteDenialKind, head: &Head<'_>) -> Self {
        let single = |name| match Line::find(head.headers, name)? {
            Line::One(value) => Some(value.clone()),
            Line::Several => None,
        };
        Self {
            kind,
            site: single(&SEC_FETCH_SITE),
            origin: single(&ORIGIN),
            by_policy: None,
        }
    }

    pub(super) fn by_policy(mut self, denial: Denial) -> Self {
        self.by_policy = Some(denial);
        self
    }

    /// The kind of denial.
    pub fn kind(&self) -> CrossSiteDenialKind {
        self.kind
    }

    /// `Sec-Fetch-Site` as it was sent, if there was exactly one.
    pub fn site(&self) -> Option<&HeaderValue> {
        self.site.as_ref()
    }

    /// `Origin` as it was sent, if there was exactly one.
    pub fn origin(&self) -> Option<&HeaderValue> {
        self.origin.as_ref()
    }

    /// What the policy said that was asked whether the origin is trusted.
    pub fn policy_denial(&self) -> Option<&Denial> {
        self.by_policy.as_ref()
    }

    /// The status of the answer: 503 if the policy cannot tell, else 403.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            CrossSiteDenialKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            CrossSiteDenialKind::NotTrusted
            | CrossSiteDenialKind::NoOrigin
            | CrossSiteDenialKind::OpaqueOrigin
            | CrossSiteDenialKind::MalformedOrigin => StatusCode::FORBIDDEN,
        }
    }
}

impl fmt::Display for CrossSiteDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        for (name, value) in [("sec-fetch-site", &self.site), ("origin", &self.origin)] {
            if let Some(value) = value {
                write!(f, " ({name}: {})", Quoted(value.as_bytes()))?;
            }
        }
        match &self.by_policy {
            Some(denial) => write!(f, " (policy: {denial})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CrossSiteDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrossSiteDenial({:?}: {self})", self.kind)
    }
}

/// The kinds of denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrossSiteDenialKind {
    /// A page of another origin has caused the request, and that origin is not trusted.
    NotTrusted,
    /// A page of another site has caused the request, and it has no `Origin` by which it could be
    /// trusted: an image, a script, a frame.
    NoOrigin,
    /// The origin is `null`.
    OpaqueOrigin,
    /// There are several `Origin` lines, or one that is not an origin; or the request is a malformed
    /// preflight.
    MalformedOrigin,
    /// What the policy needs to know is out of reach for now.
    Unavailable,
}

impl fmt::Display for CrossSiteDenialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTrusted => {
                "a page of another origin sent it: if that is one of yours, add it to allow_origins, \
                 or to what the policy reads"
            }
            Self::NoOrigin => {
                "a page of another site shows it as a part of itself: if others may do that, leave \
                 the route out of the layer"
            }
            Self::OpaqueOrigin => {
                "the origin is null, as in sandboxed frames, file: pages and after redirects: serve \
                 the page from an origin of its own"
            }
            Self::MalformedOrigin => {
                "Origin is not one origin as browsers send it, or the preflight is malformed: look \
                 for a proxy or a client that writes it"
            }
            Self::Unavailable => "what the policy needs to know is out of reach: look at its source",
        })
    }
}
