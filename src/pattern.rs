//! [`OriginPattern`]: one entry of a list of origins, exact or with a wildcard.

use std::{fmt, str::FromStr};

use crate::{
    error::{OriginError, OriginErrorKind as Kind},
    origin::{self, MAX_HOST_LEN, Origin, narrow},
    punycode::is_punycode,
};

/// An origin, or a family of origins, as written in a configuration.
///
/// | written | matches |
/// |---|---|
/// | `https://example.com` | that origin |
/// | `https://*.example.com` | one or more labels below `example.com`, never `example.com` itself |
/// | `http://localhost:*` | any port, the default one too |
/// | `https://*.example.com:*` | both |
///
/// A wildcard stands for whole labels or for a whole port; nothing else is a pattern. What is
/// compared are the parts of a parsed [`Origin`], never texts, so that no neighbouring name can
/// slip through. An entry that could never match, because no browser sends it, is an error.
///
/// ```
/// use tower_cors::{Origin, OriginPattern};
///
/// let pattern: OriginPattern = "https://*.example.com".parse()?;
/// let origin = |text: &str| text.parse::<Origin>().unwrap();
///
/// assert!(pattern.matches(&origin("https://app.example.com")));
/// assert!(pattern.matches(&origin("https://a.b.example.com")));
/// assert!(!pattern.matches(&origin("https://example.com")));
/// assert!(!pattern.matches(&origin("https://evilexample.com")));
/// assert!(!pattern.matches(&origin("http://app.example.com")));
/// # Ok::<(), tower_cors::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    text: Box<str>,
    shape: Shape,
}

/// A pattern in a text that somebody else owns.
#[derive(Clone, Copy)]
pub(crate) struct PatternRef<'a> {
    text: &'a str,
    shape: Shape,
}

/// Where the parts of a pattern stand in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    scheme_end: u16,
    host_end: u16,
    subdomains: bool,
    port: PortPattern,
}

/// The ports that a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PortPattern {
    Exactly(Option<u16>),
    Any,
}

impl PortPattern {
    pub(crate) fn matches(self, port: Option<u16>) -> bool {
        match self {
            Self::Exactly(expected) => expected == port,
            Self::Any => true,
        }
    }
}

impl OriginPattern {
    /// Whether the pattern matches the origin.
    pub fn matches(&self, origin: &Origin) -> bool {
        if self.scheme().as_bytes() != origin.scheme_bytes()
            || !self.shape.port.matches(origin.port())
        {
            return false;
        }
        let (own, host) = (self.host().as_bytes(), origin.host_bytes());
        if !self.has_subdomains() {
            return own == host;
        }
        // Origins have no empty label, so what stands before the dot is one label or more.
        host.strip_suffix(own)
            .is_some_and(|labels| labels.len() > 1 && labels.ends_with(b"."))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme, without `://`.
    pub fn scheme(&self) -> &str {
        self.borrow().scheme()
    }

    /// The host, or the base below which the wildcard stands.
    pub fn host(&self) -> &str {
        self.borrow().host()
    }

    /// Whether the pattern stands for names below [`host`](Self::host).
    pub fn has_subdomains(&self) -> bool {
        self.shape.subdomains
    }

    /// Whether the pattern stands for any port.
    pub fn has_any_port(&self) -> bool {
        self.shape.port == PortPattern::Any
    }

    /// The origin, if the pattern matches only one.
    pub fn to_origin(&self) -> Option<Origin> {
        match self.is_exact() {
            true => self.text.parse().ok(),
            false => None,
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.borrow().is_exact()
    }

    #[cfg(feature = "trusted")]
    pub(crate) fn port(&self) -> PortPattern {
        self.shape.port
    }

    pub(crate) fn borrow(&self) -> PatternRef<'_> {
        PatternRef {
            text: &self.text,
            shape: self.shape,
        }
    }

    /// Whether `text` is a pattern, without making one.
    pub(crate) fn check(text: &str) -> Result<(), Kind> {
        Shape::parse(text).map(drop)
    }
}

impl<'a> PatternRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Kind> {
        Shape::parse(text).map(|shape| Self { text, shape })
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.text
    }

    pub(crate) fn scheme(self) -> &'a str {
        &self.text[..usize::from(self.shape.scheme_end)]
    }

    pub(crate) fn host(self) -> &'a str {
        &self.text[self.shape.host_start()..usize::from(self.shape.host_end)]
    }

    pub(crate) fn has_subdomains(self) -> bool {
        self.shape.subdomains
    }

    pub(crate) fn port(self) -> PortPattern {
        self.shape.port
    }

    pub(crate) fn is_exact(self) -> bool {
        !self.shape.subdomains && self.shape.port != PortPattern::Any
    }
}

