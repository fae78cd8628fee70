/// The text without the user and password of URLs in it. A URL may also begin with its authority,
/// as in the `Location` of a redirect, and browsers read `\` in it as `/`.
pub(super) fn without_users(text: &str) -> String {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_slash) {
        let slashes = rest[at..].find(|c| !is_slash(c));
        let (front, behind) = rest.split_at(slashes.map_or(rest.len(), |len| at + len));
        let before = rest[..at].chars().next_back().or(clean.chars().next_back());
        // A double slash within a path follows a letter or digit. After `https:` browsers accept
        // any number of slashes.
        let begins = before == Some(':')
            || front.len() - at > 1 && !before.is_some_and(char::is_alphanumeric);
        clean.push_str(front);
        let is_end = |c: char| c.is_whitespace() || is_slash(c) || "?#\"<>".contains(c);
        let end = behind.find(is_end).unwrap_or(behind.len());
        rest = match behind[..end].rfind('@') {
            Some(user) if begins => &behind[user + 1..],
            _ => behind,
        };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_urls_go_wherever_they_stand() {
        for (text, clean) in [
            ("https://u:a,b'c@x.example/", "https://x.example/"),
            ("//u:p@x.example/y", "//x.example/y"),
            ("https:/u:p@x.example", "https:/x.example"),
            ("https:\\\\u:p@x.example", "https:\\\\x.example"),
            (
                "https://a.example,https://u@b.example",
                "https://a.example,https://b.example",
            ),
            (
                "https://cdn.example/@scope//x@1",
                "https://cdn.example/@scope//x@1",
            ),
            ("write to me@x.example, a/b", "write to me@x.example, a/b"),
        ] {
            assert_eq!(without_users(text), clean);
        }
    }
}
