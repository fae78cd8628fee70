use std::{borrow::Cow, fmt, sync::Arc};

use http::{HeaderValue, StatusCode};

use super::{
    hint::{Hint, Said},
    sentence::{self, Sentence},
};
use crate::{
    escaped::{OneLine, Quoted},
    request::Malformed,
};

/// Why an origin may not use the service, or not in the way that it asked for.
///
/// A denial is for the operator: it goes into the log and into the extensions of the response. It
/// never goes to the client, where it would help to probe. Its text names the cause and the fix.
///
/// ```
/// use tower_cors::{Denial, DenialKind};
///
/// let denial = Denial::new(DenialKind::OriginNotAllowed);
/// assert_eq!(denial.kind(), DenialKind::OriginNotAllowed);
/// assert_eq!(denial.status(), 403);
/// assert_eq!(
///     denial.to_string(),
///     "the origin is not allowed: add it to allow_origins, or to what the policy reads",
/// );
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct Denial {
    kind: DenialKind,
    readable: bool,
    credentials: Option<bool>,
    details: Option<Arc<Details>>,
}

#[derive(Clone, Default)]
struct Details {
    reason: Option<Box<str>>,
    origin: Option<HeaderValue>,
    subject: Option<Box<str>>,
    hint: Option<Hint>,
}

impl Denial {
    /// A denial without details.
    pub fn new(kind: DenialKind) -> Self {
        Self {
            kind,
            readable: false,
            credentials: None,
            details: None,
        }
    }

    /// Adds a reason for the operator. It is logged, so it must not contain secrets.
    pub fn reason(mut self, reason: impl Into<Box<str>>) -> Self {
        self.details_mut().reason = Some(reason.into());
        self
    }

    /// Says the cause and the fix in the policy's own words, for the log, the denial's text and
    /// [explanations](crate::CorsLayer::explain). Without it, they are what the kind says. As a
    /// reason, they must not contain secrets.
    ///
    /// ```
    /// use tower_cors::{Denial, DenialKind};
    ///
    /// let denial = Denial::new(DenialKind::OriginNotAllowed)
    ///     .with_fix("the tenant is suspended", "resume tenant 7");
    /// assert_eq!(denial.to_string(), "the tenant is suspended: resume tenant 7");
    /// ```
    pub fn with_fix(
        self,
        cause: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.with_hint(Hint::Said(Arc::new(Said {
            cause: cause.into(),
            fix: fix.into(),
            code: None,
        })))
    }

    /// Lets the page read the refusal itself: the answer carries `Access-Control-Allow-Origin`,
    /// so that the page can tell an expired token from a network failure.
    ///
    /// Only for an origin that you have verified to be one that the service talks to.
    pub fn readable(mut self) -> Self {
        self.readable = true;
        self
    }

    /// As [`readable`](Self::readable), and says whether a page that sends credentials can read the
    /// refusal, whatever the layer says: as the grant would have said by
    /// [`allow_credentials`](crate::Grant::allow_credentials).
    pub fn readable_with(mut self, credentials: bool) -> Self {
        self.credentials = Some(credentials);
        self.readable()
    }

    /// The kind of denial.
    pub fn kind(&self) -> DenialKind {
        self.kind
    }

    /// The status of the answer when the denial is enforced. A preflight is always answered 403,
    /// and a gRPC client 200 with the status that gRPC has for it.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            DenialKind::InvalidToken | DenialKind::ExpiredToken => StatusCode::UNAUTHORIZED,
            DenialKind::Unavailable | DenialKind::VerdictTimeout => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// The origin that was denied, as it was sent, or `None` if denials are not recorded.
    pub fn origin(&self) -> Option<&HeaderValue> {
        self.details.as_ref()?.origin.as_ref()
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.readable
    }

    pub(crate) fn own_credentials(&self) -> Option<bool> {
        self.credentials
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.details.as_ref()?.subject.as_deref()
    }

    pub(crate) fn own_reason(&self) -> Option<&str> {
        self.details.as_ref()?.reason.as_deref()
    }

    pub(crate) fn with_origin(mut self, origin: Option<&HeaderValue>) -> Self {
        self.details_mut().origin = origin.cloned();
        self
    }

    /// Names the method or header that the denial is about.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.details_mut().subject = Some(subject.into());
        self
    }

    /// Adds what is known beyond the kind.
    pub(crate) fn with_hint(mut self, hint: Hint) -> Self {
        self.details_mut().hint = Some(hint);
        self
    }

    pub(crate) fn hint(&self) -> Option<&Hint> {
        self.details.as_ref()?.hint.as_ref()
    }

    /// The cause and the fix.
    pub(crate) fn sentence(&self) -> Sentence {
        let sent = self.origin().map(HeaderValue::as_bytes);
        sentence::sentence(self.kind, self.hint(), sent)
    }

    fn details_mut(&mut self) -> &mut Details {
        Arc::make_mut(self.details.get_or_insert_default())
    }
}

impl From<DenialKind> for Denial {
    fn from(kind: DenialKind) -> Self {
        Self::new(kind)
    }
}

impl From<Malformed> for Denial {
    fn from(malformed: Malformed) -> Self {
        Self::new(match malformed {
            Malformed::SeveralOrigins => DenialKind::SeveralOrigins,
            Malformed::Origin => DenialKind::MalformedOrigin,
            Malformed::Preflight => DenialKind::MalformedPreflight,
        })
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Untrusted parts are escaped and in quotes; see `escaped`.
        self.sentence().fmt(f)?;
        let Some(details) = &self.details else {
            return Ok(());
        };
        if let Some(subject) = &details.subject {
            write!(f, " (asked for: {})", Quoted(subject.as_bytes()))?;
        }
        if let Some(origin) = &details.origin {
            write!(f, " (origin: {})", Quoted(origin.as_bytes()))?;
        }
        if let Some(reason) = &details.reason {
            write!(f, " ({})", OneLine(reason))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Denial({:?}: {self})", self.kind)
    }
}

/// The kinds of denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialKind {
    /// The policy does not allow the origin.
    OriginNotAllowed,
    /// The origin is `null`, and no policy allows that.
    OpaqueOrigin,
    /// The `Origin` header is not a serialised origin.
    MalformedOrigin,
    /// There are several `Origin` headers.
    SeveralOrigins,
    /// Every policy abstained.
    NoPolicy,
    /// The preflight's request headers are malformed, or beyond a bound.
    MalformedPreflight,
    /// The policy answers no preflights.
    PreflightNotAllowed,
    /// The origin is allowed; the method is not.
    MethodNotAllowed,
    /// The origin is allowed; a request header is not.
    HeaderNotAllowed,
    /// The request carries a token that does not verify, or several different ones.
    InvalidToken,
    /// The request carries an authentic token that has expired.
    ExpiredToken,
    /// A source that the policy needs is out of reach for now.
    Unavailable,
    /// The policy has not answered in the time that the layer gives it.
    VerdictTimeout,
    /// The origin is allowed; the method is too, but in another case.
    MethodCase,
}

impl DenialKind {
    /// A denial of this kind, with a reason for the operator: see [`Denial::reason`].
    ///
    /// ```
    /// use tower_cors::DenialKind;
    ///
    /// let denial = DenialKind::Unavailable.because("tenants: no answer within 2 s");
    /// assert!(denial.to_string().ends_with("(tenants: no answer within 2 s)"));
    /// ```
    pub fn because(self, reason: impl Into<Box<str>>) -> Denial {
        Denial::new(self).reason(reason)
    }
}

impl fmt::Display for DenialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence::of_kind(*self).fmt(f)
    }
}
