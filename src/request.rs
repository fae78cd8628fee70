//! [`CorsRequest`]: what a policy sees of a request, and the classification that makes one.

use std::fmt;

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};

use crate::{
    origin::RequestOrigin,
    policy::{Denial, DenialKind},
    requested_headers::RequestedHeaders,
};

/// A CORS request: one with an `Origin` header, which is well-formed ([Fetch, CORS request]).
///
/// This is what an [`OriginPolicy`](crate::OriginPolicy) judges. The body is out of reach.
///
/// ```
/// use http::{Method, Request, Response, StatusCode, header};
/// # use std::convert::Infallible;
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{CorsLayer, Denial, DenialKind, Grant, Verdict, policy_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// // Anybody may read below /public; a preflight is judged by the method that it announces.
/// let public = policy_fn(|request| {
///     match request.uri().path().starts_with("/public/") && request.effective_method() == Method::GET {
///         true => Verdict::Allow(Grant::any_origin()),
///         false => Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed)),
///     }
/// });
/// let service = CorsLayer::builder()
///     .origin_policy(public)
///     .build()?
///     .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
/// let preflight = |method| {
///     Request::options("/public/list")
///         .header(header::ORIGIN, "https://example.com")
///         .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
///         .body(())
/// };
/// let response = service.clone().oneshot(preflight("GET")?).await?;
/// assert_eq!(response.status(), StatusCode::NO_CONTENT);
/// let response = service.oneshot(preflight("PUT")?).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
///
/// [Fetch, CORS request]: https://fetch.spec.whatwg.org/#cors-request
#[derive(Clone)]
pub struct CorsRequest<'a> {
    head: Head<'a>,
    origin: &'a RequestOrigin,
    preflight: Option<&'a Preflight<'a>>,
}

impl<'a> CorsRequest<'a> {
    pub(crate) fn new(
        head: Head<'a>,
        origin: &'a RequestOrigin,
        preflight: Option<&'a Preflight<'a>>,
    ) -> Self {
        Self {
            head,
            origin,
            preflight,
        }
    }

    /// The origin that the request comes from. A client that is no browser can claim any.
    pub fn origin(&self) -> &'a RequestOrigin {
        self.origin
    }

    /// What a preflight asks for, or `None` for an actual request.
    pub fn preflight(&self) -> Option<&'a Preflight<'a>> {
        self.preflight
    }

    /// The method that the page sends or, in a preflight, wants to send.
    pub fn effective_method(&self) -> &'a Method {
        match self.preflight {
            Some(preflight) => preflight.method(),
            None => self.head.method,
        }
    }

    /// The request's own method, which is `OPTIONS` in a preflight.
    pub fn method(&self) -> &'a Method {
        self.head.method
    }

    /// The request's target: in a preflight the actual request's one, with its query.
    pub fn uri(&self) -> &'a Uri {
        self.head.uri
    }

    /// The HTTP version.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The request's headers. A preflight carries neither `Authorization` nor cookies.
    pub fn headers(&self) -> &'a HeaderMap {
        self.head.headers
    }

    /// What outer layers have left.
    pub fn extensions(&self) -> &'a Extensions {
        self.head.extensions
    }

    /// Host and port that the request is for.
    #[cfg(feature = "token")]
    pub(crate) fn authority(&self) -> Option<&'a str> {
        crate::same_origin::authority(&self.head)
    }

    pub(crate) fn to_kept(&self) -> KeptRequest {
        KeptRequest {
            method: self.head.method.clone(),
            uri: self.head.uri.clone(),
            version: self.head.version,
            headers: self.head.headers.clone(),
            extensions: self.head.extensions.clone(),
            origin: self.origin.clone(),
            is_preflight: self.preflight.is_some(),
        }
    }
}

/// Headers, URL and extensions may hold tokens: they are not printed.
impl fmt::Debug for CorsRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorsRequest")
            .field("method", self.head.method)
            .field("origin", self.origin)
            .field("preflight", &self.preflight)
            .finish_non_exhaustive()
    }
}

/// What a policy has to keep of a request while it waits: everything, since it may ask another.
pub(crate) struct KeptRequest {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    extensions: Extensions,
    origin: RequestOrigin,
    is_preflight: bool,
}

impl KeptRequest {
    pub(crate) fn with<R>(&self, look: impl FnOnce(&CorsRequest<'_>) -> R) -> R {
        let head = Head {
            method: &self.method,
            uri: &self.uri,
            version: self.version,
            headers: &self.headers,
            extensions: &self.extensions,
        };
        // The headers were parsed before they were kept, so this is the same preflight again.
        let preflight = match self.is_preflight {
            true => announced_method(&head)
                .and_then(|method| Preflight::parse(method, &self.headers).ok()),
            false => None,
        };
        look(&CorsRequest::new(head, &self.origin, preflight.as_ref()))
    }
}

/// A request without its body.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) version: Version,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

#[cfg(feature = "token")]
impl<'a> From<&'a http::request::Parts> for Head<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// What a preflight asks for ([Fetch, CORS-preflight request]): see [`CorsRequest::preflight`].
///
/// [Fetch, CORS-preflight request]: https://fetch.spec.whatwg.org/#cors-preflight-request
#[derive(Debug)]
pub struct Preflight<'a> {
    method: Method,
    headers: RequestedHeaders<'a>,
}

impl<'a> Preflight<'a> {
    /// The most bytes of a method that is read; no registered one has more than 17.
    pub const MAX_METHOD_LEN: usize = 128;

