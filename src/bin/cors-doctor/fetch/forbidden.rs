use super::{
    Browser,
    forbidden_request::{is_forbidden_method, is_forbidden_request_header},
};

/// <https://fetch.spec.whatwg.org/#forbidden-request-header>,
/// `Access-Control-Request-Private-Network`, which is the browser's own, and `User-Agent`, which
/// Chromium drops without a word. `name` is in lower case.
pub(super) fn is_forbidden(name: &str, value: &str, browser: Browser) -> bool {
    const OVERRIDES: [&str; 3] = [
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    ];
    is_forbidden_request_header(name)
        || name == "access-control-request-private-network"
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
