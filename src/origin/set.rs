//! [`OriginSet`]: many origins and patterns. A lookup costs the same for one entry and for a million.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{
    byte_set::ByteSet,
    error::OriginError,
    families::{Families, ListMatch},
    grammar::{MAX_ORIGIN_LEN, is_secure},
    pattern::{OriginPattern, PatternRef},
    public_suffix::crosses_public_suffix,
    shape::Permitted,
    suggest,
    tuple::Origin,
};

/// An immutable, shared set of origins and origin patterns.
///
/// A lookup costs one probe of a hash table for the exact origins, and at most one for each label
/// of the host for the patterns, however many there are. For wildcards within a label it is one for
/// each pair of lengths before and behind the `*`. Cloning is one reference count.
///
/// ```
/// use tower_cors::{Origin, OriginSet};
///
/// let set = OriginSet::parse(["https://example.com", "https://*.example.com", "http://localhost:*"])
///     .expect("three well-formed entries");
/// let origin = |text: &str| text.parse::<Origin>().unwrap();
///
/// assert!(set.contains(&origin("https://app.example.com")));
/// assert!(set.contains(&origin("http://localhost:5173")));
/// assert!(!set.contains(&origin("https://example.org")));
/// ```
#[derive(Clone, Default)]
pub struct OriginSet {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    exact: ByteSet,
    /// The number of entries with a wildcard.
    patterns: usize,
    /// Patterns by scheme; there are one or two schemes in practice.
    families: Vec<Families>,
    /// Whether anybody on the network can act as one of the origins.
    insecure: bool,
    /// Whether `file://` is listed.
    file: bool,
    /// The same set without the patterns that match strangers, if there are such. Computed when it is
    /// first asked for, because most sets never are.
    without_strangers: OnceLock<Option<OriginSet>>,
}

