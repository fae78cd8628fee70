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
    tokens: Part,
    sessions: Part,
    changes: u64,
    marks: Marks,
}

/// The entries of one kind. Those of tokens are given up as a whole, which must not take longer for
/// many than for few.
#[derive(Default)]
pub(crate) struct Part {
    entries: HashMap<Box<str>, Entry>,
    /// By when they need not be remembered any more.
    lapsing: BTreeSet<(u64, Box<str>)>,
    /// By the number of their last change.
    log: BTreeMap<u64, Box<str>>,
}

/// There was no room for a revocation, so that everything issued until then is revoked as well. It
/// holds what was given up, to be dropped where nobody waits for the table: that takes long for many
/// entries.
#[must_use = "it is to be dropped without the lock"]
pub(crate) struct Overflow {
    _given_up: Part,
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
            tokens: Part::default(),
            sessions: Part::default(),
            changes: 0,
            marks: Marks::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.log.len() + self.sessions.log.len()
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
            || token
                .id
                .is_some_and(|id| self.tokens.entries.contains_key(id))
            || token
                .session
                .is_some_and(|id| self.sessions.entries.contains_key(id))
    }

    /// Until when a revocation made at this time has to be remembered, where nothing is known of
    /// the tokens that it revokes.
    pub(crate) fn longest(&self, since: u64) -> u64 {
        end_of(since.saturating_add(self.lifetime))
    }

    /// Remembers a revocation; a second, shorter one changes nothing.
    pub(crate) fn revoke(
        &mut self,
        revoked: Revoked,
        since: u64,
        until: u64,
        now: Now,
    ) -> Option<Overflow> {
        let part = self.part_of(&revoked);
        let old = part.entries.get(revoked.id()).copied();
        if old.is_some_and(|old| old.until >= until) {
            return None;
        }
        let since = old.map_or(since, |old| old.since.max(since));
        part.forget(revoked.id());
        let overflow = self.make_room(now);
        self.changes += 1;
        let change = self.changes;
        let entry = Entry {
            since,
            until,
            change,
        };
        self.part_of(&revoked).insert(revoked.into_id(), entry);
        overflow
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
    fn make_room(&mut self, now: Now) -> Option<Overflow> {
        if self.len() < self.max_entries || self.forget_lapsed(now.clock) {
            return None;
        }
        self.revoke_issued_until(now.latest);
        // Tokens are revoked once and for all. The entries of sessions stay as far as they can,
        // because they hold for tokens to come as well.
        let given_up = std::mem::take(&mut self.tokens);
        if self.len() >= self.max_entries
            && let Some((_, id)) = self.sessions.lapsing.first().cloned()
        {
            self.sessions.forget(&id);
        }
        Some(Overflow {
            _given_up: given_up,
        })
    }

    /// Forgets the entry that lapsed first, and leaves a mark.
    fn forget_lapsed(&mut self, now: u64) -> bool {
        let first = |part: &Part| part.lapsing.first().map(|(until, _)| *until);
        let part = match (first(&self.tokens), first(&self.sessions)) {
            (Some(token), Some(session)) if session < token => &mut self.sessions,
            (None, _) => &mut self.sessions,
            (Some(_), _) => &mut self.tokens,
        };
        let Some((until, id)) = part.lapsing.first().cloned() else {
            return false;
        };
        if until > now {
            return false;
        }
        if let Some(entry) = part.forget(&id) {
            // Where the longest lifetime has passed since, no token of that time is good any more,
            // unless it lives too long or the clock is wrong.
            if until >= self.longest(entry.since) {
                self.revoke_issued_until(entry.since);
            } else {
                self.marks.ended = self.marks.ended.max(until);
            }
        }
        true
    }

    fn part_of(&mut self, revoked: &Revoked) -> &mut Part {
        match revoked {
            Revoked::Token(_) => &mut self.tokens,
            // Unknown kinds are not remembered, but revoke by time.
            Revoked::Session(_) | Revoked::Unknown(_) => &mut self.sessions,
        }
    }

    /// A page of what has changed since the cursor.
    pub(crate) fn changes_since(&self, cursor: ChangeCursor, list: u64) -> RevocationChanges {
        let start = cursor.in_list(list);
        let tokens = self.tokens.changed_since(start, Revoked::Token);
        let sessions = self.sessions.changed_since(start, Revoked::Session);
        // The next of each kind may be on the page, so a page of each is enough to merge.
        let mut changed: Vec<_> = tokens.chain(sessions).collect();
        changed.sort_unstable_by_key(|(change, _)| *change);
        let has_more = changed.len() > PAGE;
        changed.truncate(PAGE);
        RevocationChanges {
            next: ChangeCursor {
                list,
                sequence: changed.last().map_or(start, |(change, _)| *change),
            },
            revocations: changed.into_iter().map(|(_, it)| it).collect(),
            issued_until: self.marks.issued.map(time),
            has_more,
        }
    }
}

impl Part {
    fn insert(&mut self, id: Box<str>, entry: Entry) {
        self.log.insert(entry.change, id.clone());
        self.lapsing.insert((entry.until, id.clone()));
        self.entries.insert(id, entry);
    }

