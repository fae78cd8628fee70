//! Guesses which origin was meant by a text that is not one, for error texts.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    error::{OriginError, OriginErrorKind},
    grammar::default_port,
    ipv6::{MAX_IPV6_LEN, serialise_ipv6},
    shape::Shape,
};
use crate::leftover::QUOTES;

/// The longest text for which a guess is made, in bytes.
pub(super) const MAX_LEN: usize = 2048;

/// The error for `text`, with the right spelling where that is clear.
pub(crate) fn explain(kind: OriginErrorKind, text: &str) -> OriginError {
    explain_where(kind, text, Some)
}

/// The same where not every origin can be set: `settable` gives the one to write in place of the
/// spelling that was meant.
pub(crate) fn explain_where(
    kind: OriginErrorKind,
    text: &str,
    settable: impl FnOnce(String) -> Option<String>,
) -> OriginError {
    let suggestion = match kind {
        // The address alone, without its range, would be another mistake.
        OriginErrorKind::AddressRange | OriginErrorKind::AddressRangeForm => None,
        _ => suggested_origin(text).and_then(settable),
    };
    OriginError::with_suggestion(kind, suggestion)
}

/// The origin or pattern that browsers would send for `text`, if that is clear and another text.
pub(crate) fn suggested_origin(text: &str) -> Option<String> {
    if text.len() > MAX_LEN {
        return None;
    }
    // These come from shells and files.
    let is_around =
        |c: char| c.is_whitespace() || QUOTES.contains(&c) || matches!(c, ',' | ';' | '|');
    let trimmed = text.trim_matches(is_around);
    let (scheme, rest) = match trimmed.split_once("://") {
        // A page that opens a WebSocket has an http or https origin.
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            "ws" => ("http".to_owned(), rest),
            "wss" => ("https".to_owned(), rest),
            other => (other.to_owned(), rest),
        },
        None if is_local(trimmed) => ("http".to_owned(), trimmed),
        None if looks_like_a_host(trimmed) => ("https".to_owned(), trimmed),
        None => return None,
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
        .trim();
    let (host, port) = split_port(authority);
    let host = host_as_sent(host)?;
    let port = port.trim_start_matches('0');
    let port = match port.parse::<u16>() {
        Ok(port) if default_port(scheme.as_bytes()) == Some(port) => String::new(),
        Ok(port) => format!(":{port}"),
        Err(_) if port == "*" => ":*".to_owned(),
        Err(_) if port.is_empty() => String::new(),
        Err(_) => return None,
    };
    let guess = format!("{scheme}://{host}{port}");
    // Never propose a text that would be refused as well.
    (guess != text && Shape::parse(&guess).is_ok()).then_some(guess)
}

pub(super) fn looks_like_a_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    host.contains('.')
        && !host.contains(|c: char| c.is_whitespace() || "/,;".contains(c))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text means the developer's own machine, which rarely has a certificate.
pub(super) fn is_local(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let host = host.to_ascii_lowercase();
    (host == "localhost" || host == "127.0.0.1")
        && port.bytes().all(|b| b.is_ascii_digit() || b == b'*')
}

fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    }
}

/// The host as the URL standard serialises it.
fn host_as_sent(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().ok()?;
        let mut buffer = [0; MAX_IPV6_LEN];
        let written = serialise_ipv6(&address, &mut buffer);
        return Some(format!("[{}]", std::str::from_utf8(written).ok()?));
    }
    let (star, name) = match host.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", host),
    };
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(format!("{star}{address}"));
    }
    Some(format!("{star}{}", ascii_domain(name)?))
}

/// The domain's A-labels, in lower case; others than ASCII ones need the feature `idna`.
fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase());
    }
    #[cfg(feature = "idna")]
    let encoded = super::domain::domain_to_ascii(domain);
    #[cfg(not(feature = "idna"))]
    let encoded = None;
    encoded
}

#[cfg(test)]
mod tests {
    use super::{MAX_LEN, suggested_origin};

    #[test]
    fn the_spelling_that_was_meant() {
        for (text, expected) in [
            ("https://example.com/", "https://example.com"),
            ("https://example.com/path?q#f", "https://example.com"),
            (" HTTPS://Example.COM ", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://example.com:0080", "http://example.com"),
            ("http://example.com:8080/", "http://example.com:8080"),
            ("https://user:pw@example.com", "https://example.com"),
            ("example.com", "https://example.com"),
            ("example.com:8443", "https://example.com:8443"),
            ("localhost:3000", "http://localhost:3000"),
            ("localhost:*", "http://localhost:*"),
            ("wss://app.example.com", "https://app.example.com"),
            ("ws://app.example.com:8080", "http://app.example.com:8080"),
            ("\"https://example.com\"", "https://example.com"),
            ("‘https://example.com’,", "https://example.com"),
            ("https://example.com;", "https://example.com"),
            ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
            ("https://*.Example.com/", "https://*.example.com"),
            ("http://LOCALHOST:*", "http://localhost:*"),
        ] {
            assert_eq!(suggested_origin(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_not_looked_at() {
        let path = |len: usize| {
            let origin = "https://a.example/";
            format!("{origin}{}", "x".repeat(len - origin.len()))
        };
        assert!(suggested_origin(&path(MAX_LEN)).is_some());
        assert_eq!(suggested_origin(&path(MAX_LEN + 1)), None);
    }

    #[test]
    fn no_guess_is_better_than_a_wrong_one() {
        for text in [
            "",
            "nope",
            "null",
            "https://",
            "https://a..b",
            "https://example.com",
            "https://foo*.example.com",
            // The `*` of full width.
            "https://＊.example.com",
            "https://example.com:99999",
            "https://a.example;https://b.example",
            "a.example,b.example",
            "a.example/path",
        ] {
            assert_eq!(suggested_origin(text), None, "{text}");
        }
    }

    #[test]
    #[cfg(feature = "idna")]
    fn internationalised_names() {
        assert_eq!(
            suggested_origin("https://Bücher.example/").as_deref(),
            Some("https://xn--bcher-kva.example")
        );
    }

    #[test]
    #[cfg(not(feature = "idna"))]
    fn internationalised_names_need_the_feature() {
        assert_eq!(suggested_origin("https://bücher.example"), None);
    }
}
