//! [`RevocationTable`]: what is revoked, within a bound. It is told the time, in seconds since the
//! epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    changes::{ChangeCursor, PAGE, Revocation, RevocationChanges, Revoked},
    identity::TokenIdentity,
};
use crate::time::REMEMBERED_AFTER_EXPIRY;

/// A full table forgets entries and counts all tokens issued until then as revoked, so that no
/// revocation is lost.
pub(crate) struct RevocationTable {
    max_entries: usize,
    /// The longest that a token lives, in seconds.
    lifetime: u64,
    tokens: HashMap<Box<str>, Entry>,
    sessions: HashMap<Box<str>, Entry>,
    /// All entries, by when they need not be remembered any more.
    lapsing: BTreeSet<(u64, Revoked)>,
    /// All entries, by the number of their last change.
    log: BTreeMap<u64, Revoked>,
    changes: u64,
    marks: Marks,
}

#[derive(Clone, Copy)]
struct Entry {
    since: u64,
    until: u64,
    change: u64,
}

#[derive(Clone, Copy, Default)]
struct Marks {
    /// Tokens that were issued then or before are revoked.
    issued: Option<u64>,
    /// Tokens that could be accepted or read until then, and not after, are revoked. That matters
    /// only where the clock was ahead, and is set back after something was forgotten.
    ended: u64,
}

/// The clock's time, and the latest time that it has ever shown. The latest time covers tokens that
/// were issued while the clock was ahead, after it has been set back.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) clock: u64,
    pub(crate) latest: u64,
}

impl RevocationTable {
    pub(crate) fn new(max_entries: usize, lifetime: Duration) -> Self {
        Self {
            max_entries: max_entries.max(1),
            lifetime: lifetime.as_secs(),
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            lapsing: BTreeSet::new(),
            log: BTreeMap::new(),
            changes: 0,
            marks: Marks::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.log.len()
    }

    /// How many changes there have been.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn issued_until(&self) -> Option<u64> {
        self.marks.issued
    }

