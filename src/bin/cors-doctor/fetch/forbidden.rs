use super::Browser;

/// <https://fetch.spec.whatwg.org/#forbidden-method>
pub(crate) fn is_forbidden_method(method: &str) -> bool {
    ["CONNECT", "TRACE", "TRACK"]
        .iter()
        .any(|forbidden| method.eq_ignore_ascii_case(forbidden))
}

/// <https://fetch.spec.whatwg.org/#forbidden-request-header>, and `User-Agent`, which Chromium drops
/// without a word. `name` is in lower case.
pub(super) fn is_forbidden(name: &str, value: &str, browser: Browser) -> bool {
    const NAMES: [&str; 22] = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    const OVERRIDES: [&str; 3] = [
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    ];
    NAMES.contains(&name)
        || name.starts_with("proxy-")
        || name.starts_with("sec-")
        || (name == "user-agent" && browser == Browser::Chromium)
        || (OVERRIDES.contains(&name) && value.split(',').any(|m| is_forbidden_method(m.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_some_values_are_forbidden() {
        for (name, value, expected) in [
            ("cookie", "a=b", true),
            ("sec-anything", "", true),
            ("proxy-authorization", "", true),
            ("x-http-method-override", "PATCH", false),
            ("x-http-method-override", "GET, trace", true),
            ("authorization", "Bearer x", false),
            ("x-request-id", "1", false),
        ] {
            assert_eq!(
                is_forbidden(name, value, Browser::Standard),
                expected,
                "{name}: {value}"
            );
        }
        assert!(is_forbidden("user-agent", "x", Browser::Chromium));
        assert!(!is_forbidden("user-agent", "x", Browser::Standard));
    }
}
