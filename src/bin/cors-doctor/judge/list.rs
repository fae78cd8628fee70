use http::Method;

/// The elements of a list of tokens, or `None` where one of them is no token: then the whole list
/// counts for nothing (<https://fetch.spec.whatwg.org/#extract-header-list-values>).
pub(crate) fn parse_list(value: &str) -> Option<Vec<String>> {
    value
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
        .map(|element| {
            // A method is any token of RFC 9110, section 5.6.2.
            let token = Method::from_bytes(element.as_bytes());
            token.is_ok().then(|| element.to_owned())
        })
        .collect()
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
