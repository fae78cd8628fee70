/// The width of a terminal that everybody has.
pub(super) const WIDTH: usize = 80;

/// The text in lines of at most [`WIDTH`] characters, each behind `indent`.
///
/// Words that are longer than a line stand alone in theirs: a URL that is cut cannot be copied.
pub(super) fn wrap(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    for paragraph in text.lines() {
        let mut width = 0;
        for word in paragraph.split_whitespace() {
            let len = word.chars().count();
            if width > 0 && width + 1 + len > WIDTH {
                lines.push('\n');
                width = 0;
            }
            if width == 0 {
                lines.push_str(indent);
                width = indent.chars().count();
            } else {
                lines.push(' ');
                width += 1;
            }
            lines.push_str(word);
            width += len;
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_full_and_not_longer() {
        let text = "word ".repeat(40);
        let wrapped = wrap(&text, "    ");
        assert!(
            wrapped
                .lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("    word"))
        );
        assert_eq!(wrapped.lines().count(), 3);
        let long = "x".repeat(100);
        assert_eq!(wrap(&long, "  "), format!("  {long}\n"));
    }
}
