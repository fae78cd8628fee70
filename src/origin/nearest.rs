//! The configured origin that is most like one that is not allowed, and how the two differ.

use super::{pattern::OriginPattern, set::OriginSet, tuple::Origin};

/// Something that lists origins: a set, or a registry.
pub(crate) trait Listing: std::fmt::Debug + Send + Sync {
    /// The entry that matches the origin, as it is written.
    fn entry_for(&self, origin: &Origin) -> Option<String>;

    /// All entries, if there are at most `max`.
    fn entries_up_to(&self, max: usize) -> Option<Vec<String>>;
}

impl Listing for OriginSet {
    fn entry_for(&self, origin: &Origin) -> Option<String> {
        self.entry_for(origin)
    }

    fn entries_up_to(&self, max: usize) -> Option<Vec<String>> {
        self.entries_up_to(max)
    }
}

/// A listed entry that is nearly the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nearest {
    pub(crate) entry: String,
    pub(crate) difference: Difference,
}

/// How an entry differs from an origin that it does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// `http` and `https`.
    Scheme,
    /// One of the two begins with `www.`.
    Www,
    /// The host has a dot at its end, or not.
    TrailingDot,
    /// Another port of the same host.
    Port,
    /// The entry is a name above the origin's.
    Above,
    /// The entry is a wildcard for the names below the origin's.
    Below,
    /// One or two letters.
    Letters,
}

/// Lists that are longer are only probed, not searched: the search is for people who read a log,
/// and must not become a burden.
const MAX_SEARCHED: usize = 256;

/// Hosts that are shorter differ in one or two letters by chance.
const MIN_LEN_FOR_LETTERS: usize = 12;

impl Nearest {
    /// The entry of the listing that differs least, if one is near. The listing does not match the
    /// origin itself.
    ///
    /// A listing of any length is probed for a few spellings; a short one is searched as well.
    pub(crate) fn find(listing: &dyn Listing, origin: &Origin) -> Option<Self> {
        let probed = spellings(origin).find_map(|(difference, text)| {
            let entry = listing.entry_for(&text.parse().ok()?)?;
            Some(Self { entry, difference })
        });
        probed.or_else(|| {
            let entries = listing.entries_up_to(MAX_SEARCHED)?;
            let found = |difference: Difference, is_near: fn(&OriginPattern, &Origin) -> bool| {
                let mut patterns = entries.iter().filter_map(|entry| entry.parse().ok());
                let entry = patterns.find(|pattern| is_near(pattern, origin))?;
                let entry = entry.as_str().to_owned();
                Some(Self { entry, difference })
            };
            found(Difference::Port, differs_in_port)
                .or_else(|| found(Difference::Letters, differs_in_letters))
        })
    }
}

/// Other spellings of the origin, the most frequent mistakes first.
fn spellings(origin: &Origin) -> impl Iterator<Item = (Difference, String)> {
    let (scheme, host) = (origin.scheme(), origin.host());
    let port = &origin.as_str()[scheme.len() + 3 + host.len()..];
    let other_scheme = match scheme {
        "http" => Some("https"),
        "https" => Some("http"),
        _ => None,
    };
    let with = |scheme: &str, host: &str| format!("{scheme}://{host}{port}");
    let www = host.strip_prefix("www.").map(str::to_owned);
    let www = www.unwrap_or_else(|| format!("www.{host}"));
    let dot = host.strip_suffix('.').map(str::to_owned);
    let dot = dot.unwrap_or_else(|| format!("{host}."));
    let mut all = vec![
        // No label of a real name looks like this, so only a wildcard matches it.
        (
            Difference::Below,
            with(scheme, &format!("x--any--x.{host}")),
        ),
        (Difference::Www, with(scheme, &www)),
        (Difference::TrailingDot, with(scheme, &dot)),
        (Difference::Port, format!("{scheme}://{host}")),
    ];
    if let Some(other) = other_scheme {
        all.insert(0, (Difference::Scheme, with(other, host)));
        all.push((Difference::Scheme, format!("{other}://{host}")));
    }
    let dots = host.match_indices('.');
    let above = dots.map(|(at, _)| (Difference::Above, with(scheme, &host[at + 1..])));
    all.extend(above);
    all.into_iter()
}

fn differs_in_port(entry: &OriginPattern, origin: &Origin) -> bool {
    entry.scheme() == origin.scheme() && entry.is_exact() && entry.host() == origin.host()
}