impl OriginSet {
    /// Parses entries in the grammar of [`OriginPattern`].
    ///
    /// # Errors
    ///
    /// The error of the first entry that is not a pattern. To learn of all mistakes at once, use
    /// [`CorsLayerBuilder::allow_origins`](crate::CorsLayerBuilder::allow_origins).
    pub fn parse<I>(entries: I) -> Result<Self, OriginError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut set = OriginSetBuilder::default();
        for entry in entries {
            let entry = entry.as_ref();
            match PatternRef::parse(entry) {
                Ok(pattern) => set.insert(pattern),
                Err(kind) => return Err(suggest::explain(kind, entry)),
            }
        }
        Ok(set.build())
    }

    /// Whether an exact entry or a pattern matches the origin.
    pub fn contains(&self, origin: &Origin) -> bool {
        // Exact entries are the most frequent ones, and take a single probe.
        self.inner.exact.contains(origin.as_bytes())
            || self
                .inner
                .families
                .iter()
                .find(|families| families.scheme() == origin.scheme_bytes())
                .is_some_and(|families| families.contains(origin))
    }

    /// The entry that matches the origin, as it is written.
    pub(crate) fn entry_for(&self, origin: &Origin) -> Option<String> {
        if self.inner.exact.contains(origin.as_bytes()) {
            return Some(origin.as_str().to_owned());
        }
        let mut families = self.inner.families.iter();
        families
            .find(|families| families.scheme() == origin.scheme_bytes())?
            .entry_for(origin)
    }

    /// All entries as they are written, origins first; `None` if there are more than `max`.
    pub(crate) fn entries_up_to(&self, max: usize) -> Option<Vec<String>> {
        if self.len() > max {
            return None;
        }
        let exact = self.inner.exact.iter();
        let exact = exact.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut patterns: Vec<String> = self
            .inner
            .families
            .iter()
            .flat_map(Families::entries)
            .collect();
        // Maps have no order, and the same set should always be written in the same way.
        patterns.sort_unstable();
        Some(exact.chain(patterns).collect())
    }

    /// Looks up the bytes of an `Origin` header that has not been parsed.
    #[inline(always)]
    pub(crate) fn look_up(&self, bytes: &[u8]) -> ListMatch {
        if self.inner.exact.contains(bytes) {
            return ListMatch::Listed;
        }
        if self.inner.families.is_empty() {
            ListMatch::NotListed
        } else {
            self.inner.look_up_pattern(bytes)
        }
    }

    /// Whether there are entries without transport security that are not loopback addresses.
    pub(crate) fn has_insecure_origins(&self) -> bool {
        self.inner.insecure
    }

    /// Whether `file://` is listed, which any file on the user's machine may send.
    pub(crate) fn has_file_origin(&self) -> bool {
        self.inner.file
    }

    /// The bases of all wildcards, of whole labels or within one.
    pub(crate) fn wildcard_bases(&self) -> impl Iterator<Item = &str> {
        self.inner.families.iter().flat_map(Families::bases)
    }

    /// Whether every host of some application's scheme is listed.
    pub(crate) fn has_any_host(&self) -> bool {
        self.inner.families.iter().any(Families::has_any_host)
    }

    /// Whether strangers can have an origin that some pattern matches.
    pub(crate) fn matches_strangers(&self) -> bool {
        self.has_any_host() || self.wildcard_bases().any(crosses_public_suffix)
    }

    /// Whether an entry matches the origin that no stranger's origin matches.
    pub(crate) fn contains_beside_strangers(&self, origin: &Origin) -> bool {
        if self.inner.exact.contains(origin.as_bytes()) {
            return true;
        }
        match self.find_strangers() {
            None => self.contains(origin),
            Some(rest) => rest.contains(origin),
        }
    }

    /// The patterns that match no strangers, if there are others. Computed once.
    pub(crate) fn find_strangers(&self) -> Option<&Self> {
        let rest = self.inner.without_strangers.get_or_init(|| {
            let has_strangers = self.matches_strangers();
            has_strangers.then(|| self.without_strangers())
        });
        rest.as_ref()
    }

    fn without_strangers(&self) -> Self {
        let patterns = self.inner.families.iter().flat_map(Families::entries);
        let mut set = OriginSetBuilder::default();
        // They are in the set already, so each has the permission that it needs.
        let permitted = Permitted {
            file: true,
            ranges: true,
        };
        for text in patterns {
            if let Ok(pattern) = PatternRef::parse_with(&text, permitted)
                && !pattern.matches_strangers()
            {
                set.insert(pattern);
            }
        }
        set.build()
    }

    /// The number of different entries.
    pub fn len(&self) -> usize {
        self.inner.exact.len() + self.inner.patterns
    }

    /// Whether the set matches nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl FromIterator<OriginPattern> for OriginSet {
    fn from_iter<I: IntoIterator<Item = OriginPattern>>(patterns: I) -> Self {
        let mut set = OriginSetBuilder::default();
        for pattern in patterns {
            set.inner.note_file(pattern.scheme());
            set.insert(pattern.borrow());
        }
        set.build()
    }
}

impl FromIterator<Origin> for OriginSet {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        let mut set = OriginSetBuilder::default();
        for origin in origins {
            set.inner.note_file(origin.scheme());
            set.inner.note_security(origin.scheme(), origin.host());
            set.inner.exact.insert(origin.as_bytes());
        }
        set.build()
    }
}

impl fmt::Debug for OriginSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// An [`OriginSet`] before it is shared.
#[derive(Default)]
pub(crate) struct OriginSetBuilder {
    inner: Inner,
}

impl OriginSetBuilder {
    /// Makes room for so many exact entries, of so many bytes in all.
    pub(crate) fn reserve(&mut self, entries: usize, bytes: usize) {
        self.inner.exact.reserve(entries, bytes);
    }

    pub(crate) fn insert(&mut self, pattern: PatternRef<'_>) {
        self.inner.insert(pattern);
    }

    pub(crate) fn build(mut self) -> OriginSet {
        self.inner.exact.shrink_to_fit();
        OriginSet {
            inner: Arc::new(self.inner),
        }
    }
}

impl Inner {
    /// Nearly every origin that a pattern matches is a name without a port. Its end is looked up
    /// among the bases; then only the labels before the base have to be checked.
    fn look_up_pattern(&self, bytes: &[u8]) -> ListMatch {
        // Nothing that long is an origin, and it must not be searched.
        if bytes.len() > MAX_ORIGIN_LEN {
            return ListMatch::NotListed;
        }
        let found = self.families.iter().find_map(|families| {
            let rest = bytes.strip_prefix(families.scheme())?;
            Some((families, rest.strip_prefix(b"://")?))
        });
        match found {
            Some((families, authority)) => families.look_up(authority),
            None => ListMatch::NotListed,
        }
    }

