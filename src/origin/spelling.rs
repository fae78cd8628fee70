//! Other people's spelling of an origin or a pattern, turned into the one that browsers send.

use super::{
    domain::{domain_to_ascii, split_host},
    error::OriginError,
    grammar::{default_port, names_hosts},
    pattern::{OriginPattern, PatternRef},
    shape::Permitted,
    suggest::{self, MAX_LEN},
};

/// The pattern that the text means, which may differ from the spelling of browsers in the case of
/// scheme and host, in Unicode letters, and in a default port. Only in the schemes of the web: the
/// host of an application is any text, and is sent as the application has it.
///
/// Nothing else is forgiven: a path, a missing scheme or another form of an address may be a
/// mistake about the origin that is meant.
pub(crate) fn parse_in_any_spelling(
    text: &str,
    permitted: Permitted,
) -> Result<OriginPattern, OriginError> {
    let parse =
        |text: &str| PatternRef::parse_with(text, permitted).map(PatternRef::to_owned_pattern);
    // Nearly all are written as browsers send them. Lists can have a million.
    parse(text).or_else(|kind| match as_sent(text) {
        // What is left is the mistake to report.
        Some(sent) => parse(&sent).map_err(|kind| suggest::explain(kind, &sent)),
        None => Err(suggest::explain(kind, text)),
    })
}

fn as_sent(text: &str) -> Option<String> {
    // The tables of Unicode are not for a text of any length.
    if text.len() > MAX_LEN {
        return None;
    }
    let (scheme, authority) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if !names_hosts(scheme.as_bytes()) {
        return None;
    }
    let (host, port) = split_host(authority)?;
    let host = host_as_sent(host)?;
    let default = default_port(scheme.as_bytes()).map(|port| format!(":{port}"));
    let port = if default.as_deref() == Some(port) {
        ""
    } else {
        port
    };
    Some(format!("{scheme}://{host}{port}"))
}

fn host_as_sent(host: &str) -> Option<String> {
    if host.is_ascii() {
        return Some(host.to_ascii_lowercase());
    }
    // A wildcard is in the first label, of which Unicode knows nothing.
    match host.split_once('.') {
        Some((label, base)) if label.contains('*') => {
            let label = label.is_ascii().then(|| label.to_ascii_lowercase())?;
            Some(format!("{label}.{}", domain_to_ascii(base)?))
        }
        _ => domain_to_ascii(host),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::error::OriginErrorKind as Kind, *};

    fn parse(text: &str) -> Result<String, Kind> {
        parse_in_any_spelling(text, Permitted::default())
            .map(|pattern| pattern.as_str().to_owned())
            .map_err(|error| error.kind())
    }

    #[test]
    fn other_spellings_become_the_one_that_browsers_send() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://SHOP.example", "https://shop.example"),
            ("HTTPS://Shop.Example", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("Http://shop.example:80", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
            ("https://SHOP.example:8443", "https://shop.example:8443"),
            ("https://SHOP.example.", "https://shop.example."),
            (
                "https://Bücher.example:443",
                "https://xn--bcher-kva.example",
            ),
            (
                "https://XN--BCHER-KVA.example",
                "https://xn--bcher-kva.example",
            ),
            ("https://shop。example", "https://shop.example"),
            ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
            ("HTTP://127.0.0.1:80", "http://127.0.0.1"),
            ("https://*.SHOP.example", "https://*.shop.example"),
            ("https://*.SHOP.example:443", "https://*.shop.example"),
            ("HTTPS://*.SHOP.example:*", "https://*.shop.example:*"),
            ("https://PR-*.SHOP.example", "https://pr-*.shop.example"),
            (
                "https://*.Bücher.example",
                "https://*.xn--bcher-kva.example",
            ),
            (
                "https://pr-*.bücher.example",
                "https://pr-*.xn--bcher-kva.example",
            ),
            ("tauri://localhost", "tauri://localhost"),
            ("app://Shop.Example:443", "app://Shop.Example:443"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn only_texts_that_are_not_too_long_are_spelt_anew() {
        let upper_case = |len: usize| format!("https://{}", "A".repeat(len - "https://".len()));
        // No label is that long in any spelling, and that is left of the shorter one.
        assert_eq!(parse(&upper_case(MAX_LEN)), Err(Kind::Label));
        assert_eq!(parse(&upper_case(MAX_LEN + 1)), Err(Kind::UpperCase));
    }

    #[test]
    fn nothing_else_is_forgiven() {
        for (text, expected) in [
            ("", Kind::Empty),
            ("NULL", Kind::Scheme),
            ("SHOP.example", Kind::Scheme),
            ("SHOP.example:443", Kind::Scheme),
            ("//SHOP.example", Kind::Scheme),
            ("HTTPS:SHOP.example", Kind::Scheme),
            ("https://SHOP.example/", Kind::Path),
            ("https://SHOP.example:443/", Kind::Path),
            ("https://SHOP.example?q", Kind::Query),
            ("https://SHOP.example#f", Kind::Fragment),
            ("https://user@SHOP.example", Kind::UserInfo),
            ("https://a@b:443", Kind::UserInfo),
            ("https://SHOP.example..", Kind::TrailingDots),
            (" https://SHOP.example", Kind::Space),
            ("https://SHOP.example ", Kind::Space),
            ("https://SHOP.example:", Kind::Port),
            ("https://SHOP.example:0443", Kind::Port),
            ("https://SHOP.example:+443", Kind::Port),
            ("https://SHOP.example:443:443", Kind::Port),
            ("https://SHOP.example:8080:443", Kind::Port),
            ("https://SHOP.example:65536", Kind::Port),
            ("https://[0:0:0:0:0:0:0:1]", Kind::IpAddressForm),
            ("https://[::1", Kind::IpAddress),
            ("https://0X7F.1", Kind::IpAddress),
            ("https://１２７.1", Kind::IpAddress),
            ("https://*", Kind::AnyHost),
            ("https://*:443", Kind::AnyHost),
            ("https://*.*.SHOP.example", Kind::RepeatedWildcard),
            // The `*` of full width is no wildcard, nor are the other look-alikes punctuation.
            ("https://＊.shop.example", Kind::NonAscii),
            ("https://shop.example；b.example", Kind::NonAscii),
            ("https://shop.example／a", Kind::NonAscii),
            ("https://bü-*.shop.example", Kind::NonAscii),
            ("https://*。shop.example", Kind::NonAscii),
            ("https://a\u{202e}.example", Kind::NonAscii),
            ("WSS://SHOP.example", Kind::NoPage),
            ("FILE://", Kind::UpperCase),
            // The schemes of applications keep their bytes.
            ("Tauri://localhost", Kind::UpperCase),
            ("tauri://bücher", Kind::NonAscii),
        ] {
            assert_eq!(parse(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_not_folded() {
        let text = |len: usize| format!("https://{}", "ü".repeat((len - "https://".len()) / 2));
        assert_eq!(as_sent(&text(MAX_LEN + 2)), None);
        assert!(as_sent(&text(200)).is_some());
    }
}
