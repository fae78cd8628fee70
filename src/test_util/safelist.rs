use std::cmp::Ordering;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The names that need a preflight's permission, in lower case, sorted, each once
/// ([Fetch, CORS-unsafe request-header names]).
///
/// [Fetch, CORS-unsafe request-header names]: https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
pub(super) fn unsafe_names(headers: &HeaderMap) -> Vec<&HeaderName> {
    /// All safelisted values together.
    const MAX_SUM: usize = 1024;
    let mut names = Vec::new();
    let mut potentially_unsafe = Vec::new();
    let mut sum = 0;
    for (name, value) in headers {
        if is_safelisted(name, value) {
            potentially_unsafe.push(name);
            sum += value.len();
        } else {
            names.push(name);
        }
    }
    if sum > MAX_SUM {
        names.extend(potentially_unsafe);
    }
    names.sort_unstable_by_key(|name| name.as_str());
    names.dedup();
    names
}

/// <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>
fn is_safelisted(name: &HeaderName, value: &HeaderValue) -> bool {
    const MAX_LEN: usize = 128;
    let value = value.as_bytes();
    if value.len() > MAX_LEN {
        return false;
    }
    match name.as_str() {
        "accept" => !value.iter().any(is_unsafe_byte),
        "accept-language" | "content-language" => value.iter().all(is_language_byte),
        "content-type" => !value.iter().any(is_unsafe_byte) && is_simple_content_type(value),
        "range" => is_simple_range(value),
        _ => false,
    }
}

/// <https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte>
fn is_unsafe_byte(byte: &u8) -> bool {
    matches!(byte, 0..0x20 if *byte != b'\t') || b"\"():<>?@[\\]{}\x7f".contains(byte)
}

fn is_language_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b" *,-.;=".contains(byte)
}

/// The essence alone matters (<https://mimesniff.spec.whatwg.org/#parse-a-mime-type>).
fn is_simple_content_type(value: &[u8]) -> bool {
    const ESSENCES: [&str; 3] = [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
    ];
    let essence = value.split(|&byte| byte == b';').next().unwrap_or(value);
    // White space around the whole, and before the parameters, does not belong to it.
    let essence = essence.trim_ascii();
    ESSENCES
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known.as_bytes()))
}

/// `bytes=N-` or `bytes=N-M`
/// (<https://fetch.spec.whatwg.org/#simple-range-header-value>, without white space).
fn is_simple_range(value: &[u8]) -> bool {
    let Some(range) = value.strip_prefix(b"bytes=") else {
        return false;
    };
    let mut ends = range.splitn(2, |&byte| byte == b'-');
    let (Some(first), Some(last)) = (ends.next(), ends.next()) else {
        return false;
    };
    let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    let in_order = last.is_empty() || compare_numbers(first, last) != Ordering::Greater;
    !first.is_empty() && is_number(first) && is_number(last) && in_order
}

/// Decimal numbers of any length.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| {
        digits
            .iter()
            .skip_while(|d| **d == b'0')
            .copied()
            .collect::<Vec<u8>>()
    };
    let (a, b) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safelisted(name: &str, value: &[u8]) -> bool {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        is_safelisted(&name, &HeaderValue::from_bytes(value).unwrap())
    }

    #[test]
    fn values_count() {
        for (name, value, expected) in [
            ("accept", "text/html, */*;q=0.1", true),
            ("accept", "text/html\t", true),
            ("accept", "\"x\"", false),
            ("accept", "a@b", false),
            ("accept", "a{b", false),
            ("accept-language", "de-CH, *;q=0.5", true),
            ("accept-language", "de_CH", false),
            ("accept-language", "de\t", false),
            ("content-language", "en", true),
            ("content-language", "en/us", false),
            ("content-type", "text/plain", true),
            ("content-type", " Text/Plain ;charset=utf-8", true),
            ("content-type", "multipart/form-data; boundary=x", true),
            ("content-type", "application/x-www-form-urlencoded", true),
            ("content-type", "application/json", false),
            ("content-type", "text/plain; a=\"b\"", false),
            ("content-type", "text/plainx", false),
            ("content-type", "", false),
            ("range", "bytes=0-", true),
            ("range", "bytes=5-5", true),
            ("range", "bytes=9-10", true),
            ("range", "bytes=09-9", true),
            ("range", "bytes=10-9", false),
            (
                "range",
                "bytes=99999999999999999999-100000000000000000000",
                true,
            ),
            ("range", "bytes=-5", false),
            ("range", "bytes=0-1,2-3", false),
            ("range", "bytes= 0-", false),
            ("range", "Bytes=0-", false),
            ("range", "bytes=0", false),
            ("last-event-id", "1", false),
            ("authorization", "x", false),
            ("x-requested-with", "x", false),
            ("cache-control", "no-cache", false),
        ] {
            assert_eq!(
                safelisted(name, value.as_bytes()),
                expected,
                "{name}: {value}"
            );
        }
        assert!(safelisted("accept", b"\xe9"));
        assert!(!safelisted("accept-language", b"\xe9"));
    }

    #[test]
    fn lengths_count() {
        assert!(safelisted("accept", &[b'a'; 128]));
        assert!(!safelisted("accept", &[b'a'; 129]));
        let accept = |lines: usize| -> HeaderMap {
            let value = HeaderValue::from_bytes(&[b'a'; 128]).unwrap();
            (0..lines)
                .map(|_| (http::header::ACCEPT, value.clone()))
                .collect()
        };
        assert!(unsafe_names(&accept(8)).is_empty());
        assert_eq!(unsafe_names(&accept(9)), ["accept"]);
    }

    #[test]
    fn names_are_sorted_and_come_once() {
        let headers: HeaderMap = ["x-b", "accept", "x-a", "x-b"]
            .into_iter()
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1")))
            .collect();
        assert_eq!(unsafe_names(&headers), ["x-a", "x-b"]);
    }
}
