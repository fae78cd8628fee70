//! The grammar of a serialised origin: where its parts end, and which spellings no browser sends.

use super::{
    error::OriginErrorKind,
    host::{MAX_HOST_LEN, application_host_len, host_len, is_loopback_host, is_usual_host},
};

/// The longest origin that is looked at, in bytes: a scheme of 64, `://`, a host of 253 and its
/// trailing dot, and a port.
pub(crate) const MAX_ORIGIN_LEN: usize = MAX_SCHEME_LEN + 3 + MAX_HOST_LEN + 1 + 6;

pub(crate) const MAX_SCHEME_LEN: usize = 64;

/// The offsets at which the parts of a serialised origin end. They do not borrow the bytes, so that
/// an owned text and a header value can both be parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) scheme_end: u16,
    pub(crate) host_end: u16,
    pub(crate) port: Option<u16>,
}

impl Parts {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, OriginErrorKind> {
        // The fast way for nearly every origin. The rest of this function gives the same result.
        if let Some(host) = bytes.strip_prefix(b"https://")
            && is_usual_host(host)
        {
            return Ok(Self {
                scheme_end: 5,
                host_end: narrow(bytes.len()),
                port: None,
            });
        }
        if bytes.is_empty() {
            return Err(OriginErrorKind::Empty);
        }
        if bytes.len() > MAX_ORIGIN_LEN {
            return Err(OriginErrorKind::Length);
        }
        let scheme_end = scheme_end(bytes)?;
        let authority = scheme_end + 3;
        // RFC 6454, section 7.1, leaves hosts to the scheme; only these have DNS rules.
        let host_len = if names_hosts(&bytes[..scheme_end]) {
            host_len(&bytes[authority..])?
        } else {
            application_host_len(&bytes[authority..])?
        };
        let host_end = authority + host_len;
        let port = parse_port(&bytes[host_end..], &bytes[..scheme_end])?;
        Ok(Self {
            scheme_end: narrow(scheme_end),
            host_end: narrow(host_end),
            port,
        })
    }
}

pub(crate) fn narrow(offset: usize) -> u16 {
    u16::try_from(offset).expect("an origin is at most MAX_ORIGIN_LEN bytes long")
}

/// The length of the scheme that begins `bytes`, which `://` must follow.
///
/// RFC 3986, section 3.1, and `_`, which private schemes use in practice; lower case only.
pub(crate) fn scheme_end(bytes: &[u8]) -> Result<usize, OriginErrorKind> {
    // Nearly every request has this scheme.
    if bytes.starts_with(b"https://") {
        return Ok(5);
    }
    let end = bytes
        .iter()
        .take(MAX_SCHEME_LEN + 1)
        .position(|&b| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'_'))
        .ok_or(OriginErrorKind::Scheme)?;
    match bytes[end..] {
        [b':', b'/', b'/', ..] if bytes[0].is_ascii_lowercase() => Ok(end),
        [b'A'..=b'Z', ..] => Err(OriginErrorKind::UpperCase),
        _ => Err(OriginErrorKind::Scheme),
    }
}

/// Whether the hosts of the scheme's URLs are DNS names or IP addresses. All other schemes belong
/// to applications, which choose any host for their pages.
#[inline(always)]
pub(crate) fn names_hosts(scheme: &[u8]) -> bool {
    matches!(scheme, b"https" | b"http" | b"ws" | b"wss" | b"ftp")
}

/// Parses the part after the host: nothing, or `:` and a port that is not the scheme's default.
pub(crate) fn parse_port(rest: &[u8], scheme: &[u8]) -> Result<Option<u16>, OriginErrorKind> {
    let Some((&b':', digits)) = rest.split_first() else {
        return match rest {
            [] => Ok(None),
            _ => Err(OriginErrorKind::Character),
        };
    };
    let port = match digits {
        // Browsers write no leading zeros, and no port 0.
        [b'1'..=b'9', ..] if digits.len() <= 5 => digits.iter().try_fold(0_u32, |port, &digit| {
            digit
                .is_ascii_digit()
                .then(|| port * 10 + u32::from(digit - b'0'))
        }),
        _ => None,
    };
    match port.and_then(|port| u16::try_from(port).ok()) {
        Some(port) if default_port(scheme) == Some(port) => Err(OriginErrorKind::DefaultPort),
        Some(port) => Ok(Some(port)),
        None => Err(OriginErrorKind::Port),
    }
}

