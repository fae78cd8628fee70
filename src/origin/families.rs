//! The patterns of one scheme in an [`OriginSet`](super::OriginSet), found by the end of the host.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{
    grammar::names_hosts,
    host::{MAX_HOST_LEN, are_labels},
    pattern::{OriginPattern, PatternRef},
    shape::{HostPattern, PortPattern},
    tuple::Origin,
};

/// The patterns of one scheme.
pub(super) struct Families {
    scheme: Box<[u8]>,
    /// Hosts that match with any port.
    any_port: HashSet<Box<[u8]>, RandomState>,
    /// Bases of `*.`, without the dot.
    subdomains: HashMap<Box<[u8]>, Ports, RandomState>,
    /// The different lengths of the bases, in order. A host is probed once for each length, which
    /// are far fewer than the bytes that a search for dots would read.
    base_lengths: Vec<u8>,
    /// Hosts with a `*` within the first label, as they are written.
    in_label: HashMap<Box<[u8]>, Ports, RandomState>,
    /// The different lengths of what stands before the `*` and behind it. A host is probed once for
    /// each pair.
    around_star: Vec<(u8, u8)>,
    /// Patterns for any host, or for a range. They are matched one by one, since lists have few of
    /// them.
    others: Vec<OriginPattern>,
}

/// The result of looking up bytes that have not been parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListMatch {
    /// They are a well-formed origin, which an entry matches.
    Listed,
    /// No entry matches them, whether or not they are an origin.
    NotListed,
    /// They have to be parsed to tell.
    Unclear,
}

