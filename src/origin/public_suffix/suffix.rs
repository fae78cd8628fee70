//! The list's rules, applied to one host.

use std::net::Ipv4Addr;

use super::table::{Node, Rule};

/// The public suffix of a host, by the list's
/// [algorithm](https://github.com/publicsuffix/list/wiki/Format#algorithm).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicSuffix<'a> {
    /// Without a trailing dot.
    host: &'a str,
    /// Where the suffix begins in the host.
    start: usize,
    section: Option<Section>,
    has_rules_below: bool,
}

/// The kind of owner that hands out the names below a suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// A registry of domains, as below `com` and `co.uk`.
    Icann,
    /// The owner of a domain, to its customers, as below `github.io`.
    Private,
}

impl<'a> PublicSuffix<'a> {
    /// The suffix of `host`, which is spelt as browsers send it: in lower case and A-labels.
    pub(crate) fn of(host: &'a str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut suffix = Self {
            host,
            start: 0,
            section: None,
            has_rules_below: false,
        };
        let mut node = Node::ROOT;
        // Where the label begins, and where the one right of it does.
        let (mut start, mut right) = (host.len() + 1, host.len());
        for label in host.as_bytes().rsplit(|&byte| byte == b'.') {
            start -= label.len() + 1;
            let child = node.child(label);
            // The rule that names the label goes before one that says `*` in its place.
            let rule = child.and_then(Node::rule);
            match rule.or_else(|| node.any_child()?.rule()) {
                Some(Rule::Suffix(section)) => {
                    suffix.start = start;
                    suffix.section = Some(section);
                }
                // The rule names the whole exception; its suffix begins one label further right.
                Some(Rule::Exception) => {
                    suffix.start = right;
                    suffix.section = Some(Section::Icann);
                    return suffix;
                }
                // The list's default rule: a top-level domain that it does not name is a suffix.
                None if right == host.len() => suffix.start = start,
                None => {}
            }
            match child {
                Some(child) => node = child,
                None => return suffix,
            }
            right = start;
        }
        suffix.has_rules_below = node.has_children();
        suffix
    }

    /// The section of the rule that made the suffix, or `None` for a top-level domain that the list
    /// does not name.
    pub(crate) fn section(&self) -> Option<Section> {
        self.section
    }

    /// The suffix and one label more: the name that somebody registered. `None` for a host that is
    /// a suffix itself, and for addresses.
    pub(crate) fn registrable_domain(&self) -> Option<&'a str> {
        let (above, suffix) = self.host.split_at_checked(self.start)?;
        let above = above.strip_suffix('.')?;
        let label = above.rfind('.').map_or(0, |dot| dot + 1);
        let is_empty = label == above.len() || suffix.is_empty();
        // Only IPv6 addresses have brackets; no name has one anywhere.
        let is_address = self.host.contains('[') || self.host.parse::<Ipv4Addr>().is_ok();
        (!is_empty && !is_address).then(|| &self.host[label..])
    }

    /// Whether the list has rules for names below the host.
    pub(crate) fn has_rules_below(&self) -> bool {
        self.has_rules_below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_sections_and_registrable_domains() {
        use Section::{Icann, Private};
        for (host, section, domain) in [
            ("a.example.com", Some(Icann), Some("example.com")),
            ("example.co.uk", Some(Icann), Some("example.co.uk")),
            ("co.uk", Some(Icann), None),
            ("a.user.github.io", Some(Private), Some("user.github.io")),
            ("github.io.", Some(Private), None),
            ("user.github.io.", Some(Private), Some("user.github.io")),
            ("a.b.foo.ck", Some(Icann), Some("b.foo.ck")),
            ("foo.ck", Some(Icann), None),
            ("a.www.ck", Some(Icann), Some("www.ck")),
            ("ck", None, None),
            ("a.xn--p1ai", Some(Icann), Some("a.xn--p1ai")),
            ("db.intra.corp", None, Some("intra.corp")),
            ("corp", None, None),
            ("192.0.2.1", None, None),
            ("[2001:db8::1]", None, None),
            ("", None, None),
            (".", None, None),
            (".com", Some(Icann), None),
            ("a..com", Some(Icann), None),
            ("com..", None, None),
        ] {
            let suffix = PublicSuffix::of(host);
            assert_eq!(suffix.section(), section, "{host}");
            assert_eq!(suffix.registrable_domain(), domain, "{host}");
        }
    }
}
