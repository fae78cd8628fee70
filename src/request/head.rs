use http::{Extensions, HeaderMap, Method, Request, Uri, Version, header::HOST};

/// A request without its body.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) version: Version,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    /// The host and port that the request is for: `:authority` in HTTP/2, else the one `Host` line
    /// ([RFC 9110, section 7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2)).
    pub(crate) fn authority(&self) -> Option<&'a str> {
        if let Some(authority) = self.uri.authority() {
            return Some(authority.as_str());
        }
        let mut lines = self.headers.get_all(HOST).iter();
        let host = lines.next()?;
        match lines.next() {
            Some(_) => None,
            None => host.to_str().ok(),
        }
    }
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