    /// An entry holds for as long as it is there, also when it has lapsed: a token may live longer
    /// than it should.
    pub(crate) fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        let expiry = token.expires_at.map(seconds);
        // A token that does not say when it was issued was issued within the longest lifetime.
        let earliest = || expiry.map(|expiry| expiry.saturating_sub(self.lifetime));
        let issued = token.issued_at.map(seconds).or_else(earliest);
        let is_below_a_mark = self
            .marks
            .issued
            .is_some_and(|mark| issued.is_none_or(|issued| issued <= mark))
            || expiry.is_some_and(|expiry| end_of(expiry) <= self.marks.ended);
        is_below_a_mark
            || token.id.is_some_and(|id| self.tokens.contains_key(id))
            || token
                .session
                .is_some_and(|id| self.sessions.contains_key(id))
    }

    /// Until when a revocation made at this time has to be remembered, where nothing is known of
    /// the tokens that it revokes.
    pub(crate) fn longest(&self, since: u64) -> u64 {
        end_of(since.saturating_add(self.lifetime))
    }

    /// Remembers a revocation; a second, shorter one changes nothing. `true` says that there was no
    /// room, so that everything issued until now is revoked as well.
    pub(crate) fn revoke(&mut self, revoked: Revoked, since: u64, until: u64, now: Now) -> bool {
        let old = self.entries_of(&revoked).get(revoked.id()).copied();
        if old.is_some_and(|old| old.until >= until) {
            return false;
        }
        let since = old.map_or(since, |old| old.since.max(since));
        if let Some(old) = old {
            self.forget(&revoked, old);
        }
        let is_overflow = !self.make_room(now);
        self.changes += 1;
        let change = self.changes;
        let entry = Entry {
            since,
            until,
            change,
        };
        self.log.insert(change, revoked.clone());
        self.lapsing.insert((until, revoked.clone()));
        self.entries_of(&revoked).insert(revoked.id().into(), entry);
        is_overflow
    }

    /// Revokes everything that was issued then or before; whether that is new.
    pub(crate) fn revoke_issued_until(&mut self, time: u64) -> bool {
        let is_new = self.marks.issued.is_none_or(|mark| mark < time);
        if is_new {
            self.marks.issued = Some(time);
        }
        is_new
    }

    /// Forgets what has lapsed, at most so many entries; whether there is more.
    pub(crate) fn purge(&mut self, now: u64, most: usize) -> bool {
        (0..most).all(|_| self.forget_lapsed(now))
    }

    /// Makes room for one entry, in place of what has lapsed; if there is none, by revoking
    /// everything that was issued until now, which is more than was asked for and never less.
    fn make_room(&mut self, now: Now) -> bool {
        if self.len() < self.max_entries || self.forget_lapsed(now.clock) {
            return true;
        }
        self.revoke_issued_until(now.latest);
        // Tokens are revoked once and for all. The entries of sessions stay as far as they can,
        // because they hold for tokens to come as well.
        for (id, entry) in std::mem::take(&mut self.tokens) {
            self.log.remove(&entry.change);
            self.lapsing.remove(&(entry.until, Revoked::Token(id)));
        }
        if self.len() >= self.max_entries
            && let Some((_, revoked)) = self.lapsing.first().cloned()
            && let Some(entry) = self.entries_of(&revoked).get(revoked.id()).copied()
        {
            self.forget(&revoked, entry);
        }
        false
    }

    /// Forgets the entry that lapsed first, and leaves a mark.
    fn forget_lapsed(&mut self, now: u64) -> bool {
        let Some((until, revoked)) = self.lapsing.first().cloned() else {
            return false;
        };
        if until > now {
            return false;
        }
        if let Some(entry) = self.entries_of(&revoked).get(revoked.id()).copied() {
            // Where the longest lifetime has passed since, no token of that time is good any more,
            // unless it lives too long or the clock is wrong.
            if until >= self.longest(entry.since) {
                self.revoke_issued_until(entry.since);
            } else {
                self.marks.ended = self.marks.ended.max(until);
            }
            self.forget(&revoked, entry);
        }
        true
    }

    fn forget(&mut self, revoked: &Revoked, entry: Entry) {
        self.entries_of(revoked).remove(revoked.id());
        self.log.remove(&entry.change);
        self.lapsing.remove(&(entry.until, revoked.clone()));
    }

    fn entries_of(&mut self, revoked: &Revoked) -> &mut HashMap<Box<str>, Entry> {
        match revoked {
            Revoked::Token(_) => &mut self.tokens,
            // Unknown kinds are not remembered, but revoke by time.
            Revoked::Session(_) | Revoked::Unknown(_) => &mut self.sessions,
        }
    }

    /// A page of what has changed since the cursor.
    pub(crate) fn changes_since(&self, cursor: ChangeCursor, list: u64) -> RevocationChanges {
        let start = cursor.in_list(list);
        let mut changed = self.log.range(start.saturating_add(1)..);
        let revocations: Vec<_> = changed.by_ref().take(PAGE).collect();
        let next = revocations.last().map_or(start, |(change, _)| **change);
        let revocation = |revoked: &Revoked| {
            let entries = match revoked {
                Revoked::Token(_) => &self.tokens,
                Revoked::Session(_) | Revoked::Unknown(_) => &self.sessions,
            };
            let entry = entries.get(revoked.id())?;
            let (since, until) = (time(entry.since), time(entry.until));
            Some(Revocation::new(revoked.clone(), since, until))
        };
        RevocationChanges {
            revocations: revocations
                .into_iter()
                .filter_map(|(_, revoked)| revocation(revoked))
                .collect(),
            issued_until: self.marks.issued.map(time),
            next: ChangeCursor {
                list,
                sequence: next,
            },
            has_more: changed.next().is_some(),
        }
    }
}

/// When a token that expires then can be neither accepted nor read any more.
pub(crate) fn end_of(expiry: u64) -> u64 {
    expiry.saturating_add(REMEMBERED_AFTER_EXPIRY.as_secs())
}

/// Whole seconds since the epoch, as tokens count them (RFC 7519, section 2).
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

