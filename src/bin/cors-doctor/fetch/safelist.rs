//! Which headers of a request a preflight has to announce.

use http::{HeaderName, HeaderValue};

use super::Browser;

/// <https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names>: in lower case, sorted, each
/// once.
pub(crate) fn unsafe_names(headers: &[(HeaderName, HeaderValue)], browser: Browser) -> Vec<String> {
    /// All safelisted values together, in bytes.
    const MAX_SUM: usize = 1024;
    let is_safe = |(name, value): &(HeaderName, HeaderValue)| {
        is_safelisted(name.as_str(), value.as_bytes(), browser)
    };
    let sum: usize = headers
        .iter()
        .filter(|h| is_safe(h))
        .map(|(_, v)| v.len())
        .sum();
    let mut names: Vec<String> = headers
        .iter()
        .filter(|header| sum > MAX_SUM || !is_safe(header))
        .map(|(name, _)| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>
fn is_safelisted(name: &str, value: &[u8], browser: Browser) -> bool {
    /// Of one value, in bytes.
    const MAX_LEN: usize = 128;
    if value.len() > MAX_LEN {
        return false;
    }
    let is_language = |byte: &u8| byte.is_ascii_alphanumeric() || b" *,-.;=".contains(byte);
    match name {
        "accept" => !value.iter().any(is_unsafe_byte),
        "accept-language" | "content-language" => value.iter().all(is_language),
        "content-type" => !value.iter().any(is_unsafe_byte) && is_simple_type(value),
        "range" => is_simple_range(value),
        // Client hints that a script sets: Chromium announces none of them.
        "dpr" | "width" | "viewport-width" | "device-memory" | "rtt" | "downlink" => {
            browser == Browser::Chromium && value.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        }
        "ect" => browser == Browser::Chromium,
        "save-data" => browser == Browser::Chromium && value.eq_ignore_ascii_case(b"on"),
        _ => false,
    }
}

/// <https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte>
fn is_unsafe_byte(byte: &u8) -> bool {
    matches!(byte, 0..0x20 if *byte != b'\t') || b"\"():<>?@[\\]{}\x7f".contains(byte)
}

fn is_simple_type(value: &[u8]) -> bool {
    const SIMPLE: [&[u8]; 3] = [
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"text/plain",
    ];
    let essence = value.split(|&b| b == b';').next().unwrap_or(value);
    SIMPLE
        .iter()
        .any(|simple| essence.trim_ascii().eq_ignore_ascii_case(simple))
}

/// `bytes=N-` or `bytes=N-M`, <https://fetch.spec.whatwg.org/#simple-range-header-value>.
fn is_simple_range(value: &[u8]) -> bool {
    let range = std::str::from_utf8(value).ok();
    let Some((first, last)) = range
        .and_then(|text| text.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // By length first: the numbers may have any.
    let order = |text: &str| {
        let digits = text.trim_start_matches('0').to_owned();
        (digits.len(), digits)
    };
    is_number(first) && (last.is_empty() || is_number(last) && order(first) <= order(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &[(&str, &str)], browser: Browser) -> Vec<String> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| {
                (
                    HeaderName::try_from(*n).unwrap(),
                    HeaderValue::try_from(*v).unwrap(),
                )
            })
            .collect();
        unsafe_names(&headers, browser)
    }

    #[test]
    fn values_count() {
        for (name, value, is_safe) in [
            ("accept", "application/json", true),
            ("accept", "a{b", false),
            ("accept-language", "de-CH, *;q=0.5", true),
            ("accept-language", "de_CH", false),
            ("content-type", "text/plain;charset=UTF-8", true),
            ("content-type", "application/json", false),
            ("range", "bytes=0-", true),
            ("range", "bytes=9-10", true),
            ("range", "bytes=10-9", false),
            ("range", "bytes=-5", false),
            ("authorization", "x", false),
            ("dpr", "2", true),
            ("save-data", "off", false),
        ] {
            let found = names(&[(name, value)], Browser::Chromium);
            assert_eq!(found.is_empty(), is_safe, "{name}: {value}");
        }
        assert_eq!(names(&[("dpr", "2")], Browser::Standard), ["dpr"]);
        assert_eq!(
            names(&[("accept", &"a".repeat(129))], Browser::Chromium),
            ["accept"]
        );
    }

    #[test]
    fn names_are_sorted_and_come_once() {
        let sent = [("x-b", "1"), ("accept", "a"), ("X-A", "1"), ("x-b", "2")];
        assert_eq!(names(&sent, Browser::Chromium), ["x-a", "x-b"]);
        let long = "a".repeat(120);
        let many: Vec<(&str, &str)> = (0..9).map(|_| ("accept", long.as_str())).collect();
        assert_eq!(names(&many, Browser::Chromium), ["accept"]);
    }
}
