//! The `Origin` header: `null`, or scheme, host and port in the one spelling that browsers send.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What one well-formed `Origin` line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Null,
    Origin(Origin),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub scheme: String,
    pub host: String,
    /// Empty for the scheme's default port.
    pub port: String,
}

/// `None` if no browser sends these bytes.
pub fn read(bytes: &[u8]) -> Option<Sent> {
    let text = std::str::from_utf8(bytes).ok()?;
    if text == "null" {
        return Some(Sent::Null);
    }
    parse(text).map(Sent::Origin)
}

pub fn parse(text: &str) -> Option<Origin> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, port) = split_port(rest)?;
    let is_host = if is_web(scheme) {
        is_web_host(host)
    } else {
        is_application_host(host)
    };
    (is_scheme(scheme) && is_host && is_port(port, scheme)).then(|| Origin {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        port: port.unwrap_or("").to_owned(),
    })
}

/// The host, and the port behind its colon.
pub fn split_port(rest: &str) -> Option<(&str, Option<&str>)> {
    let end = if rest.starts_with('[') {
        rest.find(']')? + 1
    } else {
        rest.find(':').unwrap_or(rest.len())
    };
    let (host, behind) = rest.split_at(end);
    match behind.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None => behind.is_empty().then_some((host, None)),
    }
}

/// RFC 3986, section 3.1, in lower case, and `_`, which private schemes have.
pub fn is_scheme(scheme: &str) -> bool {
    let is_of_a_scheme =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ['+', '-', '.', '_'].contains(&c);
    scheme.len() <= 64
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(is_of_a_scheme)
}

/// Schemes whose hosts are domains and addresses. All others belong to applications.
pub fn is_web(scheme: &str) -> bool {
    ["http", "https", "ws", "wss", "ftp"].contains(&scheme)
}

/// A number without leading zeros, and not the default one.
pub fn is_port(port: Option<&str>, scheme: &str) -> bool {
    let Some(port) = port else {
        return true;
    };
    let is_number = (1..=5).contains(&port.len()) && port.chars().all(|c| c.is_ascii_digit());
    let is_default = match scheme {
        "http" | "ws" => port == "80",
        "https" | "wss" => port == "443",
        _ => false,
    };
    is_number && !port.starts_with('0') && port.parse::<u32>().unwrap() <= 65535 && !is_default
}

pub fn is_web_host(host: &str) -> bool {
    if host.starts_with('[') {
        return is_ipv6(host);
    }
    // A fully qualified name has a dot at its end.
    let name = host.strip_suffix('.').unwrap_or(host);
    let labels: Vec<&str> = name.split('.').collect();
    let is_domain = name.len() <= 253 && labels.iter().all(|label| is_label(label));
    // https://url.spec.whatwg.org/#ends-in-a-number-checker
    let last = labels[labels.len() - 1];
    let is_number = match last.strip_prefix("0x") {
        Some(hex) => hex.chars().all(|c| c.is_ascii_hexdigit()),
        None => last.chars().all(|c| c.is_ascii_digit()),
    };
    is_domain && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

/// <https://url.spec.whatwg.org/#forbidden-domain-code-point>, without upper case and the dot.
pub fn is_label(label: &str) -> bool {
    let is_forbidden = |c: char| "#%/:<>?@[\\]^|.".contains(c) || c.is_ascii_uppercase();
    (1..=63).contains(&label.len())
        && label
            .chars()
            .all(|c| c.is_ascii_graphic() && !is_forbidden(c))
}

/// RFC 3986, section 3.2.2: a name of any form. A comma would separate it from the next header value.
pub fn is_application_host(host: &str) -> bool {
    if host.starts_with('[') {
        return is_ipv6(host);
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+;=".contains(c);
    let mut parts = host.split('%');
    let first = parts.next().unwrap();
    let is_escaped = |part: &str| {
        let (digits, rest) = part.split_at_checked(2).unwrap_or(("", ""));
        digits.len() == 2
            && digits.chars().all(|c| c.is_ascii_hexdigit())
            && rest.chars().all(is_plain)
    };
    host.len() <= 253 && first.chars().all(is_plain) && parts.all(is_escaped)
}

/// Whether the text, in its brackets, is an address as browsers write it
/// (<https://url.spec.whatwg.org/#concept-ipv6-serializer>).
fn is_ipv6(host: &str) -> bool {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok());
    address.is_some_and(|address| host == write_ipv6(address))
}

pub fn write_ipv6(address: Ipv6Addr) -> String {
    let pieces: Vec<String> = address
        .segments()
        .iter()
        .map(|s| format!("{s:x}"))
        .collect();
    // The longest run of zeros becomes `::`, the first of several; a single zero stays.
    for length in (2..=8).rev() {
        for start in 0..=8 - length {
            if pieces[start..start + length]
                .iter()
                .all(|piece| piece == "0")
            {
                let (before, after) = (&pieces[..start], &pieces[start + length..]);
                return format!("[{}::{}]", before.join(":"), after.join(":"));
            }
        }
    }
    format!("[{}]", pieces.join(":"))
}

/// <https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy>
pub fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_v4 = host
        .parse::<Ipv4Addr>()
        .is_ok_and(|address| address.octets()[0] == 127);
    name == "localhost" || name.ends_with(".localhost") || is_v4 || host == "[::1]"
}