    fn insert(&mut self, pattern: PatternRef<'_>) {
        self.note_security(pattern.scheme(), pattern.host());
        if pattern.is_exact() {
            self.exact.insert(pattern.as_str().as_bytes());
        } else {
            let is_new = self.families_of(pattern.scheme()).insert(pattern);
            self.patterns += usize::from(is_new);
        }
    }

    fn note_security(&mut self, scheme: &str, host: &str) {
        self.insecure |= !is_secure(scheme, host);
    }

    /// Only for what has not been parsed as an entry: the grammar of entries has no `file://`.
    fn note_file(&mut self, scheme: &str) {
        self.file |= scheme == "file";
    }

    fn families_of(&mut self, scheme: &str) -> &mut Families {
        let found = self
            .families
            .iter()
            .position(|families| families.scheme() == scheme.as_bytes());
        let index = found.unwrap_or_else(|| {
            self.families.push(Families::new(scheme));
            self.families.len() - 1
        });
        &mut self.families[index]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{grammar::MAX_SCHEME_LEN, host::MAX_HOST_LEN},
        *,
    };

    fn set(entries: &[&str]) -> OriginSet {
        OriginSet::parse(entries).unwrap()
    }

    fn contains(set: &OriginSet, origin: &str) -> bool {
        set.contains(&origin.parse().unwrap())
    }

    #[test]
    fn entries_are_not_merged() {
        let set = set(&[
            "https://foo.example",
            "https://bar.example",
            "https://*.kin.example",
            "https://pumpkin.example",
        ]);
        for origin in [
            "https://foo.example",
            "https://a.kin.example",
            "https://pumpkin.example",
        ] {
            assert!(contains(&set, origin), "{origin}");
        }
        for origin in [
            "https://barfoo.example",
            "https://o.example",
            "https://kin.example",
            "https://xkin.example",
            "https://umpkin.example",
            "http://foo.example",
        ] {
            assert!(!contains(&set, origin), "{origin}");
        }
    }

    #[test]
    fn ports_of_one_base_add_up() {
        let set = set(&[
            "https://*.a.example",
            "https://*.a.example:8443",
            "https://b.example:*",
        ]);
        for origin in [
            "https://x.a.example",
            "https://x.a.example:8443",
            "https://b.example:1",
        ] {
            assert!(contains(&set, origin), "{origin}");
        }
        for origin in ["https://x.a.example:8444", "https://x.b.example:1"] {
            assert!(!contains(&set, origin), "{origin}");
        }
    }

    #[test]
    fn bytes_are_looked_up_like_origins_where_two_patterns_compete() {
        for other in ["tauri://*", "tauri://a..ext:*"] {
            let set = set(&["tauri://*.ext", other]);
            // The one pattern does not match an empty label, the other one does.
            assert!(contains(&set, "tauri://a..ext"), "{other}");
            let found = set.look_up(b"tauri://a..ext");
            assert_ne!(found, ListMatch::NotListed, "{other}");
        }
    }

    #[test]
    fn a_range_of_addresses_stays_beside_strangers() {
        let permitted = Permitted {
            ranges: true,
            ..Permitted::default()
        };
        let mut set = OriginSetBuilder::default();
        for text in ["http://192.168.0.0/16:*", "https://*.github.io"] {
            set.insert(PatternRef::parse_with(text, permitted).unwrap());
        }
        let set = set.build();
        for (origin, expected) in [
            ("http://192.168.7.9:3000", true),
            ("http://192.169.7.9:3000", false),
            ("https://a.github.io", false),
        ] {
            let origin = origin.parse().unwrap();
            assert_eq!(set.contains_beside_strangers(&origin), expected, "{origin}");
        }
    }

    #[test]
    fn a_wildcard_within_a_label_matches_strangers_below_a_public_suffix() {
        assert!(set(&["https://pr-*.github.io"]).matches_strangers());
        for own in ["https://pr-*.team.github.io", "https://pr-*.example.com"] {
            assert!(!set(&[own]).matches_strangers(), "{own}");
        }
    }

    /// A name may have it, and the host of an application may not.
    #[test]
    fn a_brace_makes_no_host_of_an_application() {
        let set = set(&["https://*.example", "moz-extension://*.ext"]);
        assert_eq!(set.look_up(b"https://{.example"), ListMatch::Listed);
        assert_ne!(set.look_up(b"moz-extension://{.ext"), ListMatch::Listed);
        assert_ne!(set.look_up(b"moz-extension://a.ext"), ListMatch::NotListed);
    }

