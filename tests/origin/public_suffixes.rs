//! The table of public suffixes, beside the list that it was made from and the crate `psl`, which was
//! made from the same list: all rules, a million names, and texts that are no names.
//!
//! Both oracles are independent of the table: one reads the list and tries every rule's name in turn,
//! the other is code that another project's generator made.

#[path = "../../src/origin/public_suffix/suffix.rs"]
mod suffix;
#[path = "../../src/origin/public_suffix/table.rs"]
mod table;

use std::{
    collections::{HashMap, HashSet},
    fs,
    str::RSplit,
};

use proptest::prelude::*;
use psl::Psl;

use self::suffix::{PublicSuffix, Section};

/// What the three of them say of a host.
#[derive(Debug, PartialEq, Eq)]
struct Answer<'a> {
    registrable_domain: Option<&'a str>,
    section: Option<Section>,
    has_rules_below: bool,
}

#[test]
fn every_rule() {
    let list = List::read();
    assert!(list.rules.len() > 10_000, "{}", list.rules.len());
    for rule in list.rules.keys() {
        let name = rule.trim_start_matches('!').replace('*', "any");
        let parent = name.split_once('.').map_or(&*name, |(_, parent)| parent);
        for host in [
            name.clone(),
            format!("{name}."),
            parent.to_owned(),
            format!("a.{name}"),
            format!("b.a.{name}"),
            format!("a.{parent}"),
            format!("b.a.{parent}"),
            format!("x{name}"),
        ] {
            let answer = answer(&host);
            assert_eq!(answer, list.answer(&host), "{host}, the list");
            list.assert_psl_agrees(&host, &answer);
        }
    }
}

#[test]
fn a_million_names() {
    let list = List::read();
    let names = list.rules.keys().map(|rule| rule.trim_start_matches('!'));
    let mut names: Vec<String> = names.map(|name| name.replace('*', "any")).collect();
    names.sort_unstable();
    let labels: Vec<&str> = names.iter().flat_map(|name| name.split('.')).collect();
    let mut random = Random(0x5EED);
    let mut kinds = [0_u32; 4];
    let mut host = String::new();
    for _ in 0..1_000_000 {
        host.clear();
        for _ in 0..random.below(3) {
            host.push_str(labels[random.below(labels.len())]);
            host.push('.');
        }
        // The end of a rule, so that deep names are met as often as shallow ones.
        let name = &names[random.below(names.len())];
        let skipped = random.below(name.split('.').count());
        for (i, label) in name.split('.').skip(skipped).enumerate() {
            let swapped = labels[random.below(labels.len())];
            let label = if random.below(8) == 0 { swapped } else { label };
            host.push_str(if i == 0 { "" } else { "." });
            host.push_str(label);
        }
        let answer = answer(&host);
        list.assert_psl_agrees(&host, &answer);
        kinds[match answer.section {
            _ if answer.registrable_domain.is_none() => 0,
            None => 1,
            Some(Section::Icann) => 2,
            Some(Section::Private) => 3,
        }] += 1;
    }
    // The names are of all kinds.
    assert!(kinds.iter().all(|&count| count > 50_000), "{kinds:?}");
}

#[test]
fn the_table_is_small() {
    let size: u64 = ["nodes.bin", "labels.txt"]
        .iter()
        .map(|file| fs::metadata(format!("src/origin/public_suffix/{file}")))
        .map(|metadata| metadata.expect("the table is there").len())
        .sum();
    assert!(size <= 120_000, "{size}");
}

proptest! {
    #[test]
    fn any_text_has_an_answer(host in any::<String>()) {
        check_answer(&host)?;
    }

    #[test]
    fn odd_names_have_an_answer(host in r"[.*!]{0,3}([a-z\x00é-]{0,70}[.]{0,3}){0,9}(ck|uk|jp|io)?[.]{0,2}") {
        check_answer(&host)?;
    }
}

#[test]
fn a_name_with_a_bracket_has_no_registrable_domain() {
    for host in ["[::1]", " .[.🈐", "a.[.com", "a[.com", "a.com["] {
        assert_eq!(PublicSuffix::of(host).registrable_domain(), None, "{host}");
    }
}

fn check_answer(host: &str) -> Result<(), TestCaseError> {
    if let Some(domain) = PublicSuffix::of(host).registrable_domain() {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let above = bare.strip_suffix(domain);
        prop_assert!(above.is_some_and(|above| above.is_empty() || above.ends_with('.')));
        // Asking again changes nothing.
        prop_assert_eq!(PublicSuffix::of(domain).registrable_domain(), Some(domain));
        let (_, suffix) = domain.split_once('.').expect("a label and a suffix");
        prop_assert_eq!(PublicSuffix::of(suffix).registrable_domain(), None);
    }
    Ok(())
}

