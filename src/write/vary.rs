//! [`Vary`]: the request headers that an answer depends on, merged with those of the inner
//! service.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT_ENCODING, Entry, OccupiedEntry, VARY},
};

use super::shared_value;
use crate::policy::union_of_names;

/// Names for `Vary` ([RFC 9110, section 12.5.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5)).
#[derive(Debug)]
pub(super) struct Vary {
    names: Vec<(HeaderName, HeaderValue)>,
    /// All names in one value.
    joined: HeaderValue,
    /// The same beside what services that compress say.
    with_encoding: HeaderValue,
}

impl Vary {
    pub(super) fn new(names: Vec<HeaderName>) -> Self {
        let joined = join(&names);
        let with_encoding = join(&union_of_names(&[ACCEPT_ENCODING], &names));
        let names = names
            .iter()
            .map(|name| (name.clone(), shared_value(name.as_str().to_owned())))
            .collect();
        Self {
            names,
            joined,
            with_encoding,
        }
    }

    /// Adds the names that are missing, each once. What is there stays; `*` says everything.
    #[inline(always)]
    pub(super) fn merge_into(&self, headers: &mut HeaderMap) {
        if self.names.is_empty() {
            return;
        }
        match headers.entry(VARY) {
            Entry::Vacant(entry) => {
                entry.insert(self.joined.clone());
            }
            Entry::Occupied(entry) => self.merge_with(entry),
        }
    }

    fn merge_with(&self, mut lines: OccupiedEntry<'_, HeaderValue>) {
        // What services usually say is known at sight.
        let usual = |line: &HeaderValue| line == self.joined || line == "*";
        if lines.iter().any(usual) || has_member(&lines, "*") {
            return;
        }
        if lines.iter().count() == 1 && is_encoding(lines.get()) {
            *lines.get_mut() = self.with_encoding.clone();
            return;
        }
        for (name, value) in &self.names {
            if !has_member(&lines, name.as_str()) {
                lines.append(value.clone());
            }
        }
    }
}

fn join(names: &[HeaderName]) -> HeaderValue {
    let texts: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
    shared_value(texts.join(","))
}

fn is_encoding(line: &HeaderValue) -> bool {
    let name = ACCEPT_ENCODING;
    line.as_bytes()
        .eq_ignore_ascii_case(name.as_str().as_bytes())
}

fn has_member(lines: &OccupiedEntry<'_, HeaderValue>, member: &str) -> bool {
    lines.iter().any(|line| {
        line.as_bytes()
            .split(|&byte| byte == b',')
            .any(|element| element.trim_ascii().eq_ignore_ascii_case(member.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, ORIGIN};

    use super::*;

    fn merged(inner: &[&'static str]) -> Vec<String> {
        let mut headers: HeaderMap = inner
            .iter()
            .map(|line| (VARY, HeaderValue::from_static(line)))
            .collect();
        Vary::new(vec![ORIGIN, AUTHORIZATION]).merge_into(&mut headers);
        let lines = headers.get_all(VARY).iter();
        lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn members_are_added_once_and_none_is_lost() {
        for (inner, expected) in [
            (&[][..], &["origin,authorization"][..]),
            (
                &["Accept-Encoding"],
                &["accept-encoding,origin,authorization"],
            ),
            (
                &["accept-encoding", "a"],
                &["accept-encoding", "a", "origin", "authorization"],
            ),
            (&["Accept, Origin"], &["Accept, Origin", "authorization"]),
            (
                &["a", "AUTHORIZATION , b,origin"],
                &["a", "AUTHORIZATION , b,origin"],
            ),
            (&["a", "*"], &["a", "*"]),
            (&["originx"], &["originx", "origin", "authorization"]),
        ] {
            assert_eq!(merged(inner), expected, "{inner:?}");
        }
    }

    #[test]
    fn nothing_to_add() {
        let mut headers = HeaderMap::new();
        Vary::new(Vec::new()).merge_into(&mut headers);
        assert!(headers.is_empty());
    }
}
