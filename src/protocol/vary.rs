//! [`Vary`]: the request headers that an answer depends on, merged with those of the inner
//! service.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT_ENCODING, GetAll, VARY},
};

use crate::{fetch::shared_value, policy::union_of_names};

/// Names for `Vary`
/// ([RFC 9110, section 12.5.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5)).
#[derive(Clone, Debug)]
pub(crate) struct Vary {
    names: Vec<(HeaderName, HeaderValue)>,
    /// All names in one value.
    joined: HeaderValue,
    /// The same after `accept-encoding`, which services that compress send.
    with_encoding: HeaderValue,
}

impl Vary {
    pub(crate) fn new(names: Vec<HeaderName>) -> Self {
        let joined = join(&names);
        let with_encoding = join(&union_of_names(&[ACCEPT_ENCODING], &names));
        let names = names
            .iter()
            .map(|name| (name.clone(), join(std::slice::from_ref(name))))
            .collect();
        Self {
            names,
            joined,
            with_encoding,
        }
    }

    /// Adds the missing names, each once. Existing ones stay; `*` covers all names.
    ///
    /// `entry` is avoided because it grows a full map even if nothing is added.
    pub(crate) fn merge_into(&self, headers: &mut HeaderMap) {
        self.merge_beside(headers.contains_key(VARY), headers);
    }

    /// The same, if it is known whether there is a `Vary`.
    #[inline(always)]
    pub(super) fn merge_beside(&self, is_there: bool, headers: &mut HeaderMap) {
        if self.names.is_empty() {
            return;
        }
        if is_there {
            self.merge_with_lines(headers);
        } else {
            headers.insert(VARY, self.joined.clone());
        }
    }

    fn merge_with_lines(&self, headers: &mut HeaderMap) {
        let lines = headers.get_all(VARY);
        // The usual cases first: nothing to add, or only `accept-encoding` there.
        let mut usual = lines.iter();
        if let (Some(line), None) = (usual.next(), usual.next()) {
            if line == self.joined || line == "*" {
                return;
            }
            if is_encoding(line) {
                if let Some(line) = headers.get_mut(VARY) {
                    *line = self.with_encoding.clone();
                }
                return;
            }
        }
        let is_missing = |(name, _): &(HeaderName, HeaderValue)| !covers(&lines, name);
        let Some(first) = self.names.iter().position(is_missing) else {
            return;
        };
        // Usually it is the only one, so the lines are searched once.
        for (i, (name, value)) in self.names.iter().enumerate().skip(first) {
            if i == first || !covers(&headers.get_all(VARY), name) {
                headers.append(VARY, value.clone());
            }
        }
    }
}

fn join(names: &[HeaderName]) -> HeaderValue {
    let texts: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
    let joined = texts.join(",");
    // `from_static` clones without touching a reference count.
    match USUAL.into_iter().find(|usual| *usual == joined) {
        Some(usual) => HeaderValue::from_static(usual),
        None => shared_value(joined),
    }
}

const USUAL: [&str; 3] = [
    "origin",
    "accept-encoding,origin",
    "origin,access-control-request-method,access-control-request-headers",
];

fn is_encoding(line: &HeaderValue) -> bool {
    let name = ACCEPT_ENCODING;
    line.as_bytes()
        .eq_ignore_ascii_case(name.as_str().as_bytes())
}

/// Whether the lines have the name, or `*`, which covers all names.
fn covers(lines: &GetAll<'_, HeaderValue>, name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    lines.iter().any(|line| {
        line.as_bytes()
            .split(|&byte| byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|member| member == b"*" || member.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE, ORIGIN};
    use proptest::prelude::*;

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

    /// The elements of all lines, in order.
    fn elements(lines: &[String]) -> Vec<String> {
        let elements = lines.iter().flat_map(|line| line.split(','));
        elements
            .map(|element| element.trim().to_ascii_lowercase())
            .collect()
    }

    fn line() -> impl Strategy<Value = String> {
        let element = prop_oneof![
            3 => Just("accept-encoding"), 1 => Just("Accept-Encoding"), 2 => Just("origin"),
            1 => Just("ORIGIN"), 1 => Just("authorization"), 1 => Just("cookie"),
            1 => Just("originx"), 1 => Just("*"), 1 => Just(""),
        ];
        let separator = prop_oneof![Just(","), Just(", "), Just(" , ")];
        (proptest::collection::vec(element, 1..4), separator)
            .prop_map(|(elements, separator)| elements.join(separator))
    }

    proptest! {
        #[test]
        fn merging_appends_what_is_missing(
            inner in proptest::collection::vec(line(), 0..4),
            names in proptest::sample::subsequence(vec![ORIGIN, AUTHORIZATION, COOKIE], 0..=3),
            others in 0..8_usize,
        ) {
            let mut expected = elements(&inner);
            if !expected.contains(&"*".to_owned()) {
                let missing = names.iter().map(|name| name.to_string());
                let missing: Vec<String> =
                    missing.filter(|name| !expected.contains(name)).collect();
                expected.extend(missing);
            }
            let mut headers = HeaderMap::new();
            for i in 0..others {
                let name: HeaderName = format!("x-{i}").parse().unwrap();
                headers.insert(name, HeaderValue::from_static("1"));
            }
            for line in &inner {
                headers.append(VARY, line.parse().unwrap());
            }
            Vary::new(names).merge_into(&mut headers);
            let lines: Vec<String> = headers
                .get_all(VARY)
                .iter()
                .map(|line| line.to_str().unwrap().to_owned())
                .collect();
            prop_assert_eq!(elements(&lines), expected);
        }
    }

    #[test]
    fn nothing_to_add() {
        let mut headers = HeaderMap::new();
        Vary::new(Vec::new()).merge_into(&mut headers);
        assert!(headers.is_empty());
    }
}