fn answer(host: &str) -> Answer<'_> {
    let suffix = PublicSuffix::of(host);
    Answer {
        registrable_domain: suffix.registrable_domain(),
        section: suffix.section(),
        has_rules_below: suffix.has_rules_below(),
    }
}

fn psl_answer(host: &str) -> Answer<'_> {
    let bare = host.strip_suffix('.').unwrap_or(host);
    let mut labels = Labels {
        labels: bare.rsplit('.'),
        asked_for_more: false,
    };
    let info = psl::List.find(&mut labels);
    Answer {
        registrable_domain: one_label_more(bare, bare.len() - info.len),
        section: info.typ.map(|section| match section {
            psl::Type::Icann => Section::Icann,
            psl::Type::Private => Section::Private,
        }),
        has_rules_below: labels.asked_for_more,
    }
}

/// The labels of a domain from the right, and whether `psl` wanted to see one more than there are: it
/// does so exactly where it has rules for names below.
struct Labels<'a> {
    labels: RSplit<'a, char>,
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

/// The list as it is published, its names in A-labels.
struct List {
    rules: HashMap<String, Section>,
    parents: HashSet<String>,
}

impl List {
    fn read() -> Self {
        let text = fs::read_to_string("tests/data/public_suffix_list.dat").expect("the list");
        let (icann, private) = text
            .split_once("// ===BEGIN PRIVATE DOMAINS===")
            .expect("two sections");
        let mut rules = HashMap::new();
        for (text, section) in [(icann, Section::Icann), (private, Section::Private)] {
            let lines = text.lines().map(str::trim);
            for rule in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
                let ascii = |label| match label {
                    "*" => label.to_owned(),
                    _ => idna::domain_to_ascii(label).expect("a name"),
                };
                let (mark, name) = rule
                    .strip_prefix('!')
                    .map_or(("", rule), |name| ("!", name));
                let labels: Vec<String> = name.split('.').map(ascii).collect();
                rules.insert(format!("{mark}{}", labels.join(".")), section);
            }
        }
        let names = rules.keys().map(|rule| rule.trim_start_matches('!'));
        let parents =
            names.flat_map(|name| tails(name).skip(1).map(|tail| name[tail..].to_owned()));
        Self {
            parents: parents.collect(),
            rules,
        }
    }

    /// The published algorithm, word by word: the exception prevails, then the longest rule, then `*`.
    fn answer<'a>(&self, host: &'a str) -> Answer<'a> {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let rule_of = |start: usize| {
            let name = &bare[start..];
            let parent = name.split_once('.').map(|(_, parent)| parent);
            let any = || self.rules.get(&format!("*.{}", parent?));
            self.rules.get(name).or_else(any)
        };
        let exception =
            tails(bare).find(|&at| self.rules.contains_key(&format!("!{}", &bare[at..])));
        let (start, section) = if let Some(at) = exception {
            let section = self.rules[&format!("!{}", &bare[at..])];
            (
                bare[at..].find('.').map_or(bare.len(), |dot| at + dot + 1),
                Some(section),
            )
        } else if let Some(at) = tails(bare).find(|&at| rule_of(at).is_some()) {
            (at, rule_of(at).copied())
        } else {
            (bare.rfind('.').map_or(0, |dot| dot + 1), None)
        };
        Answer {
            registrable_domain: one_label_more(bare, start),
            section,
            has_rules_below: self.parents.contains(bare),
        }
    }

    /// `psl` looks no further where a label stands between rules, and so overlooks the `*` beside it:
    /// by `*.cloud.int.apple`, `r.cloud.int.apple` is a suffix, but there is `*.r.cloud.int.apple`, too.
    fn assert_psl_agrees(&self, host: &str, answer: &Answer<'_>) {
        let psl = psl_answer(host);
        let overlooked = answer.registrable_domain.is_none() && self.is_between_rules(host);
        if overlooked {
            assert_eq!(answer, &self.answer(host), "{host}");
            assert!(answer.has_rules_below && psl.has_rules_below, "{host}");
        } else {
            assert_eq!(answer, &psl, "{host}, psl");
        }
    }

    /// Whether the host is no rule, but above rules and beside one with `*`.
    fn is_between_rules(&self, host: &str) -> bool {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let parent = bare.split_once('.').map(|(_, parent)| parent);
        self.parents.contains(bare)
            && !self.rules.contains_key(bare)
            && parent.is_some_and(|parent| self.rules.contains_key(&format!("*.{parent}")))
    }
}

/// Where the labels of a name begin, from the left.
fn tails(name: &str) -> impl Iterator<Item = usize> + '_ {
    [0].into_iter()
        .chain(name.match_indices('.').map(|(dot, _)| dot + 1))
}

fn one_label_more(host: &str, suffix: usize) -> Option<&str> {
    let label = host[..suffix].strip_suffix('.')?.rsplit('.').next()?;
    (!label.is_empty()).then(|| &host[suffix - label.len() - 1..])
}

/// The same numbers in each run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}
