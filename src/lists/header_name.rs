//! Checks of the header names in a list. Each list refuses names that would have no effect in it,
//! since a name without effect is usually a misunderstanding.

use super::token_entry::leftover;
use crate::{
    error::HeaderNameErrorReason as Reason,
    fetch::{
        GRANT_HEADERS, PREFLIGHT_ONLY, REQUEST_SIDE, is_forbidden_request_header,
        is_forbidden_response_header, is_token,
    },
    leftover::Leftover,
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
    if let Some(left) = leftover(text) {
        return Err(match left {
            Leftover::Joined(separators) => Reason::Joined(separators),
            Leftover::Quotes => Reason::Quotes,
            Leftover::Separator(separator) => Reason::Separator(separator),
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_list_is_named() {
        for (text, reason) in [
            ("a,b", Reason::Joined("commas")),
            ("'a', 'b'", Reason::Joined("commas")),
            ("a|b", Reason::Joined("vertical bars")),
            ("x-a|x_b|", Reason::Joined("vertical bars")),
            ("'content-type", Reason::Quotes),
            ("authorization'", Reason::Quotes),
            ("\"x-a\"", Reason::Quotes),
            ("`x-a`", Reason::Quotes),
            ("’x-a", Reason::Quotes),
            ("'*'", Reason::Quotes),
            ("x-a,", Reason::Separator("comma")),
            (";x-a", Reason::Separator("semicolon")),
            ("x-a|", Reason::Separator("vertical bar")),
            (" x-a", Reason::Separator("white space")),
            ("x-*-id", Reason::Wildcard),
            ("", Reason::NotAToken),
        ] {
            assert_eq!(parse_request(text), Err(reason), "{text}");
            assert_eq!(parse_response(text), Err(reason), "{text}");
        }
        // Tokens, and surely not lists.
        for text in ["x|~y", "x'y", "|", "!#$%&'+-.^_`|~09azAZ"] {
            assert_eq!(parse_request(text), Ok(text.to_ascii_lowercase()), "{text}");
        }
    }
}