    #[test]
    fn the_same_entry_counts_once() {
        let set = set(&[
            "https://a.example",
            "https://a.example",
            "https://*.a.example",
            "https://*.a.example",
            "http://localhost:*",
            "http://localhost:*",
            "https://*.a.example:*",
            "https://*.a.example:*",
            "https://*.d.example:*",
            "https://a-*.b.example",
            "https://a-*.b.example",
            "https://c-*.b.example",
            "app://*",
            "app://*",
        ]);
        assert_eq!(set.len(), 8);
        assert!(!set.is_empty());
        assert!(OriginSet::default().is_empty());
    }

    #[test]
    fn origins_make_a_set() {
        let listed: Origin = "http://a.example:81".parse().unwrap();
        let set: OriginSet = [listed.clone(), listed].into_iter().collect();
        assert_eq!(set.len(), 1);
        assert!(contains(&set, "http://a.example:81"));
        assert!(!contains(&set, "http://a.example"));
        assert!(set.has_insecure_origins());
    }

    #[test]
    fn what_is_longer_than_any_origin_is_not_looked_up() {
        let scheme = "s".repeat(MAX_SCHEME_LEN);
        let set = set(&[&format!("{scheme}://*.example:*")]);
        let labels = "a.".repeat((MAX_HOST_LEN - "example".len()) / 2);
        let longest = format!("{scheme}://{labels}example.:65535");
        assert_eq!(longest.len(), MAX_ORIGIN_LEN);
        // Its port has to be parsed to tell.
        assert_eq!(set.look_up(longest.as_bytes()), ListMatch::Unclear);
        assert_eq!(
            set.look_up(format!("{longest}0").as_bytes()),
            ListMatch::NotListed
        );
    }

    #[test]
    fn wildcards_within_a_label_are_found_by_what_stands_around_them() {
        let numbered = (0..200).map(|number| format!("https://t{number}-*.apps.example"));
        let entries: Vec<String> = numbered
            .chain(["https://*-x.apps.example:*".to_owned()])
            .collect();
        let set = OriginSet::parse(&entries).unwrap();
        assert_eq!(set.len(), 201);
        for origin in [
            "https://t0-a.apps.example",
            "https://t199-a-b.apps.example",
            "https://a-x.apps.example:81",
            // By both.
            "https://t7-x.apps.example",
        ] {
            assert!(contains(&set, origin), "{origin}");
        }
        for origin in [
            "https://t0-.apps.example",
            "https://t200-a.apps.example",
            "https://t0-a.b.apps.example",
            "https://t0-a.apps.example:81",
            "https://-x.apps.example",
            "https://t0-a.apps.example.",
            "https://t0-a.xapps.example",
        ] {
            assert!(!contains(&set, origin), "{origin}");
        }
    }

    #[test]
    fn the_longest_wildcard_within_a_label_is_found() {
        let labels = "a.".repeat((MAX_HOST_LEN - "a*.example.".len()) / 2);
        let host = |first: &str| format!("https://{first}.{labels}example.");
        let set = set(&[&host("aa*")]);
        assert_eq!(host("aa*").len(), "https://".len() + MAX_HOST_LEN + 1);
        assert!(contains(&set, &host("aab")));
        assert!(!contains(&set, &host("abb")));
    }

    /// Few letters and labels, so that entries and origins meet often.
    fn entry() -> impl Strategy<Value = String> {
        let scheme = prop_oneof![Just("https"), Just("http"), Just("tauri")];
        let port = prop_oneof![Just(""), Just(":1"), Just(":8080"), Just(":*")];
        let star = prop_oneof![
            2 => Just(""), 2 => Just("*."), 1 => Just("a*."), 1 => Just("*b."), 1 => Just("a*b."),
        ];
        let entry = (scheme, star, host(), port)
            .prop_map(|(scheme, star, host, port)| format!("{scheme}://{star}{host}{port}"));
        // Applications' hosts have no wildcard within a label.
        entry.prop_filter("a pattern", |text| text.parse::<OriginPattern>().is_ok())
    }

