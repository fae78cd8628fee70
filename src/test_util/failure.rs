use http::{HeaderName, Method, StatusCode};

use crate::debug_as_display::debug_as_display;

/// Why a page cannot make a request, or cannot read the answer; as a browser's console says it.
///
/// ```
/// use tower_cors::test_util::Failure;
///
/// assert_eq!(
///     Failure::MissingAllowOrigin.to_string(),
///     "no 'Access-Control-Allow-Origin' header is present on the requested resource",
/// );
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The URL given to `fetch()` is not one of `http` or `https`, or has a user name in it.
    #[error("{0:?} cannot be fetched")]
    InvalidUrl(String),
    /// The method given to `fetch()` is not valid.
    #[error("{0:?} is not a valid HTTP method")]
    InvalidMethod(String),
    /// A header given to `fetch()` is not valid.
    #[error("the name or the value of the header {0:?} is not valid")]
    InvalidHeader(String),
    /// `GET` and `HEAD` have no body.
    #[error("a request with the method {0} cannot have a body")]
    BodyNotAllowed(Method),
    /// The mode `no-cors` takes `GET`, `HEAD` and `POST` alone.
    #[error("'{0}' is unsupported in no-cors mode")]
    MethodNotSafelisted(Method),
    /// A [method](https://fetch.spec.whatwg.org/#forbidden-method) that no page can send.
    #[error("'{0}' HTTP method is unsupported")]
    ForbiddenMethod(Method),
    /// The answer does not say who may read it.
    #[error("no 'Access-Control-Allow-Origin' header is present on the requested resource")]
    MissingAllowOrigin,
    /// There are several values; together they do not name an origin.
    #[error(
        "the 'Access-Control-Allow-Origin' header contains multiple values '{0}', but only one \
         is allowed"
    )]
    SeveralAllowOrigin(String),
    /// `*`, where credentials are included.
    #[error(
        "the value of the 'Access-Control-Allow-Origin' header in the response must not be the \
         wildcard '*' when the request's credentials mode is 'include'"
    )]
    AnyOriginWithCredentials,
    /// Another origin than the page's, or the same in another spelling.
    #[error(
        "the 'Access-Control-Allow-Origin' header has a value '{0}' that is not equal to the \
         supplied origin"
    )]
    OtherOrigin(String),
    /// Credentials are included, and the answer does not allow it.
    #[error(
        "the value of the 'Access-Control-Allow-Credentials' header in the response is '{0}' \
         which must be 'true' when the request's credentials mode is 'include'"
    )]
    CredentialsNotAllowed(String),
    /// The preflight was answered with something else than 200 to 299; redirects fail, too.
    #[error("it does not have HTTP ok status, but {0}")]
    PreflightStatus(StatusCode),
    /// `Access-Control-Allow-Methods` is not a list of methods, so that nothing in it counts.
    #[error(
        "cannot parse Access-Control-Allow-Methods response header field in preflight response"
    )]
    MalformedAllowMethods,
    /// `Access-Control-Allow-Headers` is not a list of names, so that nothing in it counts.
    #[error(
        "cannot parse Access-Control-Allow-Headers response header field in preflight response"
    )]
    MalformedAllowHeaders,
    /// The preflight's answer does not name the method.
    #[error("method {0} is not allowed by Access-Control-Allow-Methods in preflight response")]
    MethodNotAllowed(Method),
    /// The preflight's answer does not name the header.
    #[error(
        "request header field {0} is not allowed by Access-Control-Allow-Headers in preflight \
         response"
    )]
    HeaderNotAllowed(HeaderName),
    /// The target of a redirect is not a URL of `http` or `https`, or there are several.
    #[error("redirected to {0:?}, which is not a URL that can be fetched")]
    InvalidRedirect(String),
    /// A redirect across origins leads to a URL with a user name or a password.
    #[error("redirected to a URL with credentials, which is not allowed for cross-origin requests")]
    RedirectWithCredentials,
    /// The answer is for no script: see [`Outcome::Opaque`](super::Outcome::Opaque).
    #[error("the answer is opaque")]
    Opaque,
    /// More than 20 redirects.
    #[error("redirected too many times")]
    TooManyRedirects,
}

debug_as_display!(Failure);
