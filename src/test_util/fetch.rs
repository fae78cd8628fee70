use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, COOKIE, HOST, ORIGIN},
};

use super::{
    failure::Failure,
    tables::{is_forbidden_method, is_forbidden_request_header},
};
use crate::origin::RequestOrigin;

/// A request that a page makes with `fetch()` to another origin.
///
/// The mode is `cors` and credentials are omitted unless it is told otherwise.
///
/// ```
/// use http::{HeaderValue, Method, header};
/// use tower_cors::{Origin, test_util::Fetch};
///
/// let page: Origin = "https://app.example.com".parse()?;
/// let get = Fetch::new(page, Method::GET, "/".parse()?);
/// assert!(get.preflight().is_none());
///
/// let json = HeaderValue::from_static("application/json");
/// let preflight = get.header(header::CONTENT_TYPE, json).preflight().unwrap();
/// assert_eq!(preflight.method(), Method::OPTIONS);
/// assert_eq!(preflight.headers()["access-control-request-headers"], "content-type");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct Fetch {
    pub(super) origin: RequestOrigin,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// What the page has set.
    pub(super) headers: HeaderMap,
    pub(super) credentials: Credentials,
    /// <https://fetch.spec.whatwg.org/#use-cors-preflight-flag>
    pub(super) use_cors_preflight: bool,
    cookies: Option<HeaderValue>,
}

/// A request's credentials mode
/// ([Fetch](https://fetch.spec.whatwg.org/#concept-request-credentials-mode)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the Fetch standard has these three"
)]
pub enum Credentials {
    /// Never.
    Omit,
    /// Only to the page's own origin, which is the default of `fetch()`; across origins it is the
    /// same as [`Omit`](Self::Omit).
    #[default]
    SameOrigin,
    /// Always.
    Include,
}

impl Fetch {
    /// A request of a page of this origin, or of an opaque one.
    ///
    /// The method is [normalised]: `put` becomes `PUT`, but `patch` stays as it is.
    ///
    /// [normalised]: https://fetch.spec.whatwg.org/#concept-method-normalize
    pub fn new(origin: impl Into<RequestOrigin>, method: Method, uri: Uri) -> Self {
        Self {
            origin: origin.into(),
            method: normalise(method),
            uri,
            headers: HeaderMap::new(),
            credentials: Credentials::default(),
            use_cors_preflight: false,
            cookies: None,
        }
    }

    /// Adds a header that the page sets. As in a browser, a [forbidden] one is left out without a
    /// word.
    ///
    /// [forbidden]: https://fetch.spec.whatwg.org/#forbidden-request-header
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if !is_forbidden_request_header(name.as_str()) && !overrides_the_method(&name, &value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets the credentials mode.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The cookies that the browser keeps for the service: they go with the request, and never
    /// with the preflight, when credentials are included.
    pub fn cookies(mut self, cookies: HeaderValue) -> Self {
        self.cookies = Some(cookies);
        self
    }

    /// Has a preflight come first in any case, as with upload listeners and streamed bodies
    /// ([Fetch](https://fetch.spec.whatwg.org/#use-cors-preflight-flag)).
    pub fn use_cors_preflight(mut self) -> Self {
        self.use_cors_preflight = true;
        self
    }

    /// The request itself, as it is sent when no preflight is needed or the preflight has passed.
    ///
    /// # Errors
    ///
    /// When the method is a [forbidden](https://fetch.spec.whatwg.org/#forbidden-method) one.
    pub fn request<B>(&self, body: B) -> Result<Request<B>, Failure> {
        if is_forbidden_method(self.method.as_str()) {
            return Err(Failure::ForbiddenMethod(self.method.clone()));
        }
        let mut request = self.addressed(self.method.clone(), body);
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        // https://fetch.spec.whatwg.org/#fetching, step 12
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        }
        if let (true, Some(cookies)) = (self.includes_credentials(), &self.cookies) {
            headers.insert(COOKIE, cookies.clone());
        }
        Ok(request)
    }

