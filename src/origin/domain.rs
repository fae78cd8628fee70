//! Domains with letters beyond ASCII, in the form that browsers send.

/// The host, and what follows it; `None` where an address has no second bracket.
#[cfg(any(feature = "token", feature = "trusted"))]
pub(crate) fn split_host(authority: &str) -> Option<(&str, &str)> {
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    Some(authority.split_at(end))
}

/// The domain's A-labels in lower case, if they have only the characters of names.
///
/// Unicode folds look-alikes of `*`, `;`, `,` and `=` into these. A look-alike must not become a
/// wildcard, nor what would end an entry if a list were written again.
pub(crate) fn domain_to_ascii(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::URL).ok()?;
    let is_of_a_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    let is_name = !domain.is_empty() && domain.bytes().all(is_of_a_name);
    is_name.then(|| domain.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_of_punctuation_are_not_of_a_name() {
        for (domain, expected) in [
            ("Bücher.example", Some("xn--bcher-kva.example")),
            ("shop。example", Some("shop.example")),
            ("ｓｈｏｐ.example", Some("shop.example")),
            ("＊.example", None),
            ("a；b.example", None),
            ("a，b.example", None),
            ("a：b.example", None),
            ("", None),
        ] {
            assert_eq!(domain_to_ascii(domain).as_deref(), expected, "{domain}");
        }
    }
}
