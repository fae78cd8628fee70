//! [`PageRequest`]: what a page passes to `fetch()`.

use http::{HeaderName, HeaderValue};
use hyper::body::Bytes;

use super::{Browser, forbidden::is_forbidden, method::normalize, safelist::unsafe_names};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PageRequest {
    /// Normalised.
    pub(crate) method: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    /// Credentials mode `include`.
    pub(crate) credentials: bool,
    pub(crate) cookies: Option<HeaderValue>,
    /// Something else asks for a preflight: upload listeners, or a body that is a stream.
    pub(crate) listens: bool,
    /// Names that the page cannot set.
    pub(crate) dropped: Vec<String>,
    /// Subprotocols, for WebSockets.
    pub(crate) protocols: Option<HeaderValue>,
}

impl PageRequest {
    /// # Errors
    ///
    /// `fetch()` throws a `TypeError`: the text says why.
    pub(crate) fn new(
        method: Option<&str>,
        headers: &[(String, String)],
        body: Option<Bytes>,
        browser: Browser,
    ) -> Result<Self, String> {
        let method = normalize(method.unwrap_or(if body.is_some() { "POST" } else { "GET" }));
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            return Err(format!(
                "method {method:?}: fetch() takes none with such characters"
            ));
        }
        if body.is_some() && matches!(method.as_str(), "GET" | "HEAD") {
            return Err(format!("method {method:?}: fetch() takes no body with it"));
        }
        let mut request = Self {
            method,
            body,
            ..Self::default()
        };
        for (name, value) in headers {
            request.set(name, value, browser)?;
        }
        request.set_default_type();
        Ok(request)
    }

    /// The names that a preflight announces, in lower case and sorted.
    pub(crate) fn unsafe_names(&self, browser: Browser) -> Vec<String> {
        unsafe_names(&self.headers, browser)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(n, _)| n.as_str() == name);
        named.next().and_then(|(_, value)| value.to_str().ok())
    }

    pub(crate) fn is_grpc_web(&self) -> bool {
        self.header("content-type")
            .is_some_and(|value| value.starts_with("application/grpc-web"))
    }

    /// Whether the page expects an API: it sends JSON or accepts it, and asks for no page.
    pub(crate) fn speaks_json(&self) -> bool {
        let is_json = |name| {
            self.header(name)
                .is_some_and(|value| value.contains("json"))
        };
        let asks_for_page = self
            .header("accept")
            .is_some_and(|v| v.contains("text/html"));
        is_json("content-type") || is_json("accept") && !asks_for_page
    }

    fn set(&mut self, name: &str, value: &str, browser: Browser) -> Result<(), String> {
        let lower = name.to_ascii_lowercase();
        let header = HeaderName::try_from(lower.as_str())
            // In `X-Api-Key abc:def` the text before the colon has a part of a secret.
            .map_err(|_| "header: no header has such a name: write 'Name: value'")?;
        let parsed = HeaderValue::try_from(value.trim()).map_err(|_| {
            format!("header {name:?}: its value has a character that none may have")
        })?;
        if lower == "sec-websocket-protocol" {
            let joined = match self.protocols.take() {
                Some(first) => join(name, &first, &parsed)?,
                None => parsed,
            };
            self.protocols = Some(joined);
        } else if is_forbidden(&lower, value, browser) {
            self.dropped.push(name.to_owned());
        } else if let Some((_, first)) = self.headers.iter_mut().find(|(n, _)| *n == header) {
            // Chromium joins lines of one name before it looks at the value.
            *first = join(name, first, &parsed)?;
        } else {
            self.headers.push((header, parsed));
        }
        Ok(())
    }

    /// A string as body brings its own type along
    /// (<https://fetch.spec.whatwg.org/#concept-bodyinit-extract>); bytes do not.
    fn set_default_type(&mut self) {
        let is_text = self
            .body
            .as_ref()
            .is_some_and(|body| std::str::from_utf8(body).is_ok() && !body.contains(&0));
        if is_text && self.header("content-type").is_none() {
            let value = HeaderValue::from_static("text/plain;charset=UTF-8");
            self.headers.push((http::header::CONTENT_TYPE, value));
        }
    }
}

fn join(name: &str, first: &HeaderValue, second: &HeaderValue) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(&[first.as_bytes(), b", ", second.as_bytes()].concat())
        .map_err(|_| format!("header {name:?}: its values cannot be joined"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_body_brings_method_and_type_along() {
        let body = Some(Bytes::from_static(b"x"));
        let request = PageRequest::new(None, &[], body.clone(), Browser::Chromium).unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.header("content-type"),
            Some("text/plain;charset=UTF-8")
        );
        assert!(request.unsafe_names(Browser::Chromium).is_empty());
        assert!(PageRequest::new(Some("get"), &[], body, Browser::Chromium).is_err());
    }

    #[test]
    fn headers_are_dropped_joined_and_refused() {
        let headers = [
            header("Cookie", "a=b"),
            header("X-A", " 1 "),
            header("x-a", "2"),
            header("Sec-WebSocket-Protocol", "a"),
            header("sec-websocket-protocol", "b"),
        ];
        let request = PageRequest::new(None, &headers, None, Browser::Chromium).unwrap();
        assert_eq!(request.protocols, Some(HeaderValue::from_static("a, b")));
        assert_eq!(request.dropped, ["Cookie"]);
        assert_eq!(request.header("x-a"), Some("1, 2"));
        for bad in [header("x y", "1"), header("x", "a\nb")] {
            assert!(PageRequest::new(None, &[bad], None, Browser::Chromium).is_err());
        }
    }

    #[test]
    fn a_page_that_asks_for_html_speaks_no_json() {
        let speaks = |headers: &[(String, String)]| {
            PageRequest::new(None, headers, None, Browser::Chromium)
                .unwrap()
                .speaks_json()
        };
        assert!(speaks(&[header(
            "accept",
            "application/json, text/plain, */*"
        )]));
        assert!(speaks(&[header("content-type", "application/ld+json")]));
        assert!(!speaks(&[header("accept", "text/html, application/json")]));
        assert!(!speaks(&[]));
    }
}
