//! The mistake in a text that is not a pattern, as a person would name it.

use super::{
    error::OriginErrorKind as Kind,
    grammar::names_hosts,
    shape::{NO_PAGE, address_range},
    suggest::{is_local, looks_like_a_host},
};
use crate::leftover::{COMMA, Leftover, SEMICOLON, Separator, vertical_bar};

/// The mistake that a person would name. The parser stops at the first byte that it does not
/// expect, and its error may be about a consequence of the real mistake.
pub(super) fn obvious_mistake(text: &str) -> Option<Kind> {
    match text {
        "" => return Some(Kind::Empty),
        "*" => return Some(Kind::Any),
        "null" => return Some(Kind::Null),
        _ => {}
    }
    // `about:blank` and `data:text/html,x` are URLs without a host.
    let scheme_of_url = text.split(':').next().unwrap_or(text);
    if scheme_of_url.len() < text.len() && NO_PAGE.contains(&scheme_of_url.as_bytes()) {
        return Some(Kind::NoPage);
    }
    if let Some(kind) = leftover(text) {
        return Some(kind);
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
    // Of `file:///path`, the whole path is a mistake; the scheme is the more important one.
    if scheme == "file" {
        return Some(Kind::File);
    }
    if scheme.contains('*') {
        return Some(Kind::Wildcard);
    }
    let is_web = names_hosts(scheme.as_bytes());
    if is_web && text.contains(|c: char| c.is_ascii_uppercase()) && !rest.starts_with('[') {
        return Some(Kind::UpperCase);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Some(Kind::UserInfo);
    }
    if is_web && let Some(kind) = wildcard_for_too_much(authority) {
        return Some(kind);
    }
    if is_web && matches!(address_range(rest), Ok(Some(_)) | Err(_)) {
        // The parser's own error about the range is the better one.
        return None;
    }
    match rest.as_bytes().get(authority.len()) {
        Some(b'/') => Some(Kind::Path),
        Some(b'?') => Some(Kind::Query),
        Some(b'#') => Some(Kind::Fragment),
        _ => None,
    }
}

/// What is left of a list is reported before anything else: other mistakes may come from it.
pub(crate) fn leftover(text: &str) -> Option<Kind> {
    Leftover::in_entry(text, &SEPARATORS).map(|left| match left {
        Leftover::Joined(separators) => Kind::Joined(separators),
        Leftover::Quotes => Kind::Quotes,
        Leftover::Separator(separator) => Kind::Separator(separator),
    })
}

const SEPARATORS: [Separator; 4] = [
    COMMA,
    SEMICOLON,
    Separator {
        is: char::is_whitespace,
        one: "white space",
        several: "white space",
        // Beside one entry it is reported as white space, and `a .example` is one host.
        stands_between: |parts| parts.len() > 1 && are_entries(parts),
    },
    // A URL's path may have one.
    vertical_bar(are_entries),
];

fn are_entries(parts: &[&str]) -> bool {
    let names_a_host = |part: &&str| {
        let host = part
            .split_once("://")
            .map_or(*part, |(_, rest)| rest)
            .trim();
        is_local(host) || looks_like_a_host(host) && !host.starts_with('.') && !host.ends_with('.')
    };
    parts.iter().all(|part| part.contains("://")) || parts.iter().all(names_a_host)
}

/// A wildcard that would stand for any host, or for a part of an address.
fn wildcard_for_too_much(authority: &str) -> Option<Kind> {
    let host = authority.split(':').next().unwrap_or(authority);
    if host == "*" || host == "*." {
        return Some(Kind::AnyHost);
    }
    // `192.168.*`: numbers, and then only wildcards.
    let labels: Vec<&str> = host.split('.').collect();
    let is_number = |label: &&str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
    let numbers = labels.iter().take_while(|label| is_number(label)).count();
    let is_address = numbers > 0
        && numbers < labels.len()
        && labels[numbers..].iter().all(|label| *label == "*");
    is_address.then_some(Kind::AddressPart)
}
