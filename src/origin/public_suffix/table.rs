//! The list's rules as a trie of their labels, read from the right.
//!
//! `nodes.bin` has 6 bytes for each node, breadth first, so that a node's children stand side by
//! side. Numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0, 1 | where its label begins in `labels.txt`, in which labels overlap |
//! | 2 | the length of its label in the lower six bits, the kind of its rule in the upper two |
//! | 3 | the [`key`] of its label, by which the children of a node are sorted |
//! | 4, 5 | its first child; its children end where those of the next node begin |
//!
//! Kinds are 0 for a name between rules, 1 and 2 for a suffix of the ICANN and the private section,
//! and 3 for an exception, of which the private section has none. The first node is the root. One
//! more node stands last, so that all others have a next one. A child `*` has the key 0 and stands
//! first.

use std::ops::Range;

use super::suffix::Section;

static NODES: &[[u8; 6]] = include_bytes!("nodes.bin").as_chunks().0;
static LABELS: &[u8] = include_bytes!("labels.txt");

/// A name that is a rule, or that rules end with: its index in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Suffix(Section),
    /// Written with a `!` in the list: the name is not a suffix, though a rule with `*` covers it.
    Exception,
}

impl Node {
    pub(super) const ROOT: Self = Self(0);

    /// The node of the name that has one label more.
    pub(super) fn child(self, label: &[u8]) -> Option<Self> {
        let children = self.children();
        let key = key(label);
        let records = NODES.get(children.clone())?;
        let first = records.partition_point(|record| record[3] < key);
        let mut same_key = records[first..]
            .iter()
            .take_while(|record| record[3] == key);
        let at = same_key.position(|record| label_of(record) == label)?;
        Some(Self(children.start + first + at))
    }

    /// The node of the rule that stands for any label more.
    pub(super) fn any_child(self) -> Option<Self> {
        let first = Self(self.children().next()?);
        (label_of(NODES.get(first.0)?) == b"*").then_some(first)
    }

    pub(super) fn has_children(self) -> bool {
        !self.children().is_empty()
    }

    pub(super) fn rule(self) -> Option<Rule> {
        match NODES.get(self.0)?[2] >> 6 {
            0 => None,
            1 => Some(Rule::Suffix(Section::Icann)),
            2 => Some(Rule::Suffix(Section::Private)),
            _ => Some(Rule::Exception),
        }
    }

    fn children(self) -> Range<usize> {
        let first_child = |node: usize| {
            let [.., low, high] = *NODES.get(node)?;
            Some(usize::from(u16::from_le_bytes([low, high])))
        };
        let range = || Some(first_child(self.0)?..first_child(self.0 + 1)?);
        range().unwrap_or_default()
    }
}

/// A hash that spares most comparisons of labels.
fn key(label: &[u8]) -> u8 {
    label
        .iter()
        .fold(0, |key: u8, byte| key.wrapping_mul(31) ^ byte)
}

fn label_of(record: &[u8; 6]) -> &'static [u8] {
    let [low, high, len_and_kind, ..] = *record;
    let start = usize::from(u16::from_le_bytes([low, high]));
    let len = usize::from(len_and_kind & 0b11_1111);
    LABELS.get(start..start + len).unwrap_or_default()
}
