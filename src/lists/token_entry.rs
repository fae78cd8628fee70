//! Mistakes that an entry can have in any list of tokens: methods and header names.

use crate::leftover::{COMMA, Leftover, SEMICOLON, Separator, vertical_bar};

/// What is left of a list in the entry. Checked before anything else: the other mistakes in such a
/// text come from it, and their messages would mislead.
pub(super) fn leftover(text: &str) -> Option<Leftover> {
    Leftover::in_entry(text, &SEPARATORS)
}

const SEPARATORS: [Separator; 4] = [
    COMMA,
    SEMICOLON,
    Separator {
        is: char::is_whitespace,
        one: "white space",
        several: "spaces",
        stands_between: |_| true,
    },
    // A token may have one (RFC 9110, section 5.6.2). So `GET|PUT` is a list, and `|~!` is not.
    vertical_bar(|parts| !parts.is_empty() && parts.iter().all(|it| it.chars().all(is_usual))),
];

/// The characters of the methods and header names that are in use.
pub(super) fn is_usual(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
