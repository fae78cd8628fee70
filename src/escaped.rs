//! Untrusted text for logs: escaped, so that it cannot forge a line, and truncated.

use std::fmt;

use crate::origin::MAX_ORIGIN_LEN;

/// Bytes from the network, in quotes. Truncated at [`MAX_ORIGIN_LEN`]: longer is never a valid
/// origin.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(MAX_ORIGIN_LEN)];
        let rest = if shown.len() < self.0.len() {
            "..."
        } else {
            ""
        };
        write!(f, "\"{}\"{rest}", shown.escape_ascii())
    }
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that a policy wrote. It may quote a token or a header, so control characters are escaped.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if c.is_control() {
                write!(f, "{}", c.escape_default())
            } else {
                write!(f, "{c}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes_or_its_line() {
        for (bytes, expected) in [
            (&b"https://a.example"[..], r#""https://a.example""#),
            (b"a\tb\nc\"d\\\xff", r#""a\tb\nc\"d\\\xff""#),
            (b"", r#""""#),
        ] {
            assert_eq!(Quoted(bytes).to_string(), expected);
        }
        assert_eq!(
            OneLine("it's\r\n\u{1b}[31m").to_string(),
            r"it's\r\n\u{1b}[31m"
        );
    }

    #[test]
    fn nothing_is_longer_than_an_origin() {
        let long = "a".repeat(MAX_ORIGIN_LEN);
        assert_eq!(Quoted(long.as_bytes()).to_string(), format!("{long:?}"));
        let longer = "a".repeat(MAX_ORIGIN_LEN + 1);
        assert_eq!(
            Quoted(longer.as_bytes()).to_string(),
            format!("{long:?}...")
        );
    }
}
