use http::{HeaderMap, HeaderValue, Method};

use super::malformed::Malformed;
use crate::fetch::{Line, RequestedHeaders, is_forbidden_method};

/// What a preflight asks for ([Fetch, CORS-preflight request]): see
/// [`CorsRequest::preflight`](crate::CorsRequest::preflight).
///
/// [Fetch, CORS-preflight request]: https://fetch.spec.whatwg.org/#cors-preflight-request
#[derive(Debug)]
pub struct Preflight<'a> {
    method: Method,
    method_line: &'a HeaderValue,
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

    /// The method as it was sent, if it can be echoed. A page can ask for a method named `*`, and
    /// echoing it would send a wildcard.
    pub(crate) fn echoed_method(&self) -> Option<&'a HeaderValue> {
        (self.method_line != "*").then_some(self.method_line)
    }

    /// Parses `Access-Control-Request-Method` and `Access-Control-Request-Headers`.
    ///
    /// # Errors
    ///
    /// Several methods, one that is not a token or that pages cannot send, a name that is not a
    /// token, or more than the bounds of [`RequestedHeaders`].
    #[inline(always)]
    pub(crate) fn parse(method: Line<'a>, headers: &'a HeaderMap) -> Result<Self, Malformed> {
        let method_line = match method {
            Line::One(method) if method.len() <= Self::MAX_METHOD_LEN => method,
            Line::One(_) | Line::Several => return Err(Malformed::Preflight),
        };
        let method =
            Method::from_bytes(method_line.as_bytes()).map_err(|_| Malformed::Preflight)?;
        // No browser asks for these, so the preflight does not come from a page.
        if is_forbidden_method(method.as_str()) {
            return Err(Malformed::Preflight);
        }
        let headers = RequestedHeaders::parse(headers).ok_or(Malformed::Preflight)?;
        Ok(Self {
            method,
            method_line,
            headers,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{
        HeaderValue,
        header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD},
    };

    use super::*;

    fn preflight(methods: &[&str], names: &str) -> Result<Method, Malformed> {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, value(names));
        for method in methods {
            headers.append(ACCESS_CONTROL_REQUEST_METHOD, value(method));
        }
        let method = Line::find(&headers, &ACCESS_CONTROL_REQUEST_METHOD).unwrap();
        match Preflight::parse(method, &headers) {
            Ok(preflight) => Ok(preflight.method().clone()),
            Err(malformed) => Err(malformed),
        }
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
            assert_eq!(result, Err(Malformed::Preflight), "{methods:?}");
        }
        assert_eq!(preflight(&["PUT"], "x a"), Err(Malformed::Preflight));
    }
}