impl FromStr for OriginPattern {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Shape::parse(text) {
            Ok(shape) => Ok(Self {
                text: text.into(),
                shape,
            }),
            Err(kind) => Err(OriginError::explain(kind, text)),
        }
    }
}

impl From<&Origin> for OriginPattern {
    fn from(origin: &Origin) -> Self {
        let scheme_end = origin.scheme().len();
        Self {
            text: origin.as_str().into(),
            shape: Shape {
                scheme_end: narrow(scheme_end),
                host_end: narrow(scheme_end + 3 + origin.host().len()),
                subdomains: false,
                port: PortPattern::Exactly(origin.port()),
            },
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Shape {
    /// Behind `://`, and behind `*.` where names below the host are meant.
    fn host_start(&self) -> usize {
        usize::from(self.scheme_end) + 3 + if self.subdomains { 2 } else { 0 }
    }

    fn parse(text: &str) -> Result<Self, Kind> {
        // What is well-formed has none of those mistakes.
        Self::parse_well_formed(text).map_err(|kind| obvious_mistake(text).unwrap_or(kind))
    }

    fn parse_well_formed(text: &str) -> Result<Self, Kind> {
        let bytes = text.as_bytes();
        let scheme_end = origin::scheme_end(bytes)?;
        let scheme = &bytes[..scheme_end];
        if scheme == b"file" {
            return Err(Kind::File);
        }
        let authority = scheme_end + 3;
        let subdomains = bytes[authority..].starts_with(b"*.");
        let host_start = authority + if subdomains { 2 } else { 0 };
        let host_end = host_start + configured_host_len(text, host_start)?;
        let host = &text[host_start..host_end];
        if subdomains && (host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()) {
            return Err(Kind::AddressWildcard);
        }
        // The shortest name below the base is two characters longer.
        let longest = MAX_HOST_LEN + usize::from(host.ends_with('.'));
        if host_end - authority > longest {
            return Err(Kind::Length);
        }
        let port = match &bytes[host_end..] {
            b":*" => PortPattern::Any,
            port => PortPattern::Exactly(origin::parse_port(port, scheme)?),
        };
        Ok(Self {
            scheme_end: narrow(scheme_end),
            host_end: narrow(host_end),
            subdomains,
            port,
        })
    }
}

/// Names the mistake that a person would name, where the grammar stumbled over something else.
fn obvious_mistake(text: &str) -> Option<Kind> {
    if text.is_empty() {
        return Some(Kind::Empty);
    }
    if text == "null" {
        return Some(Kind::Null);
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(Kind::Space);
    }
    if !text.is_ascii() {
        return Some(Kind::NonAscii);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(Kind::Scheme);
    };
    if scheme == "file" {
        return Some(Kind::File);
    }
    if scheme.contains('*') {
        return Some(Kind::Wildcard);
    }
    if text.contains(|c: char| c.is_ascii_uppercase()) && !rest.starts_with('[') {
        return Some(Kind::UpperCase);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Some(Kind::UserInfo);
    }
    match rest.as_bytes().get(authority.len()) {
        Some(b'/') => Some(Kind::Path),
        Some(b'?') => Some(Kind::Query),
        Some(b'#') => Some(Kind::Fragment),
        _ => None,
    }
}

/// The length of the host at `start`: the grammar of origins, and on top of it that the host is a
/// name somebody can register, because a list is written by people and people mistype.
fn configured_host_len(text: &str, start: usize) -> Result<usize, Kind> {
    let rest = &text[start..];
    if rest.starts_with('[') {
        return origin::host_len(rest.as_bytes());
    }
    let mut malformed = None;
    let len = origin::registrable_len(rest.as_bytes(), |label| {
        malformed = malformed.or(wrong_with_label(label));
    });
    match (len, malformed) {
        (Ok(len), None) => Ok(len),
        (Ok(_), Some(kind)) => Err(kind),
        (Err(_), _) => Err(wrong_with_host(rest)),
    }
}

fn wrong_with_label(label: &[u8]) -> Option<Kind> {
    if label.starts_with(b"-") || label.ends_with(b"-") && label != b"xn--" {
        return Some(Kind::Label);
    }
    let punycode = label.strip_prefix(b"xn--")?;
    (!is_punycode(punycode)).then_some(Kind::Punycode)
}

/// Names the mistake in a host that a person would name.
fn wrong_with_host(rest: &str) -> Kind {
    let host = rest.split(':').next().unwrap_or(rest);
    if host.contains('*') {
        return match host.starts_with("*.") {
            true => Kind::RepeatedWildcard,
            false => Kind::Wildcard,
        };
    }
    if host.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))) {
        return Kind::Character;
    }
    if host.ends_with("..") {
        return Kind::TrailingDots;
    }
    // These are characters that browsers send, too.
    origin::host_len(rest.as_bytes())
        .err()
        .unwrap_or(Kind::Character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, origin: &str) -> bool {
        let pattern: OriginPattern = pattern.parse().expect(pattern);
        pattern.matches(&origin.parse().expect(origin))
    }

