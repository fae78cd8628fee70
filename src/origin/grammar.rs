//! The grammar of a serialised origin: where its parts end, and which spellings no browser sends.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::OriginErrorKind;
use crate::pairs::all_pairs;

/// The longest origin that is looked at, in bytes: a scheme of 64, `://`, a host of 253 and its
/// trailing dot, and a port.
pub(crate) const MAX_ORIGIN_LEN: usize = MAX_SCHEME_LEN + 3 + MAX_HOST_LEN + 1 + 6;

pub(crate) const MAX_SCHEME_LEN: usize = 64;

/// RFC 1035, section 2.3.4, without the trailing dot.
pub(crate) const MAX_HOST_LEN: usize = 253;

const MAX_LABEL_LEN: usize = 63;

/// Whether the text is an ordinary DNS name: at most 63 letters, digits, dots and hyphens, without
/// two dots or hyphens side by side, and not an address.
///
/// Every rule for hosts accepts such a name, so nearly all hosts need only this check.
#[inline]
pub(crate) fn is_usual_host(text: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (text.first(), text.last()) else {
        return false;
    };
    let is_mark = |byte: u8| (byte == b'.') | (byte == b'-');
    let is_usual =
        |byte: u8| (byte.wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | is_mark(byte);
    // A name of 63 bytes has no label that is too long. Two marks side by side are an empty label, a
    // hyphen at the end of a label, or the prefix of Punycode, which has rules of its own.
    text.len() <= MAX_LABEL_LEN
        && is_usual(first)
        && !is_mark(first)
        && !is_mark(last)
        && all_pairs(text, |before, byte| {
            is_usual(byte) & !(is_mark(before) & is_mark(byte))
        })
        && !ends_in_a_number(text)
}

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

/// The length of the host that begins `bytes`, in a scheme of an application: the `reg-name` of
/// [RFC 3986, section 3.2.2], which may be empty, as in `app://` and `file://`, or one character,
/// as in `app://-`.
///
/// A comma is left out, although the RFC has it: in a header it separates one value from the next.
///
/// [RFC 3986, section 3.2.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
pub(crate) fn application_host_len(bytes: &[u8]) -> Result<usize, OriginErrorKind> {
    if bytes.first() == Some(&b'[') {
        return ipv6_len(bytes);
    }
    let mut len = 0;
    loop {
        match bytes[len..] {
            [] | [b':', ..] => break,
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                len += 3
            }
            [byte, ..] if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte) => {
                len += 1;
            }
            _ => return Err(OriginErrorKind::Character),
        }
    }
    if len > MAX_HOST_LEN {
        return Err(OriginErrorKind::Length);
    }
    Ok(len)
}

/// The length of the host that begins `bytes`, up to a port or the end.
pub(crate) fn host_len(bytes: &[u8]) -> Result<usize, OriginErrorKind> {
    match bytes.first() {
        Some(b'[') => ipv6_len(bytes),
        _ => domain_len(bytes, &SENT, |_| ()),
    }
}

/// The length of the domain that begins `bytes`, if it consists of characters that registered names
/// have. Those are fewer than browsers accept. `each_label` is called with each of its labels.
pub(crate) fn registrable_len(
    bytes: &[u8],
    each_label: impl FnMut(&[u8]),
) -> Result<usize, OriginErrorKind> {
    domain_len(bytes, &REGISTRABLE, each_label)
}

