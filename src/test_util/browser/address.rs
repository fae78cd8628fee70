//! [`Address`]: the part of the [URL standard](https://url.spec.whatwg.org/) that tests need.

use std::fmt;

use http::{HeaderValue, uri::PathAndQuery};

use crate::{
    debug_as_display::debug_as_display,
    origin::{Origin, RequestOrigin},
};

/// Why a text is not the URL of a page or a service.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not a URL that a test can use: {why}")]
pub struct InvalidUrl {
    url: String,
    why: &'static str,
}

debug_as_display!(InvalidUrl);

/// A URL without user information and fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    scheme: String,
    /// In lower case, and an IPv6 address in brackets.
    host: String,
    /// `None` where it is the scheme's own.
    port: Option<u16>,
    path_and_query: PathAndQuery,
    /// The URL had a user name or a password.
    has_credentials: bool,
}

impl Address {
    /// Parses a whole URL.
    pub(super) fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let wrong = |why| InvalidUrl {
            url: url.to_owned(),
            why,
        };
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| wrong("it has no scheme and host"))?;
        let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.bytes().all(is_scheme_byte)
        {
            return Err(wrong("its scheme is not one"));
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, rest)) => (user, rest),
            None => ("", authority),
        };
        let (host, port) = match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (host_and_port, ""),
        };
        if !is_host(host) {
            return Err(wrong("its host is not one in ASCII"));
        }
        let scheme = scheme.to_ascii_lowercase();
        let port = match port {
            "" => None,
            digits => Some(digits.parse().map_err(|_| wrong("its port is not one"))?),
        };
        let path = path.split('#').next().unwrap_or_default();
        let address = Self {
            port: port.filter(|port| Some(*port) != default_port(&scheme)),
            scheme,
            host: host.to_ascii_lowercase(),
            path_and_query: absolute(path).ok_or_else(|| wrong("its path has other characters"))?,
            has_credentials: !user.is_empty(),
        };
        // A browser would write such a host in another way, and the test would judge a page of `null`.
        if address.is_http() && address.origin() == RequestOrigin::Opaque {
            return Err(wrong("its host is not written as browsers write it"));
        }
        Ok(address)
    }

    /// Parses a URL as it stands in this page, or in a `Location` of this URL.
    pub(super) fn join(&self, reference: &str) -> Result<Self, InvalidUrl> {
        let reference = reference.trim_matches(|c: char| c <= ' ');
        if let Some((scheme, _)) = reference.split_once(':')
            && !scheme.contains(['/', '?', '#'])
        {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme));
        }
        let own_path = self.path_and_query.path();
        let reference = reference.split('#').next().unwrap_or_default();
        let path = if reference.is_empty() {
            self.path_and_query.to_string()
        } else if reference.starts_with('/') {
            reference.to_owned()
        } else if reference.starts_with('?') {
            format!("{own_path}{reference}")
        } else {
            let folder = own_path.rfind('/').map_or(0, |slash| slash + 1);
            format!("{}{reference}", &own_path[..folder])
        };
        let path_and_query = absolute(&path).ok_or_else(|| InvalidUrl {
            url: reference.to_owned(),
            why: "its path has other characters",
        })?;
        Ok(Self {
            path_and_query,
            has_credentials: false,
            ..self.clone()
        })
    }

    /// The URL's origin, serialised as the [HTML standard] has it.
    ///
    /// [HTML standard]: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
    pub(super) fn origin(&self) -> RequestOrigin {
        let text = format!("{}://{}", self.scheme, self.authority());
        let value = HeaderValue::try_from(text).ok();
        // `file:` and the like have no origin that a server could know.
        match value.as_ref().map(Origin::from_header) {
            Some(Ok(origin)) if self.scheme != "file" => origin.into(),
            _ => RequestOrigin::Opaque,
        }
    }

    pub(super) fn is_same_origin(&self, other: &Self) -> bool {
        (&self.scheme, &self.host, self.port) == (&other.scheme, &other.host, other.port)
    }

    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }

    /// The host, and the port where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(&*self.scheme, "http" | "https")
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// Whether nobody on the network can read or write what is exchanged
    /// (<https://w3c.github.io/webappsec-secure-contexts/#potentially-trustworthy-origin>).
    pub(super) fn is_trustworthy(&self) -> bool {
        let host = &*self.host;
        self.scheme == "https"
            || host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || (host.starts_with("127.") && host.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.scheme,
            self.authority(),
            self.path_and_query
        )
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn is_host(host: &str) -> bool {
    if let Some(ipv6) = host.strip_prefix('[') {
        return ipv6.strip_suffix(']').is_some_and(|ipv6| {
            ipv6.contains(':') && ipv6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        });
    }
    let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(is_host_byte)
}

/// A path that begins with a slash and has no `.` and `..` segments, and the query.
fn absolute(path: &str) -> Option<PathAndQuery> {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." if is_last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop();
                if is_last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    let mut text = format!("/{}", segments.join("/"));
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_urls() {
        for (url, expected, origin) in [
            (
                "https://a.example",
                "https://a.example/",
                "https://a.example",
            ),
            (
                "HTTPS://A.example:443/X?y#z",
                "https://a.example/X?y",
                "https://a.example",
            ),
            (
                "http://localhost:3000/a/../b",
                "http://localhost:3000/b",
                "http://localhost:3000",
            ),
            ("http://[::1]:80", "http://[::1]/", "http://[::1]"),
            (
                "tauri://localhost",
                "tauri://localhost/",
                "tauri://localhost",
            ),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.to_string(), expected);
            let value = address.origin().into_header_value();
            assert_eq!(value, origin, "{url}");
        }
        for url in [
            "",
            "a.example",
            "https://",
            "https://a b",
            "https://a.example:x",
            "1://a",
            "https://[0:0::1]",
            "https://127.1",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
        assert!(
            Address::parse("https://u:p@a.example/")
                .unwrap()
                .has_credentials()
        );
    }

    #[test]
    fn references() {
        let base = Address::parse("https://a.example/x/y?q").unwrap();
        for (reference, expected) in [
            ("", "https://a.example/x/y?q"),
            ("/z", "https://a.example/z"),
            ("z?r", "https://a.example/x/z?r"),
            ("../z", "https://a.example/z"),
            ("./", "https://a.example/x/"),
            ("?r", "https://a.example/x/y?r"),
            ("//b.example/", "https://b.example/"),
            (" http://b.example:8080/ ", "http://b.example:8080/"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expected);
        }
        assert!(base.join("javascript:alert(1)").is_err());
    }
}