    #[test]
    fn what_each_pattern_matches() {
        for (pattern, yes, no) in [
            (
                "https://example.com",
                &["https://example.com"][..],
                &[
                    "http://example.com",
                    "https://example.com:8443",
                    "https://example.com.",
                ][..],
            ),
            (
                "https://*.example.com",
                &["https://a.example.com", "https://a.b.example.com"],
                &[
                    "https://example.com",
                    "https://evilexample.com",
                    "https://a.example.com:8443",
                    "https://a.example.com.",
                    "https://a.example.com.evil.example",
                ],
            ),
            (
                "http://localhost:*",
                &[
                    "http://localhost",
                    "http://localhost:1",
                    "http://localhost:65535",
                ],
                &["https://localhost", "http://a.localhost:1"],
            ),
            (
                "https://*.example.com:*",
                &["https://a.example.com", "https://a.example.com:8443"],
                &["https://example.com", "https://example.com:8443"],
            ),
            (
                "https://*.example.com.:8443",
                &["https://a.example.com.:8443"],
                &["https://a.example.com:8443", "https://a.example.com."],
            ),
        ] {
            for origin in yes {
                assert!(matches(pattern, origin), "{pattern} {origin}");
            }
            for origin in no {
                assert!(!matches(pattern, origin), "{pattern} {origin}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for (text, kind) in [
            ("", Kind::Empty),
            ("*", Kind::Scheme),
            ("null", Kind::Null),
            ("Null", Kind::Scheme),
            ("example.com", Kind::Scheme),
            ("https://a.example ", Kind::Space),
            ("https://a.example\r\nx: y", Kind::Space),
            ("https://bücher.example", Kind::NonAscii),
            ("https://Example.com", Kind::UpperCase),
            ("https://user@a.example", Kind::UserInfo),
            ("https://a.example/", Kind::Path),
            ("https://a.example?q", Kind::Query),
            ("https://a.example#f", Kind::Fragment),
            ("https://", Kind::EmptyHost),
            ("file:///x", Kind::File),
            ("file://", Kind::File),
            ("*://a.example", Kind::Wildcard),
            ("https://*", Kind::Wildcard),
            ("https://*.*.com", Kind::RepeatedWildcard),
            ("https://a.*", Kind::Wildcard),
            ("https://a.*.example", Kind::Wildcard),
            ("https://*a.example", Kind::Wildcard),
            ("https://*.127.0.0.1", Kind::AddressWildcard),
            ("https://*.[::1]", Kind::AddressWildcard),
            ("http://127.0.0.256", Kind::IpAddress),
            ("http://[0:0:0:0:0:0:0:1]", Kind::IpAddressForm),
            ("http://[localhost]", Kind::IpAddress),
            ("https://a.example..", Kind::TrailingDots),
            ("https://a..example", Kind::Label),
            ("https://-a.example", Kind::Label),
            ("https://a-.example", Kind::Label),
            ("https://xn--", Kind::Punycode),
            ("https://xn--f.example", Kind::Punycode),
            ("https://*.xn--foo-.example", Kind::Label),
            ("https://a.example%2e", Kind::Character),
            ("https://a.example:443", Kind::DefaultPort),
            ("https://*.a.example:443", Kind::DefaultPort),
            ("https://a.example:8*", Kind::Port),
        ] {
            let error = text.parse::<OriginPattern>().expect_err(text);
            assert_eq!(error.kind(), kind, "{text}");
        }
    }

    #[test]
    fn an_exact_pattern_is_an_origin() {
        let pattern: OriginPattern = "https://example.com:8443".parse().unwrap();
        let origin = pattern.to_origin().unwrap();
        assert_eq!(origin.as_str(), "https://example.com:8443");
        assert_eq!(OriginPattern::from(&origin), pattern);
        let family: OriginPattern = "https://*.example.com".parse().unwrap();
        assert_eq!(family.to_origin(), None);
    }
}
