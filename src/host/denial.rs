use std::fmt;

use http::{HeaderValue, StatusCode};

use crate::escaped::Quoted;

/// Why a request was refused because of its host.
///
/// For the operator: it is in the extensions of the response and, with the feature `tracing`, in the
/// log. The client gets a status only.
///
/// ```
/// use tower_cors::host::{HostDenial, HostDenialKind, HostLayer};
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
/// let service = HostLayer::builder().allow_hosts("api.example.com").build()?.layer(inner);
/// let get = |host| Request::get("/").header("host", host).body(());
///
/// let response = service.clone().oneshot(get("evil.example")?).await?;
/// let denial = response.extensions().get::<HostDenial>().expect("it is refused");
/// assert_eq!(denial.kind(), HostDenialKind::HostNotAllowed);
/// assert_eq!(denial.status(), 421);
///
/// let response = service.oneshot(get("api.example.com")?).await?;
/// assert!(response.extensions().get::<HostDenial>().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct HostDenial {
    kind: HostDenialKind,
    host: Option<HeaderValue>,
}

impl HostDenial {
    pub(super) fn new(kind: HostDenialKind, host: Option<HeaderValue>) -> Self {
        Self { kind, host }
    }

    /// The kind of denial.
    pub fn kind(&self) -> HostDenialKind {
        self.kind
    }

    /// The host as it was sent, if there was exactly one.
    pub fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// The status of the answer: 421 for a host that is not listed, 400 for a request that is
    /// malformed.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            HostDenialKind::HostNotAllowed => StatusCode::MISDIRECTED_REQUEST,
            HostDenialKind::MissingHost
            | HostDenialKind::SeveralHosts
            | HostDenialKind::MalformedHost
            | HostDenialKind::Contradiction => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HostDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.host {
            Some(host) => write!(f, " (host: {})", Quoted(host.as_bytes())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for HostDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostDenial({:?}: {self})", self.kind)
    }
}

/// The kinds of denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostDenialKind {
    /// The host is not listed, or not with this port.
    HostNotAllowed,
    /// The request names no host.
    MissingHost,
    /// There are several `Host` lines.
    SeveralHosts,
    /// The host is neither a name nor an address.
    MalformedHost,
    /// The request's target names another host than `Host` does.
    Contradiction,
}

impl fmt::Display for HostDenialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostNotAllowed => {
                "the host is not listed: if it is the service's own, add it to allow_hosts, with \
                 its port unless that is the default one"
            }
            Self::MissingHost => {
                "the request names no host: look for a client or a proxy that leaves out Host"
            }
            Self::SeveralHosts => "there are several Host lines: look for a proxy that adds one",
            Self::MalformedHost => {
                "the host is neither a name nor an address as browsers send them: look for a client \
                 or a proxy that writes it"
            }
            Self::Contradiction => {
                "Host is another one than the request's target names: look for a client or a proxy \
                 that writes it"
            }
        })
    }
}
