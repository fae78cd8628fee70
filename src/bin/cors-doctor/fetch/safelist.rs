//! Which headers of a request a preflight has to announce.

use http::{HeaderName, HeaderValue};

use super::{
    Browser,
    safelisted_value::{MAX_VALUE_LEN, is_safelisted_value},
};

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

/// <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>, and client hints in Chromium.
fn is_safelisted(name: &str, value: &[u8], browser: Browser) -> bool {
    is_safelisted_value(name, value) || browser == Browser::Chromium && is_client_hint(name, value)
}

/// Client hints that a script sets: Chromium announces none of them.
fn is_client_hint(name: &str, value: &[u8]) -> bool {
    if value.len() > MAX_VALUE_LEN {
        return false;
    }
    match name {
        "dpr" | "width" | "viewport-width" | "device-memory" | "rtt" | "downlink" => {
            value.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        }
        "ect" => true,
        "save-data" => value.eq_ignore_ascii_case(b"on"),
        _ => false,
    }
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
