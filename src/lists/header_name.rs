//! Checks of the header names in a list. Each list refuses names that would have no effect in it,
//! since a name without effect is usually a misunderstanding.

use crate::{
    error::HeaderNameErrorReason as Reason,
    fetch::{
        GRANT_HEADERS, PREFLIGHT_ONLY, REQUEST_SIDE, is_forbidden_request_header,
        is_forbidden_response_header, is_token,
    },
};

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
    if let Some(separator) = joined_by(text) {
        return Err(Reason::Joined(separator));
    }
    if !is_token(text) {
        return Err(Reason::NotAToken);
    }
    // `*` is a token character: `x-*` and `x-*-id` would be names that nobody sends, not wildcards.
    if text.contains('*') {
        return Err(Reason::Wildcard);
    }
    // Header names are case-insensitive, and browsers send lower case.
    let name = text.to_ascii_lowercase();
    if is_forbidden(&name) {
        return Err(Reason::Forbidden);
    }
    if is_of_the_protocol(&name) {
        return Err(Reason::Protocol);
    }
    Ok(name)
}

/// The name of the separator, if the text holds several entries. Checked before anything else: the
/// other mistakes in such a text come from the separator, and their messages would mislead.
pub(super) fn joined_by(text: &str) -> Option<&'static str> {
    let has_several = |is_separator: fn(char) -> bool| {
        let mut parts = text.split(is_separator).filter(|part| !part.is_empty());
        parts.next().is_some() && parts.next().is_some()
    };
    if has_several(|c| c == ',') {
        Some("commas")
    } else if has_several(|c| c == ';') {
        Some("semicolons")
    } else if has_several(char::is_whitespace) {
        Some("spaces")
    } else {
        None
    }
}
