//! Headers that were meant to be the protocol's.

use crate::exchange::Answer;

/// All that begin with `Access-Control-`; what they mean is no matter here.
const KNOWN: [&str; 10] = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Access-Control-Allow-Private-Network",
    "Access-Control-Request-Private-Network",
];

/// Those that answers have a use for.
const OF_ANSWERS: usize = 6;

/// A name as it stands in an answer, and what it was meant to be.
pub(crate) fn misspelt_headers(answer: &Answer) -> Vec<(String, &'static str)> {
    answer
        .headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| name.starts_with("access-control-"))
        .filter(|name| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .filter_map(|name| Some((name.to_owned(), nearest(name)?)))
        .collect()
}

/// A misspelt header that was meant to be `right`, where that is missing.
pub(super) fn instead_of(answer: &Answer, right: &'static str) -> Option<String> {
    if answer.get(right).is_some() {
        return None;
    }
    let found = misspelt_headers(answer);
    found
        .into_iter()
        .find(|(_, meant)| *meant == right)
        .map(|(wrong, _)| wrong)
}

fn nearest(name: &str) -> Option<&'static str> {
    const MAX_DISTANCE: usize = 3;
    KNOWN[..OF_ANSWERS]
        .iter()
        .map(|known| {
            let lower = known.to_ascii_lowercase();
            // `Access-Control-Origin`, without its middle, is usual as well.
            let short = lower.replace("-allow-", "-").replace("-expose-", "-");
            (
                distance(name, &lower).min(1 + distance(name, &short)),
                *known,
            )
        })
        .filter(|(distance, _)| *distance <= MAX_DISTANCE)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Levenshtein's. Names longer than any of the protocol's by far are not worth the time.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX - 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_told_from_what_is_something_else() {
        for (name, expected) in [
            (
                "access-control-allow-method",
                Some("Access-Control-Allow-Methods"),
            ),
            (
                "access-control-allow-header",
                Some("Access-Control-Allow-Headers"),
            ),
            (
                "access-control-allow-origins",
                Some("Access-Control-Allow-Origin"),
            ),
            (
                "access-control-allow-orgin",
                Some("Access-Control-Allow-Origin"),
            ),
            (
                "access-control-allowed-origin",
                Some("Access-Control-Allow-Origin"),
            ),
            ("access-control-origin", Some("Access-Control-Allow-Origin")),
            (
                "access-control-allow-credential",
                Some("Access-Control-Allow-Credentials"),
            ),
            (
                "access-control-expose-header",
                Some("Access-Control-Expose-Headers"),
            ),
            (
                "access-control-exposed-headers",
                Some("Access-Control-Expose-Headers"),
            ),
            ("access-control-maxage", Some("Access-Control-Max-Age")),
            ("access-control-allow-local-network", None),
            ("access-control-whatever", None),
        ] {
            assert_eq!(nearest(name), expected, "{name}");
        }
    }
}
