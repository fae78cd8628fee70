use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{
        ACCEPT, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD,
    },
};

use super::{
    failure::Failure,
    fetch::Fetch,
    header_list::get,
    preflight_answer::{DEFAULT_MAX_AGE, PreflightAnswer, Star},
    safelist::unsafe_names,
    tables::is_safelisted_method,
};

impl Fetch {
    /// The preflight that comes first, or `None` where none is needed.
    ///
    /// It is needed for a method other than `GET`, `HEAD` and `POST`, for a header that is not
    /// [safelisted] with its value, and where it is [asked for](Self::use_cors_preflight)
    /// ([Fetch, main fetch], [Fetch, CORS-preflight fetch], steps 1 to 5).
    ///
    /// [safelisted]: https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    /// [Fetch, main fetch]: https://fetch.spec.whatwg.org/#main-fetch
    /// [Fetch, CORS-preflight fetch]: https://fetch.spec.whatwg.org/#cors-preflight-fetch
    pub fn preflight(&self) -> Option<Request<()>> {
        let names = unsafe_names(&self.headers);
        if is_safelisted_method(self.method.as_str())
            && names.is_empty()
            && !self.use_cors_preflight
        {
            return None;
        }
        Some(self.preflight_for(names))
    }

    /// The preflight that asks for these headers, whether or not one is needed.
    pub(super) fn preflight_for(&self, names: Vec<&HeaderName>) -> Request<()> {
        let mut request = self.addressed(Method::OPTIONS, ());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let method = HeaderValue::from_str(self.method.as_str());
        headers.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            method.expect("a method is a token"),
        );
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().map(|name| name.as_str()).collect();
            let names = HeaderValue::from_str(&names.join(","));
            headers.insert(
                ACCESS_CONTROL_REQUEST_HEADERS,
                names.expect("header names are tokens"),
            );
        }
        request
    }

    /// Whether the answer to the preflight lets the request be sent
    /// ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch),
    /// steps 7 and 8).
    ///
    /// # Errors
    ///
    /// The first thing that is in the way, in the standard's order.
    pub fn check_preflight(&self, status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
        PreflightAnswer::read(self, status, headers)?.permits(self, Star::WithoutAuthorization)
    }

    /// How long the answer to a preflight is kept, before the browser's own limit
    /// ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch),
    /// steps 7.8 to 7.10): 5 seconds when it does not say, or says several things or nonsense.
    pub fn preflight_max_age(headers: &HeaderMap) -> Duration {
        let value = get(headers, &ACCESS_CONTROL_MAX_AGE).unwrap_or_default();
        let is_number = value.iter().all(u8::is_ascii_digit);
        let seconds = std::str::from_utf8(&value)
            .ok()
            .filter(|_| is_number)
            .and_then(|value| value.parse().ok());
        seconds.map_or(DEFAULT_MAX_AGE, Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use http::{
        Uri,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        },
    };

    use super::super::fetch::Credentials;
    use crate::origin::Origin;

    use super::*;

    fn fetch(method: &str, names: &[&'static str]) -> Fetch {
        let page: Origin = "https://a.example".parse().unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let fetch = Fetch::new(page, method, Uri::from_static("/x"));
        names.iter().fold(fetch, |fetch, name| {
            fetch.header(HeaderName::from_static(name), HeaderValue::from_static("1"))
        })
    }

    fn answer(pairs: &[(&HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn when_one_is_needed() {
        for method in ["GET", "get", "HEAD", "POST"] {
            assert!(fetch(method, &[]).preflight().is_none(), "{method}");
            assert!(fetch(method, &["accept"]).preflight().is_none());
            assert!(fetch(method, &["x-a"]).preflight().is_some());
        }
        for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "patch", "QUERY"] {
            assert!(fetch(method, &[]).preflight().is_some(), "{method}");
        }
        assert!(fetch("GET", &[]).use_cors_preflight().preflight().is_some());
    }

    #[test]
    fn as_browsers_write_it() {
        let fetch = fetch("patch", &["x-b", "authorization", "x-a", "accept", "x-b"])
            .credentials(Credentials::Include)
            .cookies(HeaderValue::from_static("a=b"));
        let request = fetch.preflight().unwrap();
        assert_eq!(*request.method(), Method::OPTIONS);
        assert_eq!(*request.uri(), "/x");
        let lines: Vec<_> = request.headers().iter().collect();
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            lines,
            [
                ("origin", "https://a.example"),
                ("accept", "*/*"),
                ("access-control-request-method", "patch"),
                ("access-control-request-headers", "authorization,x-a,x-b"),
            ]
        );
        let bare = self::fetch("PUT", &[]).preflight().unwrap();
        assert!(!bare.headers().contains_key(ACCESS_CONTROL_REQUEST_HEADERS));
    }

    const ORIGIN: (&HeaderName, &str) = (&ACCESS_CONTROL_ALLOW_ORIGIN, "https://a.example");
    const CREDENTIALS: (&HeaderName, &str) =
        (&http::header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    const METHODS: &HeaderName = &ACCESS_CONTROL_ALLOW_METHODS;
    const HEADERS: &HeaderName = &ACCESS_CONTROL_ALLOW_HEADERS;

    #[test]
    fn what_the_answer_has_to_say() {
        use Failure as F;
        let method =
            |method: &str| F::MethodNotAllowed(Method::from_bytes(method.as_bytes()).unwrap());
        let header = |name| F::HeaderNotAllowed(HeaderName::from_static(name));
        let put = fetch("PUT", &[]);
        let patch = fetch("patch", &[]);
        let get = fetch("GET", &["x-a"]);
        let token = fetch("GET", &["authorization"]);
        let with = |fetch: &Fetch| fetch.clone().credentials(Credentials::Include);
        let forced = fetch("PUT", &[]).use_cors_preflight();
        for (fetch, status, lines, expected) in [
            (&put, 200, &[(METHODS, "PUT")][..], None),
            (&put, 299, &[(METHODS, "GET, PUT")], None),
            (&put, 204, &[(METHODS, "GET"), (METHODS, "PUT")], None),
            (&put, 204, &[(METHODS, "*")], None),
            (&put, 204, &[(METHODS, "put")], Some(method("PUT"))),
            (&put, 204, &[], Some(method("PUT"))),
            (&forced, 204, &[], None),
            (&forced, 204, &[(METHODS, "GET")], Some(method("PUT"))),
            (&patch, 204, &[(METHODS, "PATCH")], Some(method("patch"))),
            (
                &put,
                301,
                &[(METHODS, "PUT")],
                Some(F::PreflightStatus(StatusCode::MOVED_PERMANENTLY)),
            ),
            (
                &put,
                403,
                &[(METHODS, "PUT")],
                Some(F::PreflightStatus(StatusCode::FORBIDDEN)),
            ),
            (
                &put,
                204,
                &[(METHODS, "PUT, a b")],
                Some(F::MalformedAllowMethods),
            ),
            (
                &put,
                204,
                &[(METHODS, "PUT"), (HEADERS, "a b")],
                Some(F::MalformedAllowHeaders),
            ),
            (&get, 204, &[(HEADERS, "X-A")], None),
            (&get, 204, &[(HEADERS, "*")], None),
            (&get, 204, &[(HEADERS, "x-ab")], Some(header("x-a"))),
            (&get, 204, &[], Some(header("x-a"))),
            (
                &token,
                204,
                &[(HEADERS, "*")],
                Some(header("authorization")),
            ),
            (&token, 204, &[(HEADERS, "*, Authorization")], None),
            (&with(&put), 204, &[CREDENTIALS, (METHODS, "PUT")], None),
            (
                &with(&put),
                204,
                &[CREDENTIALS, (METHODS, "*")],
                Some(method("PUT")),
            ),
            (
                &with(&get),
                204,
                &[CREDENTIALS, (HEADERS, "*")],
                Some(header("x-a")),
            ),
            (
                &with(&put),
                204,
                &[(METHODS, "PUT")],
                Some(F::CredentialsNotAllowed(String::new())),
            ),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let headers = answer(&[&[ORIGIN], lines].concat());
            let result = fetch.check_preflight(status, &headers);
            assert_eq!(result.err(), expected, "{fetch:?} {lines:?}");
        }
    }

    #[test]
    fn the_origin_is_looked_at_first() {
        let result = fetch("PUT", &[]).check_preflight(StatusCode::FORBIDDEN, &HeaderMap::new());
        assert_eq!(result, Err(Failure::MissingAllowOrigin));
    }

    #[test]
    fn max_age() {
        let secs = |lines: &[&'static str]| {
            let pairs: Vec<_> = lines
                .iter()
                .map(|line| (&ACCESS_CONTROL_MAX_AGE, *line))
                .collect();
            Fetch::preflight_max_age(&answer(&pairs)).as_secs()
        };
        assert_eq!(secs(&["600"]), 600);
        assert_eq!(secs(&["0"]), 0);
        for lines in [
            &[][..],
            &[""],
            &["-1"],
            &["+6"],
            &["1.5"],
            &["6", "6"],
            &["6, 6"],
            &["6s"],
        ] {
            assert_eq!(secs(lines), 5, "{lines:?}");
        }
    }
}
