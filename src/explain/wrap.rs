//! Lines that fit a terminal of 80 columns.

use std::fmt;

const COLUMNS: usize = 80;

/// The width of the labels on the left.
const LABEL: usize = 10;

/// Writes a text beside its label; further lines are indented below it.
pub(super) fn labelled(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    for (i, line) in wrapped(text, COLUMNS - LABEL).iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        writeln!(f, "{label:LABEL$}{line}")?;
    }
    Ok(())
}

/// Writes code below a text, line by line and never broken.
pub(super) fn code(f: &mut fmt::Formatter<'_>, code: &str) -> fmt::Result {
    for line in code.lines() {
        writeln!(f, "{:LABEL$}{line}", "")?;
    }
    Ok(())
}

/// The text in lines of at most `width` characters. Only a word that is longer is broken.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        for (i, part) in parts(word, width).enumerate() {
            let is_first = line.is_empty();
            let columns = line.chars().count() + usize::from(!is_first) + part.chars().count();
            if !is_first && (i > 0 || columns > width) {
                lines.push(std::mem::take(&mut line));
            } else if !is_first {
                line.push(' ');
            }
            line.push_str(&part);
        }
    }
    lines.push(line);
    lines
}

/// The word in pieces of at most `width` characters.
fn parts(word: &str, width: usize) -> impl Iterator<Item = String> {
    let letters: Vec<char> = word.chars().collect();
    let pieces: Vec<String> = letters
        .chunks(width)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn words_stay_whole_while_they_fit() {
        for (text, expected) in [
            ("", &[""][..]),
            ("a bc d", &["a bc", "d"]),
            ("abcde f", &["abcde", "f"]),
            ("a bcdefgh ij", &["a", "bcdef", "gh ij"]),
            ("äöüßé", &["äöüßé"]),
        ] {
            assert_eq!(wrapped(text, 5), expected, "{text}");
        }
    }
}
