use std::fmt;

use http::HeaderValue;

use super::outcome::Outcome;
use crate::{
    escaped::Quoted,
    origin::MAX_ORIGIN_LEN,
    policy::{Denial, DenialKind},
};

/// What a layer decided about one request.
///
/// It has neither the URL nor any header but `Origin`, so it holds no secret. Its text is one line,
/// escaped, and bounded.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// # use std::convert::Infallible;
/// # use http::{Request, Response, header};
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{CorsLayer, DenialKind, observe::{Decision, Outcome, RequestKind}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let hook = {
///     let seen = Arc::clone(&seen);
///     move |decision: &Decision| seen.lock().unwrap().push(decision.clone())
/// };
/// let service = CorsLayer::builder()
///     .allow_origins(["https://app.example.com"])
///     .on_decision(hook)
///     .build()?
///     .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("hello"))));
/// for origin in ["https://app.example.com", "https://evil.example"] {
///     let request = Request::get("/").header(header::ORIGIN, origin).body(())?;
///     service.clone().oneshot(request).await?;
/// }
///
/// let seen = seen.lock().unwrap();
/// assert_eq!(seen[0].outcome(), Outcome::Allowed);
/// assert_eq!(seen[1].kind(), RequestKind::Actual);
/// assert_eq!(seen[1].outcome(), Outcome::Forwarded);
/// assert_eq!(seen[1].reason(), Some(DenialKind::OriginNotAllowed));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Decision {
    kind: RequestKind,
    outcome: Outcome,
    allows_credentials: bool,
    origin: Option<HeaderValue>,
    denial: Option<Denial>,
}

/// The kind of a request ([Fetch, CORS request](https://fetch.spec.whatwg.org/#cors-request)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// Without an `Origin` header.
    NotCors,
    /// With an `Origin` header, and not a preflight.
    Actual,
    /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    Preflight,
}

impl RequestKind {
    /// A name for labels and logs, such as `preflight`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCors => "not_cors",
            Self::Actual => "actual",
            Self::Preflight => "preflight",
        }
    }

    /// What a text calls it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::NotCors | Self::Actual => "request",
        }
    }
}

impl Decision {
    /// The origin is as it was sent.
    pub(crate) fn new(
        kind: RequestKind,
        outcome: Outcome,
        allows_credentials: bool,
        origin: Option<&HeaderValue>,
        denial: Option<&Denial>,
    ) -> Self {
        Self {
            kind,
            outcome,
            allows_credentials,
            origin: origin.filter(|sent| sent.len() <= MAX_ORIGIN_LEN).cloned(),
            denial: denial.cloned(),
        }
    }

    /// What the request was taken for.
    pub fn kind(&self) -> RequestKind {
        self.kind
    }

    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the answer lets the page send cookies and read the response: it says
    /// `Access-Control-Allow-Credentials`.
    pub fn allows_credentials(&self) -> bool {
        self.allows_credentials
    }

    /// The origin, as it was sent, the first one if there are several. `None` if there is none, or
    /// one that is longer than any origin. A client other than a browser can claim any, and the
    /// bytes need not be text: [`Display`](fmt::Display) escapes them.
    pub fn origin(&self) -> Option<&HeaderValue> {
        self.origin.as_ref()
    }

    /// Why the page does not get what it asks for. `None` where it does, and for
    /// [`Outcome::AnotherOrigin`].
    pub fn reason(&self) -> Option<DenialKind> {
        self.denial.as_ref().map(Denial::kind)
    }

    /// The same with its details, whose text names the cause and the fix.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }
}

/// One line: the kind, the outcome, the reason and the origin, escaped.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.noun(), self.outcome)?;
        match (&self.denial, &self.origin) {
            // Its text names the origin.
            (Some(denial), _) => write!(f, ": {denial}"),
            (None, Some(origin)) => write!(f, " (origin: {})", Quoted(origin.as_bytes())),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decision({self})")
    }
}
