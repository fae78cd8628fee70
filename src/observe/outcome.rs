use std::fmt;

/// What came of a request, as far as CORS is concerned.
///
/// ```
/// use tower_cors::observe::Outcome;
///
/// assert!(Outcome::Allowed.is_allowed());
/// assert!(!Outcome::Forwarded.is_allowed());
/// assert_eq!(Outcome::Forwarded.as_str(), "forwarded");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// There is no `Origin` header, so that nothing was judged.
    NotCors,
    /// The origin may use the service, and a preflight announces what its request may have.
    Allowed,
    /// The origin is not allowed by the configuration, and is the service's own: the browser lets
    /// the page read the response without any header.
    OwnOrigin,
    /// The answer names the one origin of
    /// [`always_allow_origin`](crate::CorsLayerBuilder::always_allow_origin), and the request has
    /// another: the browser keeps the response from the page.
    AnotherOrigin,
    /// The origin is allowed; a preflight asks for a method or header that is not. The browser
    /// compares, and does not send the request.
    AnsweredWithLess,
    /// The origin is denied, and the inner service was called all the same: see
    /// [`DeniedRequests::Forward`](crate::DeniedRequests::Forward). The browser keeps the response
    /// from the page.
    Forwarded,
    /// The layer has refused the request, or the preflight. The inner service was not called.
    Refused,
}

impl Outcome {
    /// Whether the page gets what it asks for.
    pub fn is_allowed(self) -> bool {
        match self {
            Self::NotCors | Self::Allowed | Self::OwnOrigin => true,
            Self::AnotherOrigin | Self::AnsweredWithLess | Self::Forwarded | Self::Refused => false,
        }
    }

    /// A name for labels and logs, such as `answered_with_less`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCors => "not_cors",
            Self::Allowed => "allowed",
            Self::OwnOrigin => "own_origin",
            Self::AnotherOrigin => "another_origin",
            Self::AnsweredWithLess => "answered_with_less",
            Self::Forwarded => "forwarded",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCors => "not a CORS request",
            Self::Allowed => "allowed",
            Self::OwnOrigin => "forwarded, since it comes from the service's own page",
            Self::AnotherOrigin => "answered for the one origin that is always allowed",
            Self::AnsweredWithLess => "answered with less than it asks for",
            Self::Forwarded => "forwarded, its response not for the page",
            Self::Refused => "refused",
        })
    }
}