    fn host() -> impl Strategy<Value = String> {
        proptest::collection::vec("[ab]{1,2}", 1..4).prop_map(|labels| labels.join("."))
    }

    fn origin() -> impl Strategy<Value = Origin> {
        let scheme = prop_oneof![Just("https"), Just("http"), Just("tauri"), Just("ionic")];
        let port = prop_oneof![Just(""), Just(":1"), Just(":8080"), Just(":9")];
        (scheme, host(), any::<bool>(), port).prop_map(|(scheme, host, dot, port)| {
            let dot = if dot { "." } else { "" };
            format!("{scheme}://{host}{dot}{port}").parse().unwrap()
        })
    }

    /// What a header may hold: origins, and what is nearly one.
    fn sent() -> impl Strategy<Value = String> {
        let host = "[abA1*_.{%!\\[]{0,3}";
        let near = (0..4_usize, host, host, origin()).prop_map(|(what, before, behind, origin)| {
            let origin = origin.as_str();
            match what {
                0 => format!("{origin}{behind}"),
                1 => origin.replacen("//", &format!("//{before}."), 1),
                2 => origin.replacen("//", &format!("//{before}"), 1),
                _ => origin.replacen("://", &before, 1),
            }
        });
        // On both sides of the longest label, and of the longest host.
        let long = (0..2_usize, 60..66_usize, 240..256_usize, origin()).prop_map(
            |(what, label, host, origin)| {
                let labels = match what {
                    0 => "a".repeat(label),
                    _ => "a.".repeat(host / 2 - 3) + &"b".repeat(1 + host % 2),
                };
                origin.as_str().replacen("//", &format!("//{labels}."), 1)
            },
        );
        prop_oneof![2 => origin().prop_map(|origin| origin.to_string()), 2 => near, 1 => long]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn unparsed_bytes_are_looked_up_like_the_origin_that_they_are(
            entries in proptest::collection::vec(entry(), 0..12),
            values in proptest::collection::vec(sent(), 1..12),
        ) {
            let set = OriginSet::parse(&entries).unwrap();
            for value in values {
                let origin = value.parse::<Origin>();
                let expected = origin.is_ok_and(|origin| set.contains(&origin));
                match set.look_up(value.as_bytes()) {
                    ListMatch::Listed => prop_assert!(expected, "{value}"),
                    ListMatch::NotListed => prop_assert!(!expected, "{value}"),
                    // A port, an IPv6 address, a wildcard within a label, or a name in an
                    // application's scheme.
                    ListMatch::Unclear => {
                        let within = |entry: &String| {
                            let pattern: OriginPattern = entry.parse().unwrap();
                            pattern.host().contains('*')
                        };
                        let has_port = value.matches(':').count() > 1;
                        let is_application = !value.starts_with("http");
                        let is_unclear = has_port || is_application || entries.iter().any(within);
                        prop_assert!(is_unclear, "{}", value);
                    }
                }
            }
        }

        #[test]
        fn an_origin_is_matched_by_the_entry_that_is_named(
            entries in proptest::collection::vec(entry(), 0..12),
            origins in proptest::collection::vec(origin(), 1..12),
        ) {
            let set = OriginSet::parse(&entries).unwrap();
            let written = set.entries_up_to(set.len()).unwrap();
            let (mut expected, mut found) = (entries.clone(), written.clone());
            expected.sort_unstable();
            expected.dedup();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
            prop_assert!(set.is_empty() || set.entries_up_to(set.len() - 1).is_none());
            for origin in origins {
                let entry = set.entry_for(&origin);
                prop_assert_eq!(entry.is_some(), set.contains(&origin));
                if let Some(entry) = entry {
                    prop_assert!(written.contains(&entry), "{}", entry);
                    prop_assert!(entry.parse::<OriginPattern>().unwrap().matches(&origin));
                }
            }
        }

        #[test]
        fn agrees_with_a_list(
            entries in proptest::collection::vec(entry(), 0..12),
            origins in proptest::collection::vec(origin(), 1..12),
        ) {
            let list: Vec<OriginPattern> = entries.iter().map(|e| e.parse().unwrap()).collect();
            let set = OriginSet::parse(&entries).unwrap();
            for origin in origins {
                let expected = list.iter().any(|pattern| pattern.matches(&origin));
                prop_assert_eq!(set.contains(&origin), expected, "{}", origin);
            }
        }
    }
}
