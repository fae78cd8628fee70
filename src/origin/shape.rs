//! Parses a pattern into the offsets of its parts.

use std::net::Ipv4Addr;

use super::{
    error::OriginErrorKind as Kind,
    grammar::{names_hosts, narrow, parse_port, scheme_end},
    host::{MAX_HOST_LEN, application_host_len, host_len, is_usual_host, registrable_len},
    mistake::obvious_mistake,
    public_suffix::is_registry_suffix,
    punycode::is_punycode,
};

/// The offsets of a pattern's parts in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) scheme_end: u16,
    pub(super) host_end: u16,
    pub(super) host: HostPattern,
    pub(super) port: PortPattern,
}

/// The hosts that a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    /// The host as it is written.
    Exactly,
    /// `*.` and a base: the names below the base.
    Subdomains,
    /// One `*` within the first label, this many bytes behind the beginning of the host.
    InLabel(u16),
    /// `*` alone: every host of an application's scheme.
    Any,
    /// `/` and a number of fixed bits: a range of IPv4 addresses.
    Range(u8),
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

/// Entries that a list may contain only after a method named `dangerously_...` was called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Permitted {
    /// `file://`.
    pub(crate) file: bool,
    /// Ranges of addresses.
    pub(crate) ranges: bool,
}

impl Shape {
    /// Behind `://`, and behind `*.` if names below the host are meant.
    pub(super) fn host_start(&self) -> usize {
        let star = if self.host == HostPattern::Subdomains {
            2
        } else {
            0
        };
        usize::from(self.scheme_end) + 3 + star
    }

    pub(super) fn parse(text: &str) -> Result<Self, Kind> {
        Self::parse_with(text, Permitted::default())
    }

    pub(super) fn parse_with(text: &str, permitted: Permitted) -> Result<Self, Kind> {
        // Parse first, so that a correct entry costs one pass: lists can be long. Then look for the
        // mistake that a person would name.
        Self::parse_well_formed(text, permitted)
            .map_err(|kind| obvious_mistake(text).unwrap_or(kind))
    }

    fn parse_well_formed(text: &str, permitted: Permitted) -> Result<Self, Kind> {
        let bytes = text.as_bytes();
        // The fast way for nearly every entry. The rest of this function gives the same result.
        if let Some(host) = bytes.strip_prefix(b"https://") {
            let (pattern, name) = match host.strip_prefix(b"*.") {
                Some(base) => (HostPattern::Subdomains, base),
                None => (HostPattern::Exactly, host),
            };
            if is_usual_host(name) {
                return Ok(Self {
                    scheme_end: 5,
                    host_end: narrow(bytes.len()),
                    host: pattern,
                    port: PortPattern::Exactly(None),
                });
            }
        }
        let scheme_end = scheme_end(bytes)?;
        let scheme = &bytes[..scheme_end];
        if scheme == b"file" && !(permitted.file && text == "file://") {
            return Err(Kind::File);
        }
        if NO_PAGE.contains(&scheme) {
            return Err(Kind::NoPage);
        }
        let authority = &text[scheme_end + 3..];
        let is_web = names_hosts(scheme);
        let (host, host_len) = match authority.strip_prefix("*.") {
            Some(base) => (HostPattern::Subdomains, 2 + base_len(base, is_web)?),
            None if is_web => web_host(authority, permitted)?,
            None => application_host(authority)?,
        };
        // `:*` matches every port, the default one too, which browsers leave out.
        let port = match &authority.as_bytes()[host_len..] {
            b":*" => PortPattern::Any,
            port => PortPattern::Exactly(parse_port(port, scheme)?),
        };
        Ok(Self {
            scheme_end: narrow(scheme_end),
            host_end: narrow(scheme_end + 3 + host_len),
            host,
            port,
        })
    }
}

/// Schemes that no page's origin has: `ws` and `wss` URLs are not pages, browsers no longer show
/// `ftp` pages, and the pages of the others have opaque origins, which are sent as `null`.
pub(super) const NO_PAGE: [&[u8]; 7] = [
    b"ws",
    b"wss",
    b"ftp",
    b"data",
    b"blob",
    b"about",
    b"javascript",
];