impl Families {
    pub(super) fn new(scheme: &str) -> Self {
        Self {
            scheme: scheme.as_bytes().into(),
            any_port: HashSet::default(),
            subdomains: HashMap::default(),
            base_lengths: Vec::new(),
            in_label: HashMap::default(),
            around_star: Vec::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn scheme(&self) -> &[u8] {
        &self.scheme
    }

    /// The bases of all wildcards, of whole labels or within one.
    pub(super) fn bases(&self) -> impl Iterator<Item = &str> {
        let in_label = self.in_label.keys().map(|host| behind_first_label(host));
        let bases = self.subdomains.keys().map(|base| &**base).chain(in_label);
        // Hosts are ASCII.
        bases.filter_map(|base| std::str::from_utf8(base).ok())
    }

    /// Whether every host of the scheme is listed, as only an application's can be.
    pub(super) fn has_any_host(&self) -> bool {
        self.others
            .iter()
            .any(|pattern| pattern.borrow().host_pattern() == HostPattern::Any)
    }

    /// Adds the pattern. Returns whether it is new.
    pub(super) fn insert(&mut self, pattern: PatternRef<'_>) -> bool {
        let host: Box<[u8]> = pattern.host().as_bytes().into();
        let ports = match pattern.host_pattern() {
            // Not an exact entry, so its wildcard is the port.
            HostPattern::Exactly => return self.any_port.insert(host),
            HostPattern::Subdomains => {
                // Kept sorted, so that shorter bases are probed first and the search can end early.
                insert_sorted(&mut self.base_lengths, narrow(host.len()));
                self.subdomains.entry(host)
            }
            HostPattern::InLabel(star) => {
                let before = usize::from(star);
                let behind = host.len() - before - 1;
                insert_sorted(&mut self.around_star, (narrow(before), narrow(behind)));
                self.in_label.entry(host)
            }
            HostPattern::Any | HostPattern::Range(_) => {
                let same = |there: &OriginPattern| there.as_str() == pattern.as_str();
                let is_new = !self.others.iter().any(same);
                if is_new {
                    self.others.push(pattern.to_owned_pattern());
                }
                return is_new;
            }
        };
        ports.or_default().insert(pattern.port())
    }

    pub(super) fn contains(&self, origin: &Origin) -> bool {
        let host = origin.host_bytes();
        self.any_port.contains(host)
            || self
                .dot_before_base(host, origin.port())
                // Hosts of applications may have empty labels, which no wildcard matches.
                .is_some_and(|dot| are_labels(&host[..dot]))
            || self.in_label(host, origin.port()).is_some()
            || self.others.iter().any(|pattern| pattern.matches(origin))
    }

    /// The pattern that matches the origin, as it is written.
    pub(super) fn entry_for(&self, origin: &Origin) -> Option<String> {
        let host = origin.host_bytes();
        if self.any_port.contains(host) {
            return Some(self.written("", host, ":*"));
        }
        if let Some(dot) = self.dot_before_base(host, origin.port())
            && are_labels(&host[..dot])
        {
            let base = &host[dot + 1..];
            let is_any = self.subdomains.get(base).is_some_and(|ports| ports.any);
            return Some(self.written("*.", base, &port_text(is_any, origin.port())));
        }
        if let Some((host, ports)) = self.in_label(host, origin.port()) {
            return Some(self.written("", host, &port_text(ports.any, origin.port())));
        }
        let found = self.others.iter().find(|pattern| pattern.matches(origin))?;
        Some(found.as_str().to_owned())
    }

    /// All patterns as they are written, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        let any_port = self.any_port.iter();
        let any_port = any_port.map(|host| self.written("", host, ":*"));
        let subdomains = self.subdomains.iter().map(|entry| ("*.", entry));
        let in_label = self.in_label.iter().map(|entry| ("", entry));
        let by_ports = subdomains.chain(in_label);
        let by_ports = by_ports.flat_map(move |(star, (host, ports))| {
            let any = ports.any.then(|| self.written(star, host, ":*"));
            let exactly = ports.exactly.iter();
            let exactly =
                exactly.map(move |&port| self.written(star, host, &port_text(false, port)));
            any.into_iter().chain(exactly)
        });
        let others = self.others.iter().map(|other| other.as_str().to_owned());
        any_port.chain(by_ports).chain(others)
    }

    fn written(&self, star: &str, host: &[u8], port: &str) -> String {
        // Both are ASCII.
        let text = |bytes| String::from_utf8_lossy(bytes);
        format!("{}://{star}{}{port}", text(&self.scheme), text(host))
    }

    /// Looks up a host and a port that have not been parsed.
    pub(super) fn look_up(&self, authority: &[u8]) -> ListMatch {
        if let Some(dot) = self.dot_before_base(authority, None) {
            // The base is well-formed and not an address, so only the labels before it are left to
            // check. If they are no labels, another pattern may still match: hosts of applications
            // may have empty ones.
            let len = authority.len() - usize::from(authority.ends_with(b"."));
            if len <= MAX_HOST_LEN && are_labels(&authority[..dot]) {
                // The labels of applications' hosts have fewer characters: the origin has to be parsed.
                return if names_hosts(&self.scheme) {
                    ListMatch::Listed
                } else {
                    ListMatch::Unclear
                };
            }
        }
        if self.any_port.contains(authority) {
            return ListMatch::Listed;
        }
        // With a port, or with patterns that need the parts, the origin has to be parsed.
        let is_simple = self.in_label.is_empty() && self.others.is_empty();
        if is_simple && !authority.contains(&b':') {
            ListMatch::NotListed
        } else {
            ListMatch::Unclear
        }
    }

    /// The entry with a `*` within its first label that matches, and its ports.
    fn in_label(&self, host: &[u8], port: Option<u16>) -> Option<(&[u8], &Ports)> {
        self.around_star.iter().find_map(|&(before, behind)| {
            let (before, behind) = (usize::from(before), usize::from(behind));
            let part = host.get(before..host.len().checked_sub(behind)?)?;
            // The `*` stands for at least one character, and not for a dot: one label only.
            if part.is_empty() || part.contains(&b'.') {
                return None;
            }
            let mut written = [0; MAX_HOST_LEN + 1];
            let written = written.get_mut(..before + 1 + behind)?;
            written[..before].copy_from_slice(&host[..before]);
            written[before] = b'*';
            written[before + 1..].copy_from_slice(&host[host.len() - behind..]);
            let (entry, ports) = self.in_label.get_key_value(&*written)?;
            ports.contains(port).then_some((&**entry, ports))
        })
    }

    /// The position of the dot before a base that matches with this port. One probe for each length
    /// of a base, if there is a dot at that distance from the end.
    fn dot_before_base(&self, host: &[u8], port: Option<u16>) -> Option<usize> {
        self.base_lengths
            .iter()
            .map_while(|&len| host.len().checked_sub(usize::from(len) + 1))
            .filter(|&dot| host[dot] == b'.')
            .find(|&dot| {
                let ports = self.subdomains.get(&host[dot + 1..]);
                ports.is_some_and(|ports| ports.contains(port))
            })
    }
}

/// A port as a pattern has it; nothing for the scheme's default one.
fn port_text(is_any: bool, port: Option<u16>) -> String {
    if is_any {
        return ":*".to_owned();
    }
    port.map_or_else(String::new, |port| format!(":{port}"))
}

/// The part of a host after its first dot; empty if there is none.
fn behind_first_label(host: &[u8]) -> &[u8] {
    let dot = host.iter().position(|&byte| byte == b'.');
    dot.map_or(b"", |dot| &host[dot + 1..])
}

/// Lengths within a host, which is at most 254 bytes long.
fn narrow(len: usize) -> u8 {
    u8::try_from(len).expect("a host is at most 254 bytes long")
}

fn insert_sorted<T: Ord>(lengths: &mut Vec<T>, len: T) {
    if let Err(at) = lengths.binary_search(&len) {
        lengths.insert(at, len);
    }
}

/// The ports of the patterns with the same base.
#[derive(Default)]
struct Ports {
    any: bool,
    exactly: Vec<Option<u16>>,
}

impl Ports {
    fn insert(&mut self, port: PortPattern) -> bool {
        match port {
            PortPattern::Any => !std::mem::replace(&mut self.any, true),
            PortPattern::Exactly(port) => match self.exactly.binary_search(&port) {
                Ok(_) => false,
                Err(at) => {
                    self.exactly.insert(at, port);
                    true
                }
            },
        }
    }

    fn contains(&self, port: Option<u16>) -> bool {
        self.any || self.exactly.binary_search(&port).is_ok()
    }
}
