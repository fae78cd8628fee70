//! [`Key`]: where a pattern is filed, and [`Families`]: which keys a lookup need not try.

use crate::origin::{MAX_HOST_LEN, OriginPattern, PortPattern};

/// The key under which a pattern is filed. Every origin that the pattern matches has that key.
#[derive(Hash)]
pub(super) enum Key<'a> {
    /// One origin.
    Exact(&'a [u8]),
    /// One host, any port.
    Host(&'a [u8], &'a [u8]),
    /// The names below a host, any port.
    Base(&'a [u8], &'a [u8]),
    /// The names below a host, one port.
    BaseAndPort(&'a [u8], &'a [u8], Option<u16>),
    /// What stands before and behind a `*` within a label.
    InLabel(&'a [u8], &'a [u8], &'a [u8]),
    /// Any host, or a range of addresses. A lookup compares all of them: they are few.
    Scheme(&'a [u8]),
}

impl<'a> Key<'a> {
    pub(super) fn of(pattern: &'a OriginPattern) -> Self {
        let (scheme, host) = (pattern.scheme().as_bytes(), pattern.host().as_bytes());
        if matches!(host, b"*") || host.contains(&b'/') {
            return Self::Scheme(scheme);
        }
        if let Some((before, behind)) = pattern.host().split_once('*') {
            return Self::InLabel(scheme, before.as_bytes(), behind.as_bytes());
        }
        match (pattern.has_subdomains(), pattern.port()) {
            (false, PortPattern::Exactly(_)) => Self::Exact(pattern.as_str().as_bytes()),
            (false, PortPattern::Any) => Self::Host(scheme, host),
            (true, PortPattern::Any) => Self::Base(scheme, host),
            (true, PortPattern::Exactly(port)) => Self::BaseAndPort(scheme, host, port),
        }
    }
}

/// How many patterns there are of which kind, so that most lookups need one probe.
#[derive(Clone, Debug, Default)]
pub(super) struct Families {
    pub(super) schemes: u32,
    pub(super) hosts: u32,
    pub(super) any_port: Lengths,
    pub(super) one_port: Lengths,
    /// The different lengths of what stands before and behind a `*` within a label, in order.
    pub(super) around_star: Vec<((usize, usize), u32)>,
}

impl Families {
    pub(super) fn is_empty(&self) -> bool {
        self.schemes == 0
            && self.hosts == 0
            && self.any_port.total == 0
            && self.one_port.total == 0
            && self.around_star.is_empty()
    }

    /// Changes the count of the key's kind; exact origins are not counted.
    pub(super) fn count(&mut self, key: &Key<'_>, change: impl Fn(&mut u32)) {
        match key {
            Key::Exact(_) => {}
            Key::Scheme(_) => change(&mut self.schemes),
            Key::Host(..) => change(&mut self.hosts),
            Key::Base(_, base) => self.any_port.count(base.len(), change),
            Key::BaseAndPort(_, base, _) => self.one_port.count(base.len(), change),
            Key::InLabel(_, before, behind) => {
                self.count_around_star((before.len(), behind.len()), change);
            }
        }
    }

    fn count_around_star(&mut self, lengths: (usize, usize), change: impl Fn(&mut u32)) {
        let known = &mut self.around_star;
        let at = match known.binary_search_by_key(&lengths, |(lengths, _)| *lengths) {
            Ok(at) => at,
            Err(at) => {
                known.insert(at, (lengths, 0));
                at
            }
        };
        change(&mut known[at].1);
        if known[at].1 == 0 {
            known.remove(at);
        }
    }
}

/// How many bases there are of each length.
#[derive(Clone, Debug)]
pub(super) struct Lengths {
    total: u32,
    by_length: [u32; MAX_HOST_LEN + 2],
}

impl Lengths {
    pub(super) fn contains(&self, len: usize) -> bool {
        self.by_length.get(len).is_some_and(|count| *count > 0)
    }

    fn count(&mut self, len: usize, change: impl Fn(&mut u32)) {
        change(&mut self.total);
        change(&mut self.by_length[len]);
    }
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            total: 0,
            by_length: [0; MAX_HOST_LEN + 2],
        }
    }
}
