/// Escapes control characters, and characters that are invisible or change the order of the text.
pub(super) fn escape(text: &str, keeps_lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if keeps_lines && c == '\n' {
            escaped.push(c);
        } else if misleads(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal acts on the character, does not show it, or shows its neighbours in another
/// order.
fn misleads(c: char) -> bool {
    /// Printable by their category, and blank on the screen: Hangul fillers and the Braille blank.
    const BLANK: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // `escape_debug` escapes every control character, format character (zero width, direction,
    // tags) and separator. It leaves combining marks alone only after another character.
    let behind_a_letter: String = ['a', c].into_iter().collect();
    BLANK.contains(&c) || behind_a_letter.escape_debug().count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for hidden in [
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{feff}',
            '\u{ad}',
            '\u{180e}',
            '\u{3164}',
            '\u{a0}',
            '\u{e0041}',
            '\u{fff9}',
            '\u{9b}',
            '\u{7f}',
            '\u{1b}',
        ] {
            let shown = escape(&format!("a{hidden}b"), true);
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
        let words = "b\u{fc}cher, e\u{301}, \u{65e5}\u{672c}, \u{1f600}, '\"\\";
        assert_eq!(escape(words, true), words);
    }
}
