use http::{HeaderMap, HeaderName, HeaderValue};

use super::tables::is_token;

/// All lines of a header in one value
/// ([Fetch, get](https://fetch.spec.whatwg.org/#concept-header-list-get)).
///
/// White space around a line is not part of it: HTTP takes it off on the way.
pub(super) fn get(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(|line| trim(line.as_bytes()))
        .collect();
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a list of tokens, or an error if one is not a token
/// ([Fetch, extract header list values](https://fetch.spec.whatwg.org/#extract-header-list-values)).
/// A header that is absent has no element. Empty elements are passed over (RFC 9110, section 5.6.1.2).
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Vec<&'a str>, NoList> {
    let mut tokens = Vec::new();
    for line in headers.get_all(name) {
        tokens.extend(tokens_of_line(line)?);
    }
    Ok(tokens)
}

fn tokens_of_line(line: &HeaderValue) -> Result<Vec<&str>, NoList> {
    let line = line.to_str().map_err(|_| NoList)?;
    let elements = line
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']));
    let elements: Vec<&str> = elements.filter(|element| !element.is_empty()).collect();
    if elements.iter().all(|element| is_token(element)) {
        Ok(elements)
    } else {
        Err(NoList)
    }
}

/// One element is not a token, so that the whole list is invalid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoList;

#[cfg(test)]
mod tests {
    use http::header::VARY;

    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|line| (VARY, HeaderValue::from_static(line)))
            .collect()
    }

    #[test]
    fn lines_are_one_value() {
        for (lines, expected) in [
            (&[][..], None),
            (&[""], Some("")),
            (&[" a\t"], Some("a")),
            (&["a", "b"], Some("a, b")),
            (&["*", "*"], Some("*, *")),
        ] {
            let value = get(&headers(lines), &VARY);
            assert_eq!(value.as_deref(), expected.map(str::as_bytes), "{lines:?}");
        }
    }

    #[test]
    fn one_bad_element_fails_everything() {
        for (lines, expected) in [
            (&[][..], Ok(vec![])),
            (&[""], Ok(vec![])),
            (&["a, B", "*"], Ok(vec!["a", "B", "*"])),
            (&["a,,b ,"], Ok(vec!["a", "b"])),
            (&["a b"], Err(NoList)),
            (&["a", "b=1"], Err(NoList)),
            (&["a;b"], Err(NoList)),
        ] {
            assert_eq!(tokens(&headers(lines), &VARY), expected, "{lines:?}");
        }
    }
}
