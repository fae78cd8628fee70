//! Headers that a page may send without a preflight. Only the test kit and `cors-doctor` have this
//! table: no layer decides with it, so the kit does not judge a layer by the layer's own table.
//! `cors-doctor` compiles this file by itself, so it uses nothing but `std`.

use std::cmp::Ordering;

/// The longest value that is safelisted, in bytes.
pub(crate) const MAX_VALUE_LEN: usize = 128;

/// <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>
///
/// `name` is in lower case.
pub(crate) fn is_safelisted_value(name: &str, value: &[u8]) -> bool {
    if value.len() > MAX_VALUE_LEN {
        return false;
    }
    match name {
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
    // White space around the type does not count.
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
                is_safelisted_value(name, value.as_bytes()),
                expected,
                "{name}: {value}"
            );
        }
        assert!(is_safelisted_value("accept", b"\xe9"));
        assert!(!is_safelisted_value("accept-language", b"\xe9"));
    }

    #[test]
    fn lengths_count() {
        assert!(is_safelisted_value("accept", &[b'a'; 128]));
        assert!(!is_safelisted_value("accept", &[b'a'; 129]));
    }
}
