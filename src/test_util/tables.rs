//! The Fetch standard's tables of names. The layer has its own in `fetch`: these are written anew, so
//! that a mistake there does not agree with the same mistake here.

/// <https://fetch.spec.whatwg.org/#forbidden-method>
pub(super) fn is_forbidden_method(method: &str) -> bool {
    matches!(&*method.to_ascii_uppercase(), "CONNECT" | "TRACE" | "TRACK")
}

/// <https://fetch.spec.whatwg.org/#cors-safelisted-method>
pub(super) fn is_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// <https://fetch.spec.whatwg.org/#forbidden-request-header>, the part that looks at names. `name` is
/// in lower case.
pub(super) fn is_forbidden_request_header(name: &str) -> bool {
    match name {
        "accept-charset" | "accept-encoding" => true,
        "access-control-request-headers" | "access-control-request-method" => true,
        "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" => true,
        "content-length" | "date" | "dnt" | "expect" | "via" => true,
        "cookie" | "cookie2" | "set-cookie" => true,
        "host" | "origin" | "referer" => true,
        other => other.starts_with("proxy-") || other.starts_with("sec-"),
    }
}

/// <https://fetch.spec.whatwg.org/#forbidden-response-header-name>
pub(super) fn is_forbidden_response_header(name: &str) -> bool {
    matches!(name, "set-cookie" | "set-cookie2")
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tables that were written apart: where they part, one of them is wrong.
    #[test]
    fn they_agree_with_those_of_the_layer() {
        for byte in 0..=127_u8 {
            let text = char::from(byte).to_string();
            assert_eq!(is_token(&text), crate::fetch::is_token(&text), "{text:?}");
        }
        for name in [
            "accept",
            "accept-charset",
            "authorization",
            "content-length",
            "cookie",
            "cookie2",
            "dnt",
            "origin",
            "proxy-x",
            "range",
            "referer",
            "sec-x",
            "secure",
            "set-cookie",
            "te",
            "upgrade",
            "user-agent",
            "via",
            "x-a",
        ] {
            let other = crate::fetch::is_forbidden_request_header(name);
            assert_eq!(is_forbidden_request_header(name), other, "{name}");
            let other = crate::fetch::is_forbidden_response_header(name);
            assert_eq!(is_forbidden_response_header(name), other, "{name}");
        }
        for method in ["GET", "get", "trace", "TRACK", "Connect", "CONNECTED"] {
            let other = crate::fetch::is_forbidden_method(method);
            assert_eq!(is_forbidden_method(method), other, "{method}");
            let safelisted = http::Method::from_bytes(method.as_bytes()).unwrap();
            let other = crate::fetch::is_safelisted(&safelisted);
            assert_eq!(is_safelisted_method(method), other, "{method}");
        }
    }
}
