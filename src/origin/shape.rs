//! Where the parts of a pattern stand in its text, and what is wrong with a text that is none.

use super::{
    error::OriginErrorKind as Kind,
    grammar::{MAX_HOST_LEN, host_len, narrow, parse_port, registrable_len, scheme_end},
    punycode::is_punycode,
};

/// Where the parts of a pattern stand in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) scheme_end: u16,
    pub(super) host_end: u16,
    pub(super) subdomains: bool,
    pub(super) port: PortPattern,
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

impl Shape {
    /// Behind `://`, and behind `*.` where names below the host are meant.
    pub(super) fn host_start(&self) -> usize {
        usize::from(self.scheme_end) + 3 + if self.subdomains { 2 } else { 0 }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Kind> {
        // What is well-formed has none of those mistakes.
        Self::parse_well_formed(text).map_err(|kind| obvious_mistake(text).unwrap_or(kind))
    }

    fn parse_well_formed(text: &str) -> Result<Self, Kind> {
        let bytes = text.as_bytes();
        let scheme_end = scheme_end(bytes)?;
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
            port => PortPattern::Exactly(parse_port(port, scheme)?),
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
    // These are characters that browsers send, too.
    host_len(rest.as_bytes()).err().unwrap_or(Kind::Character)
}
