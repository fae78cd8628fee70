//! Policies in a page's `meta` elements, found by a bounded scan rather than by a parser of HTML.

/// The contents of all `<meta http-equiv="Content-Security-Policy" content="…">`.
pub(crate) fn policies_in(html: &[u8]) -> Vec<String> {
    let html = String::from_utf8_lossy(html);
    let mut rest: &str = &html;
    let mut found = Vec::new();
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = after(comment, "-->");
        } else if begins_with(rest, "<script") {
            // The text of a script may contain "<meta", which is no element there.
            rest = after_ignoring_case(rest, "</script");
        } else if begins_with(rest, "<meta") {
            let (attributes, behind) = attributes(&rest["<meta".len()..]);
            let get = |name: &str| {
                attributes
                    .iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, value)| value.as_str())
            };
            let is_policy = get("http-equiv")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("content-security-policy"));
            if is_policy && let Some(content) = get("content") {
                found.push(content.to_owned());
            }
            rest = behind;
        } else {
            rest = &rest[1..];
        }
    }
    found
}

fn begins_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

fn after_ignoring_case<'a>(text: &'a str, end: &str) -> &'a str {
    let at = text.to_ascii_lowercase().find(end);
    at.map_or("", |at| &text[at + end.len()..])
}

/// Name and value pairs up to the element's end, and what comes behind.
fn attributes(text: &str) -> (Vec<(String, String)>, &str) {
    let mut rest = text;
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (found, rest);
        }
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
        // A name may begin with `=`, which must not stop the scan.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let end = rest[first..]
            .find(is_end)
            .map_or(rest.len(), |at| at + first);
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(behind) = rest.strip_prefix('=') {
            (value, rest) = attribute_value(behind.trim_start());
        }
        found.push((name, value));
    }
}

fn attribute_value(text: &str) -> (String, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            let end = inner.find(quote).unwrap_or(inner.len());
            return (unescape(&inner[..end]), inner.get(end + 1..).unwrap_or(""));
        }
    }
    let end = text
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(text.len());
    (unescape(&text[..end]), &text[end..])
}

/// The references that policies are written with.
fn unescape(text: &str) -> String {
    text.replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&#x27;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found() {
        for (html, expected) in [
            (
                r#"<meta http-equiv="Content-Security-Policy" content="connect-src 'self'">"#,
                &["connect-src 'self'"][..],
            ),
            (
                "<META content='default-src &#39;self&#39;' HTTP-EQUIV=content-security-policy />",
                &["default-src 'self'"],
            ),
            (
                r#"<!-- <meta http-equiv=content-security-policy content=x> --><p>"#,
                &[],
            ),
            (
                r#"<script>"<meta http-equiv=content-security-policy content=x>"</SCRIPT>"#,
                &[],
            ),
            (r#"<meta charset=utf-8><meta name=x content=y>"#, &[]),
            (r#"<meta http-equiv="#, &[]),
            ("<meta = = content", &[]),
            ("\u{fffd}<é<meta", &[]),
        ] {
            assert_eq!(policies_in(html.as_bytes()), expected, "{html}");
        }
    }
}