    /// A request with this address, and the origin that it comes from
    /// (<https://fetch.spec.whatwg.org/#append-a-request-origin-header>).
    pub(super) fn addressed<B>(&self, method: Method, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        // As HTTP/1.1 writes it: the path in the request line, the authority in `Host`.
        let target = self.uri.path_and_query().cloned();
        *request.uri_mut() = target.map(Uri::from).unwrap_or_default();
        let headers = request.headers_mut();
        let authority = self.uri.authority().map(|authority| authority.as_str());
        if let Some(Ok(host)) = authority.map(HeaderValue::from_str) {
            headers.insert(HOST, host);
        }
        headers.insert(ORIGIN, self.origin.clone().into_header_value());
        request
    }

    pub(super) fn includes_credentials(&self) -> bool {
        self.credentials == Credentials::Include
    }
}

pub(super) fn normalise(method: Method) -> Method {
    let known = [
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::PUT,
    ];
    known
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(method.as_str()))
        .unwrap_or(method)
}

/// The part of <https://fetch.spec.whatwg.org/#forbidden-request-header> that looks at values.
fn overrides_the_method(name: &HeaderName, value: &HeaderValue) -> bool {
    let overrides = [
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    ];
    overrides.contains(&name.as_str())
        && value
            .as_bytes()
            .split(|&byte| byte == b',')
            .filter_map(|method| std::str::from_utf8(method).ok())
            .any(|method| is_forbidden_method(method.trim_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use crate::origin::Origin;

    use super::*;

    fn page() -> Origin {
        "https://a.example".parse().unwrap()
    }

    fn fetch(method: &str) -> Fetch {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Fetch::new(
            page(),
            method,
            "https://api.example:8443/x?q".parse().unwrap(),
        )
    }

    fn headers(request: &Request<()>) -> Vec<(&str, &str)> {
        let headers = request.headers().iter();
        headers
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn six_methods_are_normalised() {
        for (method, expected) in [
            ("delete", "DELETE"),
            ("Get", "GET"),
            ("head", "HEAD"),
            ("options", "OPTIONS"),
            ("pOST", "POST"),
            ("put", "PUT"),
            ("patch", "patch"),
            ("query", "query"),
        ] {
            assert_eq!(fetch(method).method, expected, "{method}");
        }
    }

    #[test]
    fn the_request_carries_its_origin_and_cookies_only_when_included() {
        let fetch = fetch("GET").cookies(HeaderValue::from_static("a=b"));
        let request = fetch.request(()).unwrap();
        assert_eq!(*request.uri(), "/x?q");
        let plain = [
            ("host", "api.example:8443"),
            ("origin", "https://a.example"),
            ("accept", "*/*"),
        ];
        assert_eq!(headers(&request), plain);
        let request = fetch.credentials(Credentials::Include).request(()).unwrap();
        assert_eq!(
            headers(&request),
            [&plain[..], &[("cookie", "a=b")]].concat()
        );
    }

    #[test]
    fn opaque_origins_are_null() {
        let fetch = Fetch::new(RequestOrigin::Opaque, Method::GET, Uri::from_static("/"));
        assert_eq!(fetch.request(()).unwrap().headers()[ORIGIN], "null");
    }

    #[test]
    fn what_is_forbidden_is_not_sent() {
        for method in ["CONNECT", "trace", "Track"] {
            let failure = fetch(method).request(()).unwrap_err();
            assert!(matches!(failure, Failure::ForbiddenMethod(_)), "{method}");
        }
        let value = HeaderValue::from_static;
        let fetch = fetch("GET")
            .header(COOKIE, value("a=b"))
            .header(HeaderName::from_static("sec-x"), value("1"))
            .header(
                HeaderName::from_static("x-method-override"),
                value("put, trace"),
            )
            .header(
                HeaderName::from_static("x-http-method-override"),
                value("PUT"),
            );
        let names: Vec<_> = fetch.headers.keys().collect();
        assert_eq!(names, ["x-http-method-override"]);
    }
}
