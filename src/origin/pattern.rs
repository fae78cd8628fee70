//! [`OriginPattern`]: one entry of a list of origins, exact or with a wildcard.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use super::{
    error::{OriginError, OriginErrorKind as Kind},
    grammar::narrow,
    host::are_labels,
    public_suffix::crosses_public_suffix,
    shape::{HostPattern, Permitted, PortPattern, Shape, mask},
    suggest,
    tuple::Origin,
};

/// An origin, or a family of origins, as written in a configuration.
///
/// | written | matches |
/// |---|---|
/// | `https://example.com` | that origin |
/// | `https://*.example.com` | one or more labels below `example.com`, never `example.com` itself |
/// | `https://pr-*.example.com` | one label that begins with `pr-` and is longer; the `*` may also stand before or within a fixed part |
/// | `http://localhost:*` | any port, the default one too |
/// | `https://*.example.com:*` | both |
/// | `app://-`, `chrome-extension://abcd` | that origin of a packaged application, as it is sent |
/// | `moz-extension://*` | any host of an application's scheme, for those that differ per installation |
///
/// Nothing else is a pattern. The parts of a parsed [`Origin`] are compared, never texts, so that
/// `https://evilexample.com` does not match an entry for `example.com`. An entry that could never
/// match, because no browser sends it, is an error.
///
/// ```
/// use tower_cors::{Origin, origin::OriginPattern};
///
/// let pattern: OriginPattern = "https://*.example.com".parse()?;
/// let origin = |text: &str| text.parse::<Origin>().unwrap();
///
/// assert!(pattern.matches(&origin("https://app.example.com")));
/// assert!(pattern.matches(&origin("https://a.b.example.com")));
/// assert!(!pattern.matches(&origin("https://example.com")));
/// assert!(!pattern.matches(&origin("https://evilexample.com")));
/// assert!(!pattern.matches(&origin("http://app.example.com")));
///
/// let previews: OriginPattern = "https://shop-*-team.example.com".parse()?;
/// assert!(previews.matches(&origin("https://shop-42-team.example.com")));
/// assert!(!previews.matches(&origin("https://shop--team.example.com")));
/// assert!(!previews.matches(&origin("https://shop-4.2-team.example.com")));
/// # Ok::<(), tower_cors::origin::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    text: Box<str>,
    shape: Shape,
}

/// A pattern that borrows its text: a set of many entries copies only the text.
#[derive(Clone, Copy)]
pub(crate) struct PatternRef<'a> {
    text: &'a str,
    shape: Shape,
}

impl OriginPattern {
    /// Whether the pattern matches the origin.
    pub fn matches(&self, origin: &Origin) -> bool {
        // Without a wildcard it is written as the one origin that it matches.
        if self.borrow().is_exact() {
            return self.text.as_bytes() == origin.as_bytes();
        }
        // The cheap comparisons first.
        if self.scheme().as_bytes() != origin.scheme_bytes()
            || !self.shape.port.matches(origin.port())
        {
            return false;
        }
        let (own, host) = (self.host().as_bytes(), origin.host_bytes());
        match self.shape.host {
            HostPattern::Exactly => own == host,
            // The hosts of applications may have empty labels, which the wildcard does not match.
            HostPattern::Subdomains => host
                .strip_suffix(own)
                .and_then(|labels| labels.strip_suffix(b"."))
                .is_some_and(are_labels),
            HostPattern::InLabel(star) => {
                // The `*` stands for at least one character, and not for a dot: one label only.
                let (prefix, rest) = own.split_at(usize::from(star));
                host.strip_prefix(prefix)
                    .and_then(|host| host.strip_suffix(&rest[1..]))
                    .is_some_and(|part| !part.is_empty() && !part.contains(&b'.'))
            }
            HostPattern::Any => true,
            HostPattern::Range(bits) => match (self.range(), origin.host().parse()) {
                (Some(first), Ok::<Ipv4Addr, _>(address)) => {
                    u32::from(address) & mask(bits) == first
                }
                _ => false,
            },
        }
    }

