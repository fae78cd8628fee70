use std::borrow::Cow;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version, header::HOST};

/// A request without its body, which no decision depends on.
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
        // Several `Host` lines are malformed: do not choose one.
        let mut lines = self.headers.get_all(HOST).iter();
        let host = lines.next()?;
        match lines.next() {
            Some(_) => None,
            None => host.to_str().ok(),
        }
    }

    /// The host that the request is for, in lower case and without its port; `None` where there is
    /// none, or not exactly one.
    ///
    /// [RFC 9112, section 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2): a host and
    /// perhaps a port. A host with user information in front is invalid.
    pub(crate) fn host(&self) -> Option<Cow<'a, str>> {
        let authority = self.authority()?;
        let host = match authority.rsplit_once(':') {
            // The colons of an IPv6 address are in brackets.
            Some((host, port)) if !port.ends_with(']') => port
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(host)?,
            _ => authority,
        };
        let is_valid = |byte: u8| byte.is_ascii_graphic() && !b"@/\\?#,".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_valid) {
            return None;
        }
        Some(if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        })
    }
}

/// A copy of a request without its body, for a decision that waits.
pub(crate) struct OwnedHead(Request<()>);

impl OwnedHead {
    pub(crate) fn view(&self) -> Head<'_> {
        Head::from(&self.0)
    }
}

impl Head<'_> {
    pub(crate) fn to_owned_head(self) -> OwnedHead {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        OwnedHead(request)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn host(target: &str, lines: &[&str]) -> Option<String> {
        let mut request = Request::builder().uri(target);
        for line in lines {
            request = request.header(HOST, *line);
        }
        let request = request.body(()).unwrap();
        Head::from(&request).host().map(Cow::into_owned)
    }

    #[test]
    fn a_host_is_one_name_or_address_without_its_port() {
        for (line, expected) in [
            ("a.example", Some("a.example")),
            ("A.Example:8080", Some("a.example")),
            ("a.example:", Some("a.example")),
            ("[::1]", Some("[::1]")),
            ("[::1]:3000", Some("[::1]")),
            ("", None),
            (":3000", None),
            ("a.example:x", None),
            ("user@a.example", None),
            ("a.example/", None),
            ("a.example\\", None),
            ("a.example?x", None),
            ("a.example#x", None),
            ("a.example,b.example", None),
            ("a.example b.example", None),
        ] {
            assert_eq!(host("/", &[line]).as_deref(), expected, "{line:?}");
        }
        assert_eq!(host("/", &[]), None);
        assert_eq!(host("/", &["a.example", "a.example"]), None);
        let target = "http://a.example/";
        assert_eq!(host(target, &["b.example"]).as_deref(), Some("a.example"));
    }
}
