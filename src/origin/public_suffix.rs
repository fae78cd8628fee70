use psl::Psl;

use super::grammar::is_loopback_host;

/// Whether strangers can register names below the base: it is a public suffix, or a parent of
/// one ([Public Suffix List](https://publicsuffix.org/list/)).
pub(crate) fn crosses_public_suffix(base: &str) -> bool {
    // RFC 6761, section 6.3: nobody can register a name there.
    if is_loopback_host(base) {
        return false;
    }
    let base = base.strip_suffix('.').unwrap_or(base);
    let mut labels = Labels {
        labels: base.rsplit('.'),
        asked_for_more: false,
    };
    let suffix_len = psl::List.find(&mut labels).len;
    suffix_len == base.len() || labels.asked_for_more
}

/// The labels of a domain from the right, and whether the list wanted to see one more than there
/// are: it does so exactly where it has rules for names below.
struct Labels<'a> {
    labels: std::str::RSplit<'a, char>,
    asked_for_more: bool,
}

impl<'a> Iterator for &mut Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let label = self.labels.next();
        self.asked_for_more |= label.is_none();
        label.map(str::as_bytes)
    }
}