/// Checks labels and characters of a domain or IPv4 address, and finds its end, in one pass.
#[inline(always)]
fn domain_len(
    bytes: &[u8],
    classes: &[Class; 256],
    mut each_label: impl FnMut(&[u8]),
) -> Result<usize, OriginErrorKind> {
    let class_at = |at: usize| bytes.get(at).map(|&byte| classes[usize::from(byte)]);
    let mut label_start = 0;
    let mut len = 0;
    // The loop distinguishes two classes only. The others end it, and are told apart once, below.
    while let Some(class) = class_at(len) {
        if class != Class::Name {
            if class != Class::Dot {
                break;
            }
            check_label(len - label_start)?;
            each_label(&bytes[label_start..len]);
            label_start = len + 1;
        }
        len += 1;
    }
    match class_at(len) {
        Some(Class::Upper) => return Err(OriginErrorKind::UpperCase),
        Some(Class::Forbidden) => return Err(OriginErrorKind::Character),
        Some(Class::Colon | Class::Name | Class::Dot) | None => {}
    }
    if len == 0 {
        return Err(OriginErrorKind::EmptyHost);
    }
    // A fully qualified name, `example.com.`, is a host of its own for browsers.
    let has_trailing_dot = label_start == len;
    if !has_trailing_dot {
        check_label(len - label_start)?;
        each_label(&bytes[label_start..len]);
    }
    if len - usize::from(has_trailing_dot) > MAX_HOST_LEN {
        return Err(OriginErrorKind::Length);
    }
    // The URL standard parses such hosts as addresses, so browsers send no other form.
    if ends_in_a_number(&bytes[..len]) {
        canonical_ipv4(&bytes[..len])?;
    }
    Ok(len)
}

/// Whether the bytes are labels with single dots between them, which may precede the base of a
/// wildcard. The total length, and whether it is an address, are for the caller to check.
pub(crate) fn are_labels(bytes: &[u8]) -> bool {
    bytes.split(|&byte| byte == b'.').all(|label| {
        check_label(label.len()).is_ok()
            && label
                .iter()
                .all(|&byte| SENT[usize::from(byte)] == Class::Name)
    })
}

fn check_label(len: usize) -> Result<(), OriginErrorKind> {
    match len {
        1..=MAX_LABEL_LEN => Ok(()),
        _ => Err(OriginErrorKind::Label),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Name,
    Dot,
    Colon,
    Upper,
    Forbidden,
}

/// The characters that the [URL standard] permits in a domain. Browsers can send them, although DNS
/// names use far fewer.
///
/// [URL standard]: https://url.spec.whatwg.org/#forbidden-domain-code-point
static SENT: [Class; 256] = classes(true);

/// Letters, digits, hyphens and underscores.
static REGISTRABLE: [Class; 256] = classes(false);

const fn classes(is_sent: bool) -> [Class; 256] {
    let mut table = [Class::Forbidden; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => Class::Name,
            b'A'..=b'Z' => Class::Upper,
            b'.' => Class::Dot,
            b':' => Class::Colon,
            b'#' | b'%' | b'/' | b'<' | b'>' | b'?' | b'@' | b'[' | b'\\' | b']' | b'^' | b'|' => {
                Class::Forbidden
            }
            _ if is_sent => Class::Name,
            _ => Class::Forbidden,
        };
        byte += 1;
    }
    table
}

/// The [URL standard]'s test for what must be an IPv4 address: the last label is a number.
///
/// [URL standard]: https://url.spec.whatwg.org/#ends-in-a-number-checker
fn ends_in_a_number(domain: &[u8]) -> bool {
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    // A number ends in a hexadecimal digit, or in the `x` of an empty `0x`; most names do not.
    if !matches!(domain.last(), Some(b'0'..=b'9' | b'a'..=b'f' | b'x')) {
        return false;
    }
    let last = domain.rsplit(|&b| b == b'.').next().unwrap_or(domain);
    match last.strip_prefix(b"0x") {
        Some(hex) => hex.iter().all(u8::is_ascii_hexdigit),
        None => last.iter().all(u8::is_ascii_digit),
    }
}

/// Browsers write an IPv4 address as four decimal numbers without leading zeros, and in no other
/// way.
fn canonical_ipv4(host: &[u8]) -> Result<Ipv4Addr, OriginErrorKind> {
    std::str::from_utf8(host)
        .ok()
        .and_then(|host| host.parse().ok())
        .ok_or(OriginErrorKind::IpAddress)
}

