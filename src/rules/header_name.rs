//! Which header names can stand in which list.

use crate::{error::HeaderNameErrorReason as Reason, requested_headers::is_token};

/// A request header's name in lower case.
pub(crate) fn parse_request(text: &str) -> Result<String, Reason> {
    parse(text, is_forbidden_request_header, |name| {
        GRANT_HEADERS.contains(&name) || name == "access-control-expose-headers"
    })
}

/// A response header's name in lower case.
pub(crate) fn parse_response(text: &str) -> Result<String, Reason> {
    parse(text, is_forbidden_response_header, |name| {
        REQUEST_SIDE.contains(&name) || PREFLIGHT_ONLY.contains(&name)
    })
}

fn parse(
    text: &str,
    is_forbidden: impl Fn(&str) -> bool,
    is_of_the_protocol: impl Fn(&str) -> bool,
) -> Result<String, Reason> {
    if !is_token(text) {
        return Err(Reason::NotAToken);
    }
    let name = text.to_ascii_lowercase();
    if is_forbidden(&name) {
        return Err(Reason::Forbidden);
    }
    if is_of_the_protocol(&name) {
        return Err(Reason::Protocol);
    }
    Ok(name)
}

/// <https://fetch.spec.whatwg.org/#forbidden-request-header>
pub(crate) fn is_forbidden_request_header(name: &str) -> bool {
    const NAMES: [&str; 21] = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
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
    NAMES.contains(&name) || name.starts_with("proxy-") || name.starts_with("sec-")
}

/// <https://fetch.spec.whatwg.org/#forbidden-response-header-name>
pub(crate) fn is_forbidden_response_header(name: &str) -> bool {
    matches!(name, "set-cookie" | "set-cookie2")
}

const GRANT_HEADERS: [&str; 5] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];

/// Headers that only requests carry.
const REQUEST_SIDE: [&str; 3] = [
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
];

/// Headers that mean something on answers to preflights alone, which no page reads.
const PREFLIGHT_ONLY: [&str; 3] = [
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];