/// The default ports of the [URL standard]'s special schemes that have a tuple origin. `ftp` is
/// left out: no current browser shows its pages.
///
/// [URL standard]: https://url.spec.whatwg.org/#default-port
pub(crate) fn default_port(scheme: &[u8]) -> Option<u16> {
    match scheme {
        b"http" | b"ws" => Some(80),
        b"https" | b"wss" => Some(443),
        _ => None,
    }
}

/// Whether nobody on the network can act as the origin ([Secure Contexts, section 3.1]). Three
/// schemes load pages over a network without protection. The schemes of packaged applications load
/// from the machine itself.
///
/// [Secure Contexts, section 3.1]: https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy
pub(crate) fn is_secure(scheme: &str, host: &str) -> bool {
    !matches!(scheme, "http" | "ws" | "ftp") || is_loopback_host(host)
}

#[cfg(test)]
mod tests {
    use super::{super::tuple::Origin, *};

    fn kind(value: &str) -> OriginErrorKind {
        value.parse::<Origin>().expect_err(value).kind()
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        use OriginErrorKind as K;
        for (value, expected) in [
            ("", K::Empty),
            ("null", K::Scheme),
            ("*", K::Scheme),
            ("example.com", K::Scheme),
            ("https:example.com", K::Scheme),
            ("1ab://example.com", K::Scheme),
            ("HTTPS://example.com", K::UpperCase),
            ("https://", K::EmptyHost),
            ("https://:80", K::EmptyHost),
            ("https://Example.com", K::UpperCase),
            ("https://example.com/", K::Character),
            ("https://u@example.com", K::Character),
            ("https://a\u{1f}.example", K::Character),
            ("https://a .example", K::Character),
            ("https://a\u{7f}.example", K::Character),
            ("https://\u{e9}.example", K::Character),
            ("https://a.example,https://b.example", K::Port),
            ("https://.example.com", K::Label),
            ("https://a..example.com", K::Label),
            ("https://.", K::Label),
            ("https://example.com:", K::Port),
            ("https://example.com:0", K::Port),
            ("https://example.com:080", K::Port),
            ("https://example.com:65536", K::Port),
            // 2 to the 32nd, and one.
            ("https://example.com:4294967297", K::Port),
            ("https://example.com:443", K::DefaultPort),
            ("http://example.com:80", K::DefaultPort),
            ("http://127.1", K::IpAddress),
            ("http://0x7f.1", K::IpAddress),
            ("http://1.127.0.0.1", K::IpAddress),
            ("http://127.0.0.1.", K::IpAddress),
            ("http://a.0x", K::IpAddress),
            ("http://[0:0:0:0:0:0:0:1]", K::IpAddressForm),
            ("http://[::ffff:1.2.3.4]", K::IpAddressForm),
            ("http://[2001:DB8::1]", K::IpAddressForm),
            ("http://[::1%25lo]", K::IpAddress),
            ("http://[::1]x", K::Character),
            ("http://[::1", K::IpAddress),
        ] {
            assert_eq!(kind(value), expected, "{value}");
        }
    }

    #[test]
    fn lengths_are_bounded_at_every_part() {
        let label = "a".repeat(63);
        let host = [&*label, &label, &label, &label[..61]].join(".");
        assert_eq!(host.len(), MAX_HOST_LEN);
        for value in [format!("https://{host}"), format!("https://{host}.:65535")] {
            assert!(value.parse::<Origin>().is_ok(), "{value}");
        }
        assert_eq!(kind(&format!("https://{host}a")), OriginErrorKind::Length);
        assert_eq!(
            kind(&format!("https://{label}a.example")),
            OriginErrorKind::Label
        );
        let scheme = "s".repeat(MAX_SCHEME_LEN);
        assert!(format!("{scheme}://h").parse::<Origin>().is_ok());
        assert_eq!(kind(&format!("{scheme}s://h")), OriginErrorKind::Scheme);
        // What may be an origin by its length is read, and nothing longer.
        let prefix = "https://a.example:";
        let longest = format!("{prefix}{}", "1".repeat(MAX_ORIGIN_LEN - prefix.len()));
        assert_eq!(kind(&longest), OriginErrorKind::Port);
        assert_eq!(kind(&format!("{longest}1")), OriginErrorKind::Length);
        assert_eq!(
            kind(&format!("https://{}", "a.".repeat(40_000))),
            OriginErrorKind::Length
        );
    }
}