fn ipv6_len(bytes: &[u8]) -> Result<usize, OriginErrorKind> {
    let close = bytes
        .iter()
        .take(2 + MAX_IPV6_LEN)
        .position(|&b| b == b']')
        .ok_or(OriginErrorKind::IpAddress)?;
    let text = std::str::from_utf8(&bytes[1..close]).map_err(|_| OriginErrorKind::IpAddress)?;
    let address: Ipv6Addr = text.parse().map_err(|_| OriginErrorKind::IpAddress)?;
    // An address has many spellings, and browsers send one.
    if serialise_ipv6(&address, &mut [0; MAX_IPV6_LEN]) == text.as_bytes() {
        Ok(close + 1)
    } else {
        Err(OriginErrorKind::IpAddressForm)
    }
}

pub(crate) const MAX_IPV6_LEN: usize = 39;

/// The [URL standard]'s serialisation, which differs from [`Ipv6Addr`]'s: no dotted quad in it.
///
/// [URL standard]: https://url.spec.whatwg.org/#concept-ipv6-serializer
pub(crate) fn serialise_ipv6<'a>(
    address: &Ipv6Addr,
    buffer: &'a mut [u8; MAX_IPV6_LEN],
) -> &'a [u8] {
    let segments = address.segments();
    let (zeros_at, zeros) = longest_run_of_zeros(&segments);
    let mut len = 0;
    let mut push = |byte| {
        buffer[len] = byte;
        len += 1;
    };
    let mut i = 0;
    while i < segments.len() {
        // Only the longest run of zeros is shortened, and only if it is longer than one.
        if zeros > 1 && i == zeros_at {
            push(b':');
            if i == 0 {
                push(b':');
            }
            i += zeros;
            continue;
        }
        let digits = 4 - (segments[i].leading_zeros() as usize / 4).min(3);
        for digit in (0..digits).rev() {
            push(b"0123456789abcdef"[usize::from(segments[i] >> (4 * digit)) & 0xf]);
        }
        i += 1;
        if i < segments.len() {
            push(b':');
        }
    }
    &buffer[..len]
}

fn longest_run_of_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let (mut best_at, mut best) = (0, 0);
    let mut run = 0;
    for (i, &segment) in segments.iter().enumerate() {
        run = if segment == 0 { run + 1 } else { 0 };
        // The first of several runs with the same length is shortened.
        if run > best {
            (best_at, best) = (i + 1 - run, run);
        }
    }
    (best_at, best)
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

pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse().is_ok_and(|a: Ipv6Addr| a.is_loopback()),
        None => host.parse().is_ok_and(|a: Ipv4Addr| a.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tuple::Origin;
    use super::*;

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
            ("https://a.example,https://b.example", K::Port),
            ("https://.example.com", K::Label),
            ("https://a..example.com", K::Label),
            ("https://.", K::Label),
            ("https://example.com:", K::Port),
            ("https://example.com:0", K::Port),
            ("https://example.com:080", K::Port),
            ("https://example.com:65536", K::Port),
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
        assert_eq!(
            kind(&format!("https://{}", "a.".repeat(40_000))),
            OriginErrorKind::Length
        );
    }

    #[test]
    fn ipv6_is_written_as_the_url_standard_writes_it() {
        for (address, expected) in [
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("::ffff:1.2.3.4", "::ffff:102:304"),
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
        ] {
            let address: Ipv6Addr = address.parse().unwrap();
            let written = serialise_ipv6(&address, &mut [0; MAX_IPV6_LEN]).to_vec();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    #[test]
    fn loopback_hosts() {
        for (origin, expected) in [
            ("http://localhost:3000", true),
            ("http://app.localhost", true),
            ("http://127.0.0.1", true),
            ("http://127.8.9.10", true),
            ("http://[::1]:8080", true),
            ("http://evil-localhost", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            let origin: Origin = origin.parse().unwrap();
            assert_eq!(origin.is_loopback(), expected, "{origin}");
        }
    }
}