pub(crate) fn time(seconds: u64) -> SystemTime {
    let since = Duration::from_secs(seconds);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIFETIME: u64 = 1000;

    /// A token that really exists: revoked ones must never be let in while they could be accepted.
    #[derive(Clone, Debug)]
    struct Token {
        id: u8,
        session: u8,
        issued: u64,
        life: u64,
        is_revoked: bool,
    }

    #[derive(Clone, Debug)]
    enum Step {
        Issue(u8, u8, u64),
        Revoke(Revoked),
        /// The clock moves, perhaps back.
        Move(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let revoked = (0_u8..8, any::<bool>()).prop_map(|(id, session)| {
            if session {
                Revoked::Session((id % 3).to_string().into())
            } else {
                Revoked::Token(id.to_string().into())
            }
        });
        prop_oneof![
            4 => (0_u8..8, 0_u8..3, 1..=LIFETIME)
                .prop_map(|(id, session, life)| Step::Issue(id, session, life)),
            3 => revoked.prop_map(Step::Revoke),
            3 => (-3000_i64..9000).prop_map(Step::Move),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// However full the table is and wherever the clock moves, what was revoked stays so. The
        /// reader may or may not be told when a token was issued.
        #[test]
        fn nothing_that_was_revoked_comes_back(
            steps in proptest::collection::vec(step(), 0..60),
            max_entries in 1_usize..6,
            says_issued in any::<bool>(),
        ) {
            let mut table = RevocationTable::new(max_entries, Duration::from_secs(LIFETIME));
            let mut tokens: Vec<Token> = Vec::new();
            let mut now = Now { clock: 1_000_000, latest: 1_000_000 };
            for step in steps {
                match step {
                    // As a minter does it: nothing is issued that is revoked.
                    Step::Issue(id, session, life) => {
                        let token = Token { id, session, issued: now.clock, life, is_revoked: false };
                        let is_known = tokens.iter().any(|token| token.id == id);
                        if !is_known && !is_revoked(&table, &token, says_issued) {
                            tokens.push(token);
                        }
                    }
                    Step::Revoke(revoked) => {
                        for token in &mut tokens {
                            token.is_revoked |= match &revoked {
                                Revoked::Token(id) => **id == token.id.to_string(),
                                Revoked::Session(id) => **id == token.session.to_string(),
                                Revoked::Unknown(_) => false,
                            };
                        }
                        let known = tokens.iter().find(|token| {
                            revoked == Revoked::Token(token.id.to_string().into())
                        });
                        let until = match known {
                            Some(token) => end_of(token.issued + token.life),
                            None => table.longest(now.latest),
                        };
                        table.revoke(revoked, now.latest, until, now);
                    }
                    Step::Move(by) => {
                        now.clock = now.clock.saturating_add_signed(by);
                        now.latest = now.latest.max(now.clock);
                    }
                }
                prop_assert!(table.len() <= max_entries);
                prop_assert_eq!(table.lapsing.len(), table.len());
                prop_assert_eq!(table.tokens.len() + table.sessions.len(), table.len());
                for token in tokens.iter().filter(|token| token.is_revoked) {
                    prop_assert!(is_revoked(&table, token, says_issued), "{token:?}");
                }
            }
        }
    }

    #[test]
    fn a_second_shorter_revocation_does_not_shorten_the_first() {
        let revoked = Revoked::Session("7".into());
        let identity = TokenIdentity::new().session("7");
        let mut table = RevocationTable::new(10, Duration::from_secs(LIFETIME));
        let now = Now {
            clock: 100,
            latest: 100,
        };
        table.revoke(revoked.clone(), 100, 500, now);
        table.revoke(revoked.clone(), 100, 300, now);
        table.purge(400, 10);
        assert!(table.is_revoked(&identity));
        // A longer one prolongs it.
        table.revoke(revoked, 100, 700, now);
        table.purge(699, 10);
        assert!(table.is_revoked(&identity));
        table.purge(700, 10);
        assert!(!table.is_revoked(&identity));
    }

    #[test]
    fn only_a_later_mark_is_new() {
        let mut table = RevocationTable::new(10, Duration::from_secs(LIFETIME));
        for (time, is_new, mark) in [(5, true, 5), (5, false, 5), (4, false, 5), (6, true, 6)] {
            assert_eq!(table.revoke_issued_until(time), is_new, "{time}");
            assert_eq!(table.issued_until(), Some(mark), "{time}");
        }
    }

    fn is_revoked(table: &RevocationTable, token: &Token, says_issued: bool) -> bool {
        let (id, session) = (token.id.to_string(), token.session.to_string());
        let identity = TokenIdentity::new()
            .id(&id)
            .session(&session)
            .expires_at(time(token.issued + token.life));
        let identity = if says_issued {
            identity.issued_at(time(token.issued))
        } else {
            identity
        };
        table.is_revoked(&identity)
    }
}
