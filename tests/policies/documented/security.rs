//! The page for the security reviewer names a test for each threat, and a threat for each advisory.

use std::{collections::BTreeSet, fs, path::Path};

const PAGE: &str = include_str!("../../../src/guide/security.md");

/// The tests that the text names: file and function.
fn named(text: &str) -> Vec<(String, String)> {
    let spans = text.split('`').skip(1).step_by(2);
    let tests = spans.filter_map(|span| {
        let (file, names) = span.split_once(".rs: ")?;
        Some((format!("{file}.rs"), names.to_owned()))
    });
    tests
        .flat_map(|(file, names)| {
            let names: Vec<String> = names.split(", ").map(str::to_owned).collect();
            names.into_iter().map(move |name| (file.clone(), name))
        })
        .collect()
}

/// The cells of the rows of all tables, without the heads.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.split('|').map(str::trim).skip(1).collect())
        .collect()
}

/// `P1` to `P15`, or `T1` to `T22`.
fn number(cell: &str, letter: char) -> Option<u32> {
    cell.strip_prefix(letter)?.parse().ok()
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = named(PAGE);
    assert!(tests.len() > 80, "{}", tests.len());
    for (file, name) in tests {
        let code = fs::read_to_string(root.join(&file));
        let code = code.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(code.contains(&format!("fn {name}(")), "{file}: {name}");
    }
}

#[test]
fn a_name_that_is_wrong_would_be_noticed() {
    assert_eq!(
        named("see `src/a.rs: one, two` and `src/a.rs`; `b`"),
        [("src/a.rs", "one"), ("src/a.rs", "two")]
            .map(|(file, name)| (file.to_owned(), name.to_owned()))
    );
}

#[test]
fn each_threat_has_its_test() {
    for (letter, last) in [('P', 15), ('T', 22)] {
        let rows = rows();
        let rows = rows.iter().filter(|row| number(row[0], letter).is_some());
        let mut numbers = Vec::new();
        for row in rows {
            numbers.extend(number(row[0], letter));
            assert!(!named(row[3]).is_empty(), "{}", row[0]);
        }
        assert_eq!(numbers, (1..=last).collect::<Vec<u32>>());
    }
}

/// The tests of the threats to tokens are all named, so that none can be taken away unnoticed.
#[test]
fn each_test_of_a_threat_to_tokens_is_named() {
    let code = include_str!("../../servers/threats.rs");
    let own = code
        .split("async fn ")
        .skip(1)
        .chain(code.split("\nfn ").skip(1));
    let own: BTreeSet<&str> = own
        .filter(|rest| rest.starts_with('t') && rest[1..3].bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|rest| rest.split('(').next())
        .collect();
    assert!(own.len() >= 22, "{own:?}");
    for test in own {
        assert!(PAGE.contains(test), "{test}");
    }
}

#[test]
fn each_advisory_is_there_once_with_a_threat_that_exists() {
    let mut ids = BTreeSet::new();
    for row in rows() {
        let prefixes = ["CVE-", "GHSA-", "SNYK-", "RUSTSEC-"];
        if !prefixes.iter().any(|prefix| row[0].starts_with(prefix)) {
            continue;
        }
        for id in row[0].trim_end_matches(" °").split(", ") {
            assert!(ids.insert(id), "{id} is there twice");
        }
        let stopped_by = row[3].split(':').next().unwrap();
        for threat in stopped_by.split(", ") {
            let is_known = number(threat, 'P').is_some_and(|n| (1..=15).contains(&n))
                || number(threat, 'T').is_some_and(|n| (1..=22).contains(&n));
            assert!(is_known, "{}: {threat}", row[0]);
        }
    }
    assert!(ids.len() >= 60, "{}", ids.len());
}