    /// The first address of a range, as a number.
    fn range(&self) -> Option<u32> {
        let (address, _) = self.host().split_once('/')?;
        address.parse::<Ipv4Addr>().ok().map(u32::from)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme, without `://`.
    pub fn scheme(&self) -> &str {
        self.borrow().scheme()
    }

    /// The host; with `*.`, the base below which the wildcard stands.
    pub fn host(&self) -> &str {
        self.borrow().host()
    }

    /// Whether the pattern stands for names below [`host`](Self::host).
    pub fn has_subdomains(&self) -> bool {
        self.shape.host == HostPattern::Subdomains
    }

    /// Whether the pattern stands for any port.
    pub fn has_any_port(&self) -> bool {
        self.shape.port == PortPattern::Any
    }

    /// The origin, if the pattern matches only one.
    pub fn to_origin(&self) -> Option<Origin> {
        if self.is_exact() {
            self.text.parse().ok()
        } else {
            None
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.borrow().is_exact()
    }

    /// Whether the pattern stands for a range of addresses, which no text is parsed as without a
    /// permission.
    #[cfg(feature = "trusted")]
    pub(crate) fn is_range(&self) -> bool {
        matches!(self.shape.host, HostPattern::Range(_))
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
}

impl<'a> PatternRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Kind> {
        Shape::parse(text).map(|shape| Self { text, shape })
    }

    pub(crate) fn parse_with(text: &'a str, permitted: Permitted) -> Result<Self, Kind> {
        Shape::parse_with(text, permitted).map(|shape| Self { text, shape })
    }

    pub(crate) fn to_owned_pattern(self) -> OriginPattern {
        OriginPattern {
            text: self.text.into(),
            shape: self.shape,
        }
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

    pub(crate) fn host_pattern(self) -> HostPattern {
        self.shape.host
    }

    pub(crate) fn port(self) -> PortPattern {
        self.shape.port
    }

    /// Whether strangers can have an origin that the pattern matches: a name below a public suffix,
    /// or an extension of their own.
    pub(crate) fn matches_strangers(self) -> bool {
        match self.shape.host {
            HostPattern::Exactly | HostPattern::Range(_) => false,
            HostPattern::Any => true,
            HostPattern::Subdomains => crosses_public_suffix(self.host()),
            HostPattern::InLabel(_) => {
                let (_, base) = self.host().split_once('.').unwrap_or_default();
                crosses_public_suffix(base)
            }
        }
    }

    pub(crate) fn is_exact(self) -> bool {
        self.shape.host == HostPattern::Exactly && self.shape.port != PortPattern::Any
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
            Err(kind) => Err(suggest::explain(kind, text)),
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
                host: HostPattern::Exactly,
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
            (
                "https://pr-*-a.example.com",
                &["https://pr-1-a.example.com", "https://pr-1-2-a.example.com"],
                &[
                    "https://pr--a.example.com",
                    "https://pr-a.example.com",
                    "https://pr-1.x-a.example.com",
                    "https://x.pr-1-a.example.com",
                    "https://pr-1-a.b.example.com",
                ],
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
            ("null", Kind::Null),
            ("Null", Kind::Scheme),
            ("example.com", Kind::Scheme),
            ("about", Kind::Scheme),
            ("https://*.*", Kind::Wildcard),
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
            ("https://*", Kind::AnyHost),
            ("*", Kind::Any),
            ("https://*.*.com", Kind::RepeatedWildcard),
            ("https://a.*", Kind::Wildcard),
            ("https://a.*.example", Kind::Wildcard),
            ("https://a**.example", Kind::Wildcard),
            ("https://a*", Kind::Wildcard),
            ("https://a*b*.example.com", Kind::Wildcard),
            ("https://a*.*.example.com", Kind::Wildcard),
            ("https://x.a*.example", Kind::Wildcard),
            ("http://192.168.*", Kind::AddressPart),
            ("http://192.168.*.*:3000", Kind::AddressPart),
            ("http://192.168.0.0/16", Kind::AddressRange),
            ("http://192.168.0.0/33", Kind::AddressRangeForm),
            ("http://192.168.1.0/16", Kind::AddressRangeForm),
            ("http://10.0.0.0/08", Kind::AddressRangeForm),
            ("http://10.0.0.0/x", Kind::AddressRangeForm),
            ("http://10.0.0.0/", Kind::Path),
            ("wss://a.example", Kind::NoPage),
            ("ftp://a.example", Kind::NoPage),
            ("data://x", Kind::NoPage),
            ("about:blank", Kind::NoPage),
            ("javascript:alert(1)", Kind::NoPage),
            (
                "https://a.example,https://b.example",
                Kind::Joined("commas"),
            ),
            (
                "https://a.example; https://b.example",
                Kind::Joined("semicolons"),
            ),
            (
                "https://a.example https://b.example",
                Kind::Joined("white space"),
            ),
            (
                "https://a.example|https://b.example",
                Kind::Joined("vertical bars"),
            ),
            ("a.example b.example", Kind::Joined("white space")),
            (
                "https://a.example localhost:3000",
                Kind::Joined("white space"),
            ),
            ("https://a. example.com", Kind::Space),
            ("https://a .example.com", Kind::Space),
            ("https://a b.example", Kind::Space),
            ("https://a.example/x|y", Kind::Path),
            ("https://a.example,", Kind::Separator("comma")),
            (" ;https://a.example", Kind::Separator("semicolon")),
            ("https://a.example|", Kind::Separator("vertical bar")),
            (",", Kind::Separator("comma")),
            ("\"https://a.example\"", Kind::Quotes),
            ("https://a.example'", Kind::Quotes),
            ("“https://a.example”,", Kind::Quotes),
            ("app://*a", Kind::ApplicationWildcard),
            ("app://a/b", Kind::Path),
            ("https://*.127.0.0.1", Kind::AddressWildcard),
            ("https://*.[::1]", Kind::AddressWildcard),
            ("app://*.127.0.0.1", Kind::AddressWildcard),
            ("app://*.[2001:db8::11]:3", Kind::AddressWildcard),
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
    fn below_a_base_a_name_must_fit() {
        // The shortest name below it has 253 characters. A dot at the end counts for applications only.
        let base = format!("{}abc", "a.".repeat(124));
        for (scheme, before, after, fits) in [
            ("https", "", "", true),
            ("https", "", ".", true),
            ("https", "a", "", false),
            ("https", "a", ".", false),
            ("app", "", "", true),
            ("app", "", ".", false),
            ("app", "a", "", false),
        ] {
            let text = format!("{scheme}://*.{before}{base}{after}");
            let shortest = text.replacen('*', "b", 1).parse::<Origin>();
            assert_eq!(shortest.is_ok(), fits, "{text}");
            assert_eq!(text.parse::<OriginPattern>().is_ok(), fits, "{text}");
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

    #[test]
    fn what_a_pattern_says_of_itself() {
        for (text, host, subdomains, any_port) in [
            ("https://example.com", "example.com", false, false),
            ("https://*.example.com:8443", "example.com", true, false),
            ("http://localhost:*", "localhost", false, true),
            ("http://*.localhost:*", "localhost", true, true),
        ] {
            let pattern: OriginPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), text);
            assert_eq!(pattern.host(), host, "{text}");
            assert_eq!(pattern.has_subdomains(), subdomains, "{text}");
            assert_eq!(pattern.has_any_port(), any_port, "{text}");
        }
    }
}