/// The length of the base that begins `rest`, if there can be names below it.
fn base_len(rest: &str, is_web: bool) -> Result<usize, Kind> {
    let len = configured_host_len(rest)?;
    let base = &rest[..len];
    if base.starts_with('[') || base.parse::<Ipv4Addr>().is_ok() {
        return Err(Kind::AddressWildcard);
    }
    // A dot at the end of a DNS name does not count. The shortest name below the base is two
    // characters longer.
    let uncounted = usize::from(is_web && base.ends_with('.'));
    if len - uncounted + 2 > MAX_HOST_LEN {
        return Err(Kind::Length);
    }
    Ok(len)
}

/// The pattern for the host that begins `authority` in a scheme of the web, and its length. Names
/// below a base are not among these.
fn web_host(authority: &str, permitted: Permitted) -> Result<(HostPattern, usize), Kind> {
    if let Some((bits, len)) = address_range(authority)? {
        return if permitted.ranges {
            Ok((HostPattern::Range(bits), len))
        } else {
            Err(Kind::AddressRange)
        };
    }
    // `https://pr-*.example.com`, as preview deployments have.
    if let Some(star) = star_in_first_label(authority) {
        // With a letter in place of the `*`, it must be a name that can be registered. So there is no
        // other `*`.
        let mut name = authority.to_owned();
        name.replace_range(star..=star, "x");
        let len = configured_host_len(&name)?;
        // Directly below a registry's suffix, `*shop.com` would match other people's domains. It is
        // more likely a misspelt `*.shop.com`.
        let base = name[..len].split_once('.').map_or("", |(_, base)| base);
        if base.is_empty() || is_registry_suffix(base) {
            return Err(Kind::Wildcard);
        }
        return Ok((HostPattern::InLabel(narrow(star)), len));
    }
    Ok((HostPattern::Exactly, configured_host_len(authority)?))
}

/// The same in a scheme of an application.
fn application_host(authority: &str) -> Result<(HostPattern, usize), Kind> {
    let len = application_host_len(authority.as_bytes())?;
    match &authority[..len] {
        "*" => Ok((HostPattern::Any, len)),
        host if host.contains('*') => Err(Kind::ApplicationWildcard),
        _ => Ok((HostPattern::Exactly, len)),
    }
}

/// Where the first `*` stands in the first label of a name.
fn star_in_first_label(authority: &str) -> Option<usize> {
    let host = authority.split(':').next().unwrap_or(authority);
    let (label, _) = host.split_once('.')?;
    label.find('*')
}

/// The number of fixed bits and the length of the range of addresses that begins `authority`.
pub(super) fn address_range(authority: &str) -> Result<Option<(u8, usize)>, Kind> {
    let Some((address, rest)) = authority.split_once('/') else {
        return Ok(None);
    };
    let Ok(address) = address.parse::<Ipv4Addr>() else {
        return Ok(None);
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let bits: u8 = match rest[..digits].parse() {
        Ok(bits @ 8..=32) if !rest.starts_with('0') => bits,
        // Only a slash at the end: that is reported as a path.
        Err(_) if rest.is_empty() => return Ok(None),
        _ => return Err(Kind::AddressRangeForm),
    };
    // 192.168.1.0/16 is probably a mistake: it would match more than it seems to.
    if u32::from(address) & !mask(bits) != 0 {
        return Err(Kind::AddressRangeForm);
    }
    Ok(Some((bits, authority.len() - rest.len() + digits)))
}

/// The netmask with this many fixed bits.
pub(super) fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

/// The length of the host that begins `rest`. Stricter than the grammar of origins: the host must
/// be a name that can be registered. People write lists and mistype, and browsers do not.
fn configured_host_len(rest: &str) -> Result<usize, Kind> {
    if rest.starts_with('[') {
        return host_len(rest.as_bytes());
    }
    let mut malformed = None;
    let len = registrable_len(rest.as_bytes(), |label| {
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
        return if host.starts_with("*.") {
            Kind::RepeatedWildcard
        } else {
            Kind::Wildcard
        };
    }
    if host.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))) {
        return Kind::Character;
    }
    if host.ends_with("..") {
        return Kind::TrailingDots;
    }
    // The characters are fine, so the grammar of origins knows what is wrong.
    host_len(rest.as_bytes()).err().unwrap_or(Kind::Character)
}
