//! [`Origin`]: a web origin, parsed once, which keeps the bytes that were sent.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use http::HeaderValue;

use super::{
    error::{OriginError, OriginErrorKind},
    grammar::Parts,
    host::is_loopback_host,
    suggest,
};

/// A web origin: scheme, host and port, in the one spelling that browsers send.
///
/// This is the *tuple origin* of [RFC 6454, section 4] and the [HTML standard], in the ASCII
/// serialisation that an `Origin` header carries. Parsing is strict: a spelling that no browser
/// sends is an error. So two origins are equal exactly if their bytes are. The opaque origin, which
/// is sent as `null`, is not an `Origin`: see [`RequestOrigin`].
///
/// Parsing a header value allocates nothing. The `Origin` keeps the value, and a response that
/// grants it sends back the same bytes.
///
/// ```
/// use tower_cors::Origin;
///
/// let origin: Origin = "https://app.example.com:8443".parse()?;
/// assert_eq!(origin.scheme(), "https");
/// assert_eq!(origin.host(), "app.example.com");
/// assert_eq!(origin.port(), Some(8443));
///
/// // No path, no default port, no upper case: a browser sends none of these.
/// assert!("https://app.example.com/".parse::<Origin>().is_err());
/// assert!("https://app.example.com:443".parse::<Origin>().is_err());
/// assert!("https://APP.example.com".parse::<Origin>().is_err());
/// # Ok::<(), tower_cors::origin::OriginError>(())
/// ```
///
/// [RFC 6454, section 4]: https://www.rfc-editor.org/rfc/rfc6454#section-4
/// [HTML standard]: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
#[derive(Clone)]
pub struct Origin {
    /// The whole serialisation; visible ASCII only.
    value: HeaderValue,
    scheme_end: u16,
    host_end: u16,
    port: Option<u16>,
}

impl Origin {
    /// Parses the value of an `Origin` header without allocating.
    ///
    /// # Errors
    ///
    /// When the value is not exactly one serialised tuple origin; `null` is none.
    pub fn from_header(value: &HeaderValue) -> Result<Self, OriginError> {
        let parts = Parts::parse(value.as_bytes()).map_err(OriginError::from)?;
        Ok(Self::from_parts(value.clone(), parts))
    }

    fn from_parts(value: HeaderValue, parts: Parts) -> Self {
        Self {
            value,
            scheme_end: parts.scheme_end,
            host_end: parts.host_end,
            port: parts.port,
        }
    }

    /// The serialisation, as it is sent.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("the grammar admits ASCII only")
    }

    /// The serialisation's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }

    /// The serialisation as the header value that it was parsed from.
    pub fn header_value(&self) -> &HeaderValue {
        &self.value
    }

    /// The scheme, without `://`.
    pub fn scheme(&self) -> &str {
        &self.as_str()[..usize::from(self.scheme_end)]
    }

    /// The host: a domain, an IPv4 address, or an IPv6 address in brackets. A trailing dot is kept.
    pub fn host(&self) -> &str {
        &self.as_str()[usize::from(self.scheme_end) + 3..usize::from(self.host_end)]
    }

    /// The port, or `None` for the scheme's default one, which is never written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether only this machine can serve the origin: `localhost`, a name below it, or a loopback
    /// address ([Secure Contexts, section 3.1]).
    ///
    /// [Secure Contexts, section 3.1]: https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(self.host())
    }

    pub(crate) fn scheme_bytes(&self) -> &[u8] {
        &self.as_bytes()[..usize::from(self.scheme_end)]
    }

    pub(crate) fn host_bytes(&self) -> &[u8] {
        &self.as_bytes()[usize::from(self.scheme_end) + 3..usize::from(self.host_end)]
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let parts = Parts::parse(s.as_bytes()).map_err(|kind| suggest::explain(kind, s))?;
        let value = HeaderValue::from_str(s).map_err(|_| OriginErrorKind::Character)?;
        Ok(Self::from_parts(value, parts))
    }
}

impl TryFrom<&HeaderValue> for Origin {
    type Error = OriginError;

    fn try_from(value: &HeaderValue) -> Result<Self, Self::Error> {
        Self::from_header(value)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:?})", self.as_str())
    }
}