    fn forget(&mut self, id: &str) -> Option<Entry> {
        let (id, entry) = self.entries.remove_entry(id)?;
        self.log.remove(&entry.change);
        self.lapsing.remove(&(entry.until, id));
        Some(entry)
    }

    /// A page and one more of what has changed.
    fn changed_since(
        &self,
        start: u64,
        kind: impl Fn(Box<str>) -> Revoked,
    ) -> impl Iterator<Item = (u64, Revocation)> {
        let changed = self.log.range(start.saturating_add(1)..).take(PAGE + 1);
        changed.filter_map(move |(change, id)| {
            let entry = self.entries.get(id)?;
            let (since, until) = (time(entry.since), time(entry.until));
            Some((*change, Revocation::new(kind(id.clone()), since, until)))
        })
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

    fn at(seconds: u64) -> Now {
        Now {
            clock: seconds,
            latest: seconds,
        }
    }

    #[test]
    fn what_lapses_first_makes_room_whichever_kind_it_is() {
        for (token, session) in [(10, 100), (100, 10)] {
            let mut table = RevocationTable::new(2, Duration::from_secs(LIFETIME));
            drop(table.revoke(Revoked::Token("t".into()), 0, token, at(0)));
            drop(table.revoke(Revoked::Session("s".into()), 0, session, at(0)));
            let overflow = table.revoke(Revoked::Token("u".into()), 50, 200, at(50));
            assert!(overflow.is_none(), "{token} {session}");
            assert_eq!((table.len(), table.issued_until()), (2, None));
        }
    }

    #[test]
    fn a_full_page_is_the_last_one_if_nothing_is_behind_it() {
        let mut table = RevocationTable::new(PAGE + 1, Duration::from_secs(LIFETIME));
        for (number, more) in [(PAGE, false), (PAGE + 1, true)] {
            while table.len() < number {
                let id = table.len().to_string().into();
                drop(table.revoke(Revoked::Token(id), 0, 10, at(0)));
            }
            let page = table.changes_since(ChangeCursor::default(), 1);
            assert_eq!((page.revocations.len(), page.has_more), (PAGE, more));
        }
    }

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
                        drop(table.revoke(revoked, now.latest, until, now));
                    }
                    Step::Move(by) => {
                        now.clock = now.clock.saturating_add_signed(by);
                        now.latest = now.latest.max(now.clock);
                    }
                }
                prop_assert!(table.len() <= max_entries);
                for part in [&table.tokens, &table.sessions] {
                    prop_assert_eq!(part.lapsing.len(), part.log.len());
                    prop_assert_eq!(part.entries.len(), part.log.len());
                }
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
        assert!(table.revoke(revoked.clone(), 100, 500, now).is_none());
        assert!(table.revoke(revoked.clone(), 100, 300, now).is_none());
        table.purge(400, 10);
        assert!(table.is_revoked(&identity));
        // A longer one prolongs it.
        assert!(table.revoke(revoked, 100, 700, now).is_none());
        table.purge(699, 10);
        assert!(table.is_revoked(&identity));
        table.purge(700, 10);
        assert!(!table.is_revoked(&identity));
    }

    /// To forget each of a million tokens took seconds, for which nobody was judged.
    #[test]
    fn what_an_overflow_gives_up_is_dropped_elsewhere() {
        let mut table = RevocationTable::new(4, Duration::from_secs(LIFETIME));
        let now = Now {
            clock: 100,
            latest: 100,
        };
        let (token, session) = (Revoked::Token as fn(_) -> _, Revoked::Session as fn(_) -> _);
        for (kind, id) in [(token, "1"), (session, "2"), (token, "3"), (session, "4")] {
            assert!(table.revoke(kind(id.into()), 100, 500, now).is_none());
        }
        let overflow = table.revoke(session("5".into()), 100, 500, now).unwrap();
        assert_eq!(overflow._given_up.entries.len(), 2);
        assert_eq!((table.tokens.entries.len(), table.len()), (0, 3));
        assert_eq!(table.issued_until(), Some(100));
    }

    /// The changes of both kinds come in the order in which they were made, on whichever page.
    #[test]
    fn pages_have_the_changes_of_both_kinds_in_order() {
        let mut table = RevocationTable::new(10_000, Duration::from_secs(LIFETIME));
        let now = Now {
            clock: 100,
            latest: 100,
        };
        let revoked = |n: usize| {
            let id = n.to_string().into();
            if n.is_multiple_of(3) {
                Revoked::Session(id)
            } else {
                Revoked::Token(id)
            }
        };
        let count = 2 * PAGE + 10;
        for n in 0..count {
            assert!(table.revoke(revoked(n), 100, 500, now).is_none());
        }
        let (mut cursor, mut found, mut pages) = (ChangeCursor::default(), Vec::new(), 0);
        loop {
            let changes = table.changes_since(cursor, 7);
            found.extend(changes.revocations.into_iter().map(|it| it.revoked));
            cursor = changes.next;
            pages += 1;
            if !changes.has_more {
                break;
            }
        }
        assert_eq!(found, (0..count).map(revoked).collect::<Vec<_>>());
        assert_eq!(pages, 3);
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
