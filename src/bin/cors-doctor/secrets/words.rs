//! Words of a text that are hidden.

/// The mark in the place of a secret.
pub(super) fn hidden(value: &str) -> String {
    format!("<hidden, {} bytes>", value.len())
}

/// The offsets at which the word stands with no letter or digit directly beside it.
fn words_at<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = text[..*at].chars().next_back();
            let behind = text[at + word.len()..].chars().next();
            let joins_before = is_part(before) && is_part(word.chars().next());
            let joins_behind = is_part(behind) && is_part(word.chars().next_back());
            !joins_before && !joins_behind
        })
}

pub(super) fn has_word(text: &str, word: &str) -> bool {
    words_at(text, word).next().is_some()
}

/// The text with a mark in the place of each of these words. Words within marks are left.
pub(super) fn without_words(text: &str, words: &[String]) -> String {
    let mut found: Vec<(usize, &str)> = words
        .iter()
        .flat_map(|word| words_at(text, word).map(|at| (at, word.as_str())))
        .collect();
    // At one offset the longest word wins.
    found.sort_by_key(|(at, word)| (*at, std::cmp::Reverse(word.len())));
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    for (at, word) in found {
        if at >= end && !is_in_mark(text, at) {
            clean.push_str(&text[end..at]);
            clean.push_str(&hidden(word));
            end = at + word.len();
        }
    }
    clean.push_str(&text[end..]);
    clean
}

/// Whether the offset lies within a mark such as `<hidden, 12 bytes>`.
fn is_in_mark(text: &str, at: usize) -> bool {
    const BEGINNING: &[u8] = b"<hidden, ";
    /// The length of the longest mark, in bytes.
    const MAX_LEN: usize = 32;
    let before = &text.as_bytes()[at.saturating_sub(MAX_LEN)..at];
    let mark = before
        .windows(BEGINNING.len())
        .rposition(|window| window == BEGINNING);
    mark.is_some_and(|mark| !before[mark..].contains(&b'>'))
}