/// The content of a single, well-formed `Origin` header.
///
/// ```
/// use http::HeaderValue;
/// use tower_cors::origin::RequestOrigin;
///
/// let page = RequestOrigin::from_header(&HeaderValue::from_static("https://example.com"))?;
/// assert_eq!(page.tuple().map(|origin| origin.host()), Some("example.com"));
///
/// let sandboxed = RequestOrigin::from_header(&HeaderValue::from_static("null"))?;
/// assert!(sandboxed.tuple().is_none());
///
/// assert!(RequestOrigin::from_header(&HeaderValue::from_static("example.com")).is_err());
/// # Ok::<(), tower_cors::origin::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the HTML standard has these two")]
pub enum RequestOrigin {
    /// `null`: a sandboxed frame, a `data:` or `file:` document, or a request that was redirected
    /// across origins. All of them look alike, so a policy that admits one admits any site.
    Opaque,
    /// A scheme, a host and a port.
    Tuple(Origin),
}

impl RequestOrigin {
    /// Parses the value of an `Origin` header without allocating.
    ///
    /// # Errors
    ///
    /// When the value is neither `null` nor exactly one serialised tuple origin.
    pub fn from_header(value: &HeaderValue) -> Result<Self, OriginError> {
        // Compared as bytes: `NULL` is not what browsers send.
        if value.as_bytes() == b"null" {
            return Ok(Self::Opaque);
        }
        Origin::from_header(value).map(Self::Tuple)
    }

    /// The tuple origin, or `None` for `null`.
    pub fn tuple(&self) -> Option<&Origin> {
        match self {
            Self::Opaque => None,
            Self::Tuple(origin) => Some(origin),
        }
    }

    /// The value to answer with when the origin is allowed.
    #[cfg(feature = "test-util")]
    pub(crate) fn into_header_value(self) -> HeaderValue {
        match self {
            Self::Opaque => HeaderValue::from_static("null"),
            Self::Tuple(origin) => origin.value,
        }
    }
}

impl From<Origin> for RequestOrigin {
    fn from(origin: Origin) -> Self {
        Self::Tuple(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_texts() {
        let [first, second]: [Origin; 2] =
            ["http://b.example", "https://a.example"].map(|text| text.parse().unwrap());
        assert!(first < second);
        assert_eq!(
            second.partial_cmp(&first),
            Some(std::cmp::Ordering::Greater)
        );
    }

    #[test]
    fn parts_of_real_origins() {
        for (value, scheme, host, port) in [
            ("https://example.com", "https", "example.com", None),
            ("http://localhost:3000", "http", "localhost", Some(3000)),
            ("https://example.com.", "https", "example.com.", None),
            ("http://127.0.0.1:8080", "http", "127.0.0.1", Some(8080)),
            ("http://[::1]:3000", "http", "[::1]", Some(3000)),
            ("https://[2001:db8::1]", "https", "[2001:db8::1]", None),
            ("capacitor://localhost", "capacitor", "localhost", None),
            ("tauri://localhost", "tauri", "localhost", None),
            (
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                "chrome-extension",
                "abcdefghijklmnopabcdefghijklmnop",
                None,
            ),
            (
                "moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc",
                "moz-extension",
                "0f5c8a7e-1b2c-4d3e-8f90-123456789abc",
                None,
            ),
            (
                "https://xn--bcher-kva.example",
                "https",
                "xn--bcher-kva.example",
                None,
            ),
            ("https://a.example:65535", "https", "a.example", Some(65535)),
            ("https://face.beef", "https", "face.beef", None),
        ] {
            let origin: Origin = value.parse().expect(value);
            assert_eq!(
                (origin.scheme(), origin.host(), origin.port()),
                (scheme, host, port),
                "{value}"
            );
            assert_eq!(origin.to_string(), value);
        }
    }

    #[test]
    fn null_is_opaque_and_nothing_else_is() {
        let parse = |v| RequestOrigin::from_header(&HeaderValue::from_static(v));
        assert_eq!(parse("null").unwrap(), RequestOrigin::Opaque);
        for value in ["Null", "null ", "null,null", ""] {
            assert!(parse(value).is_err(), "{value}");
        }
    }
}
