/// The elements of a list of tokens, or `None` where one of them is no token: then the whole list
/// counts for nothing (<https://fetch.spec.whatwg.org/#extract-header-list-values>).
pub(crate) fn parse_list(value: &str) -> Option<Vec<String>> {
    value
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
        .map(|element| {
            element
                .bytes()
                .all(is_token_byte)
                .then(|| element.to_owned())
        })
        .collect()
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_element_spoils_the_list() {
        for (value, expected) in [
            ("GET, PUT", Some(vec!["GET", "PUT"])),
            ("GET,,\tPUT,", Some(vec!["GET", "PUT"])),
            ("", Some(vec![])),
            ("*", Some(vec!["*"])),
            ("GET PUT", None),
            ("GET; PUT", None),
            ("[\"GET\"]", None),
        ] {
            let expected = expected.map(|list| list.into_iter().map(str::to_owned).collect());
            assert_eq!(parse_list(value), expected, "{value}");
        }
    }
}