    /// The method of the request to come: `Access-Control-Request-Method`.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The names of the headers of the request to come: `Access-Control-Request-Headers`.
    pub fn headers(&self) -> &RequestedHeaders<'a> {
        &self.headers
    }

    /// Parses the request headers that make a preflight one.
    ///
    /// # Errors
    ///
    /// Several methods, one that is no token or that pages cannot send, a name that is no token,
    /// or more than the bounds of [`RequestedHeaders`].
    #[inline(always)]
    pub(crate) fn parse(method: Line<'a>, headers: &'a HeaderMap) -> Result<Self, Denial> {
        let malformed = || Denial::new(DenialKind::MalformedPreflight);
        let method = match method {
            Line::One(method) if method.len() <= Self::MAX_METHOD_LEN => method,
            Line::One(_) | Line::Several => return Err(malformed()),
        };
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed())?;
        if is_forbidden_method(method.as_str()) {
            return Err(malformed());
        }
        let headers = RequestedHeaders::parse(headers).ok_or_else(malformed)?;
        Ok(Self { method, headers })
    }
}

/// What kind of request it is, as far as CORS is concerned, and the lines that make it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// No `Origin` header.
    NotCors,
    /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    Preflight {
        origin: SentOrigin<'a>,
        method: Line<'a>,
    },
    /// Any other request with `Origin`, a plain `OPTIONS` too.
    Actual(SentOrigin<'a>),
}

#[inline(always)]
pub(crate) fn classify<'a>(head: &Head<'a>) -> Kind<'a> {
    // https://fetch.spec.whatwg.org/#cors-request
    let Some(origin) = SentOrigin::find(head.headers) else {
        return Kind::NotCors;
    };
    match announced_method(head) {
        Some(method) => Kind::Preflight { origin, method },
        None => Kind::Actual(origin),
    }
}

/// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>; methods are case-sensitive. Whether
/// there is an `Origin` is another question.
#[inline]
pub(crate) fn announced_method<'a>(head: &Head<'a>) -> Option<Line<'a>> {
    match *head.method == Method::OPTIONS {
        true => Line::find(head.headers, &ACCESS_CONTROL_REQUEST_METHOD),
        false => None,
    }
}

/// The `Origin` of a request, which nobody has parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SentOrigin<'a>(Line<'a>);

impl<'a> SentOrigin<'a> {
    #[inline]
    pub(crate) fn find(headers: &'a HeaderMap) -> Option<Self> {
        Line::find(headers, &ORIGIN).map(Self)
    }

    /// The one line.
    ///
    /// # Errors
    ///
    /// When there are several.
    pub(crate) fn single(self) -> Result<&'a HeaderValue, Denial> {
        match self.0 {
            Line::One(value) => Ok(value),
            Line::Several => Err(Denial::new(DenialKind::SeveralOrigins)),
        }
    }

    /// The request's one origin.
    ///
    /// # Errors
    ///
    /// When there are several `Origin` lines, or one that is not exactly one serialised origin.
    pub(crate) fn parse(self) -> Result<RequestOrigin, Denial> {
        RequestOrigin::from_header(self.single()?)
            .map_err(|_| Denial::new(DenialKind::MalformedOrigin))
    }
}

/// A header that is there and should be there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    One(&'a HeaderValue),
    Several,
}

impl<'a> Line<'a> {
    #[inline]
    pub(crate) fn find(headers: &'a HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).iter();
        // Where there is one line, it is known to be the only one, which spares a look for a second.
        let is_one = lines.size_hint().1 == Some(1);
        let first = lines.next()?;
        Some(match is_one || lines.next().is_none() {
            true => Self::One(first),
            false => Self::Several,
        })
    }
}

/// <https://fetch.spec.whatwg.org/#forbidden-method>
pub(crate) fn is_forbidden_method(method: &str) -> bool {
    ["CONNECT", "TRACE", "TRACK"]
        .iter()
        .any(|forbidden| method.eq_ignore_ascii_case(forbidden))
}

#[cfg(test)]
mod tests {
    use http::header::ACCESS_CONTROL_REQUEST_HEADERS;

    use super::*;

    fn preflight(methods: &[&str], names: &str) -> Result<Method, DenialKind> {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, value(names));
        for method in methods {
            headers.append(ACCESS_CONTROL_REQUEST_METHOD, value(method));
        }
        let method = Line::find(&headers, &ACCESS_CONTROL_REQUEST_METHOD).unwrap();
        match Preflight::parse(method, &headers) {
            Ok(preflight) => Ok(preflight.method().clone()),
            Err(denial) => Err(denial.kind()),
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let request = Request::get("/feeds/secret?access_token=secret")
            .header(http::header::AUTHORIZATION, "Bearer secret")
            .header(http::header::COOKIE, "session=secret")
            .body(())
            .unwrap();
        let origin: crate::Origin = "https://app.example".parse().unwrap();
        let origin = RequestOrigin::from(origin);
        let request = CorsRequest::new(Head::from(&request), &origin, None);
        assert_eq!(
            format!("{request:?}"),
            "CorsRequest { method: GET, origin: Tuple(Origin(\"https://app.example\")), \
             preflight: None, .. }",
        );
    }

    #[test]
    fn one_method_within_bounds() {
        let longest = "A".repeat(Preflight::MAX_METHOD_LEN);
        for method in ["PUT", "patch", "*", "CHICKEN", &longest] {
            assert_eq!(preflight(&[method], "x-a").unwrap(), *method);
        }
        let longer = format!("{longest}A");
        for methods in [
            &[""][..],
            &[" PUT"],
            &["A B"],
            &["PUT,GET"],
            &["connect"],
            &["TRACE"],
            &["Track"],
            &["PUT", "PUT"],
            &[&longer],
        ] {
            let result = preflight(methods, "x-a");
            assert_eq!(result, Err(DenialKind::MalformedPreflight), "{methods:?}");
        }
        assert_eq!(
            preflight(&["PUT"], "x a"),
            Err(DenialKind::MalformedPreflight)
        );
    }
}
