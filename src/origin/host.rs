//! The grammar of hosts in a serialised origin: domains, addresses, and the hosts of applications.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{error::OriginErrorKind, ipv6::ipv6_len};
use crate::pairs::are_usual;

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
    // A name of 63 bytes has no label that is too long. Two marks side by side are an empty label, a
    // hyphen at the end of a label, or the prefix of Punycode, which has rules of its own.
    text.len() <= MAX_LABEL_LEN
        && !is_mark(first)
        && !is_mark(last)
        && are_usual(text, b'-', b'.')
        && !ends_in_a_number(text)
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
    use super::{
        super::{error::OriginErrorKind, tuple::Origin},
        *,
    };

    #[test]
    fn only_ordinary_names_are_usual() {
        let longest = format!("{}.com", "a".repeat(MAX_LABEL_LEN - 4));
        for host in ["a", "example.com", "a-z.0-9.example", "x-n.a.1a", &longest] {
            assert!(is_usual_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ".a",
            "-a",
            "a.",
            "a-",
            "a..b",
            "xn--a.b",
            "a-.b",
            "a.-b",
            "A.b",
            "aB",
            // The neighbours of letters and digits.
            "a`b",
            "a{b",
            "{a",
            "a/b",
            "a:b",
            "a_b",
            "1.2.3.4",
            "a.0x",
            &format!("a{longest}"),
        ] {
            assert!(!is_usual_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn hosts_of_applications() {
        for (bytes, expected) in [
            ("", Some(0)),
            ("-", Some(1)),
            (":1", Some(0)),
            ("a..b", Some(4)),
            ("a%2Fb%c3:1", Some(8)),
            ("%41", Some(3)),
            ("%4", None),
            ("%4g", None),
            ("%g4", None),
            ("%%41", None),
            ("a,b", None),
            ("a/", None),
        ] {
            let expected = expected.ok_or(OriginErrorKind::Character);
            assert_eq!(application_host_len(bytes.as_bytes()), expected, "{bytes}");
        }
        let longest = "a".repeat(MAX_HOST_LEN);
        assert_eq!(application_host_len(longest.as_bytes()), Ok(MAX_HOST_LEN));
        let longer = longest + "a";
        let expected = Err(OriginErrorKind::Length);
        assert_eq!(application_host_len(longer.as_bytes()), expected);
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