fn differs_in_letters(entry: &OriginPattern, origin: &Origin) -> bool {
    let (own, sent) = (entry.host(), origin.host());
    entry.is_exact()
        && entry.scheme() == origin.scheme()
        && own.len().min(sent.len()) >= MIN_LEN_FOR_LETTERS
        && own.len().abs_diff(sent.len()) <= 2
        && distance(own.as_bytes(), sent.as_bytes()) <= 2
}

/// How many letters have to be added, removed, replaced, or swapped with their neighbour.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nearest(entries: &[&str], origin: &str) -> Option<(Difference, String)> {
        let set = OriginSet::parse(entries).unwrap();
        let found = Nearest::find(&set, &origin.parse().unwrap());
        found.map(|nearest| (nearest.difference, nearest.entry))
    }

    #[test]
    fn each_difference() {
        use Difference as D;
        for (entry, origin, difference) in [
            ("http://app.example", "https://app.example", D::Scheme),
            ("https://app.example", "http://app.example", D::Scheme),
            ("https://localhost", "http://localhost:3000", D::Scheme),
            ("http://localhost:*", "https://localhost:3000", D::Scheme),
            ("https://www.app.example", "https://app.example", D::Www),
            ("https://app.example", "https://www.app.example", D::Www),
            (
                "https://app.example",
                "https://app.example.",
                D::TrailingDot,
            ),
            (
                "https://app.example.",
                "https://app.example",
                D::TrailingDot,
            ),
            ("https://app.example", "https://app.example:8443", D::Port),
            ("http://localhost:3000", "http://localhost:5173", D::Port),
            ("https://app.example:8443", "https://app.example", D::Port),
            ("https://app.example", "https://a.b.app.example", D::Above),
            ("https://*.app.example", "https://app.example", D::Below),
            (
                "https://shop.contoso.example",
                "https://shop.cotnoso.example",
                D::Letters,
            ),
            (
                "https://shop.contoso.example",
                "https://shop.contosso.example",
                D::Letters,
            ),
        ] {
            let expected = Some((difference, entry.to_owned()));
            assert_eq!(nearest(&[entry], origin), expected, "{entry} {origin}");
        }
    }

    #[test]
    fn no_entry_is_better_than_a_wrong_one() {
        for (entry, origin) in [
            ("https://app.example", "https://evil.example"),
            ("https://a.example", "https://b.example"),
            ("https://app.example", "https://app.example.evil.example"),
            ("https://app.example", "https://evilapp.example"),
            ("app://app.example", "https://app.example"),
            ("https://*.app.example:8443", "https://app.example"),
        ] {
            assert_eq!(nearest(&[entry], origin), None, "{entry} {origin}");
        }
    }

    /// Scheme and `www.` come before a name above, and a long list is only probed.
    #[test]
    fn the_most_frequent_mistake_is_named_first() {
        let both = ["https://app.example", "http://www.app.example"];
        let found = nearest(&both, "https://www.app.example");
        assert_eq!(found, Some((Difference::Scheme, both[1].to_owned())));

        let long: Vec<String> = (0..=MAX_SEARCHED)
            .map(|number| format!("http://localhost:{}", 1000 + number))
            .collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        assert_eq!(nearest(&long, "http://localhost:9"), None);
        assert!(nearest(&long, "https://localhost:1000").is_some());
    }

    /// The same as [`distance`], by trying every way to treat the last letters.
    fn naive_distance(a: &[u8], b: &[u8]) -> usize {
        let ([a_rest @ .., a_last], [b_rest @ .., b_last]) = (a, b) else {
            return a.len().max(b.len());
        };
        let removed_or_added = naive_distance(a_rest, b).min(naive_distance(a, b_rest)) + 1;
        let replaced = naive_distance(a_rest, b_rest) + usize::from(a_last != b_last);
        let swapped = match (a, b) {
            ([a_rest @ .., p, q], [b_rest @ .., r, s]) if (p, q) == (s, r) => {
                naive_distance(a_rest, b_rest) + 1
            }
            _ => replaced,
        };
        removed_or_added.min(replaced).min(swapped)
    }

    proptest! {
        #[test]
        fn the_distance_is_that_of_the_shortest_way(a in "[abc]{0,5}", b in "[abc]{0,5}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert_eq!(distance(a, b), naive_distance(a, b));
        }
    }
}
