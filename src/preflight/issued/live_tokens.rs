//! [`LiveTokens`]: the tables of an index, and what time does to them. It is told the time, in
//! seconds since the epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use foldhash::fast::RandomState;

use super::{
    error::RegisterError,
    index::{IssuedIndex, seconds},
    token::{Issued, IssuedSnapshot, Revocation, Revoked},
};
use crate::{origin::Origin, time::REMEMBERED_AFTER_EXPIRY};

pub(crate) struct LiveTokens {
    limit: usize,
    /// The origins of all tokens and the revocations.
    len: usize,
    tokens: HashMap<Arc<str>, Token>,
    sessions: HashMap<Arc<str>, Vec<Arc<str>>>,
    revoked_tokens: Revocations,
    revoked_sessions: Revocations,
    /// How many tokens that name an origin expire when.
    expiries: HashMap<Box<[u8]>, BTreeMap<u64, usize>, RandomState>,
    /// The tokens, by when they expire.
    expiring: BTreeSet<(u64, Arc<str>)>,
    /// The revocations, by when they need not be remembered any more.
    lapsing: BTreeSet<(u64, Revoked)>,
}

/// Until when what is revoked has to be remembered.
type Revocations = HashMap<Box<str>, u64>;

struct Token {
    session: Option<Arc<str>>,
    origins: Box<[Origin]>,
    expiry: u64,
}

impl LiveTokens {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            len: 0,
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            revoked_tokens: HashMap::new(),
            revoked_sessions: HashMap::new(),
            expiries: HashMap::default(),
            expiring: BTreeSet::new(),
            lapsing: BTreeSet::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// When the last token that names the origin expires, or has expired.
    pub(crate) fn expiry_of(&self, origin: &Origin) -> Option<u64> {
        let expiries = self.expiries.get(origin.as_bytes())?;
        expiries.last_key_value().map(|(expiry, _)| *expiry)
    }

    pub(crate) fn is_revoked(&self, id: &str, session: Option<&str>, now: u64) -> bool {
        let holds = |until: &u64| *until > now;
        self.revoked_tokens.get(id).is_some_and(holds)
            || session
                .and_then(|session| self.revoked_sessions.get(session))
                .is_some_and(holds)
    }

    /// Whether the revocation is remembered until then, or longer.
    pub(crate) fn remembers(&self, revoked: &Revoked, until: u64) -> bool {
        let revocations = match revoked {
            Revoked::Token(_) => &self.revoked_tokens,
            Revoked::Session(_) => &self.revoked_sessions,
        };
        revocations
            .get(revoked.id())
            .is_some_and(|own| *own >= until)
    }

    pub(crate) fn insert(&mut self, issued: &Issued, now: u64) -> Result<(), RegisterError> {
        if seconds(issued.expires_at()) <= now {
            Err(RegisterError::Expired)
        } else {
            self.add(issued, now)
        }
    }

    /// Takes over a token that another replica knows. One that has expired is kept for its pages,
    /// if there is room.
    pub(crate) fn take_over(&mut self, issued: &Issued, now: u64) -> Result<(), RegisterError> {
        let expiry = seconds(issued.expires_at());
        let is_worth_keeping =
            expiry > now || (end_of(expiry) > now && self.has_room(issued.origins().len()));
        if is_worth_keeping {
            self.add(issued, now)
        } else {
            Err(RegisterError::Expired)
        }
    }

    fn add(&mut self, issued: &Issued, now: u64) -> Result<(), RegisterError> {
        self.purge(now);
        let expiry = seconds(issued.expires_at());
        check_id(issued.id())?;
        issued.session_id().map_or(Ok(()), check_id)?;
        if issued.origins().is_empty() {
            return Err(RegisterError::NoOrigin);
        }
        if expiry > now + IssuedIndex::MAX_LIFETIME.as_secs() {
            return Err(RegisterError::Lifetime);
        }
        if self.is_revoked(issued.id(), issued.session_id(), now) {
            return Err(RegisterError::Revoked);
        }
        if self.tokens.contains_key(issued.id()) {
            return Err(RegisterError::Known);
        }
        let mut seen = HashSet::new();
        let origins = issued.origins().iter();
        let origins: Box<[Origin]> = origins
            .filter(|origin| seen.insert(origin.as_bytes()))
            .cloned()
            .collect();
        self.make_room(origins.len(), now)?;
        let id: Arc<str> = issued.id().into();
        let session = issued.session_id().map(|session| self.join(session, &id));
        for origin in &origins {
            let expiries = self.expiries.entry(origin.as_bytes().into()).or_default();
            *expiries.entry(expiry).or_default() += 1;
        }
        self.expiring.insert((expiry, Arc::clone(&id)));
        let token = Token {
            session,
            origins,
            expiry,
        };
        self.tokens.insert(id, token);
        Ok(())
    }

    /// Revokes, and remembers it until the time given, or until nothing that it revokes can be
    /// accepted or read any more; whether it revoked anything that was known.
    pub(crate) fn revoke(
        &mut self,
        revoked: Revoked,
        until: Option<u64>,
        now: u64,
    ) -> Result<bool, RegisterError> {
        self.purge(now);
        check_id(revoked.id())?;
        let longest = end_of(now + IssuedIndex::MAX_LIFETIME.as_secs());
        let (ids, end) = match &revoked {
            Revoked::Token(id) => match self.tokens.get_key_value(&**id) {
                Some((id, token)) => (vec![Arc::clone(id)], Some(end_of(token.expiry))),
                None => (Vec::new(), None),
            },
            Revoked::Session(session) => {
                let ids = self.sessions.get(&**session).cloned();
                (ids.unwrap_or_default(), None)
            }
        };
        let until = until.max(end).map_or(longest, |until| until.min(longest));
        for id in &ids {
            self.remove(id);
        }
        // What was known leaves more room than the revocation takes.
        self.remember(revoked, until, now)?;
        Ok(!ids.is_empty())
    }

    fn remember(&mut self, revoked: Revoked, until: u64, now: u64) -> Result<(), RegisterError> {
        match self.revocations_of(&revoked).get(revoked.id()).copied() {
            Some(old) if old >= until => return Ok(()),
            Some(old) => {
                self.lapsing.remove(&(old, revoked.clone()));
            }
            None => self.make_room(1, now)?,
        }
        self.revocations_of(&revoked)
            .insert(revoked.id().into(), until);
        self.lapsing.insert((until, revoked));
        Ok(())
    }

    fn revocations_of(&mut self, revoked: &Revoked) -> &mut Revocations {
        match revoked {
            Revoked::Token(_) => &mut self.revoked_tokens,
            Revoked::Session(_) => &mut self.revoked_sessions,
        }
    }

    /// Forgets what matters no more.
    pub(crate) fn purge(&mut self, now: u64) {
        while let Some((expiry, id)) = self.expiring.first()
            && end_of(*expiry) <= now
        {
            let id = Arc::clone(id);
            self.remove(&id);
        }
        while let Some((until, _)) = self.lapsing.first()
            && *until <= now
            && let Some((_, revoked)) = self.lapsing.pop_first()
        {
            self.revocations_of(&revoked).remove(revoked.id());
            self.len -= 1;
        }
    }

    pub(crate) fn snapshot(&self, now: u64) -> IssuedSnapshot {
        let kept = self.tokens.iter();
        let kept = kept.filter(|(_, token)| end_of(token.expiry) > now);
        let tokens = kept.map(|(id, token)| {
            let origins = token.origins.iter().cloned();
            let issued = Issued::new(&**id, origins, time(token.expiry));
            match &token.session {
                Some(session) => issued.session(&**session),
                None => issued,
            }
        });
        let tokens_revoked = self.revoked_tokens.iter();
        let tokens_revoked = tokens_revoked.map(|(id, until)| (Revoked::Token(id.clone()), until));
        let revoked = self.revoked_sessions.iter();
        let revoked = revoked.map(|(id, until)| (Revoked::Session(id.clone()), until));
        let held = tokens_revoked
            .chain(revoked)
            .filter(|(_, until)| **until > now);
        let revocations = held.map(|(revoked, until)| Revocation {
            revoked,
            until: time(*until),
        });
        IssuedSnapshot {
            tokens: tokens.collect(),
            revocations: revocations.collect(),
        }
    }

    /// Makes room, if need be in place of tokens that have expired.
    fn make_room(&mut self, entries: usize, now: u64) -> Result<(), RegisterError> {
        while !self.has_room(entries)
            && let Some((expiry, id)) = self.expiring.first()
            && *expiry <= now
        {
            let id = Arc::clone(id);
            self.remove(&id);
        }
        if self.has_room(entries) {
            self.len += entries;
            Ok(())
        } else {
            Err(RegisterError::Full { limit: self.limit })
        }
    }

    fn has_room(&self, entries: usize) -> bool {
        let len = self.len.checked_add(entries);
        len.is_some_and(|len| len <= self.limit)
    }

    /// Counts the token among those of its session; the session's one name.
    fn join(&mut self, session: &str, id: &Arc<str>) -> Arc<str> {
        let known = self.sessions.get_key_value(session);
        let session = known.map_or_else(|| session.into(), |(session, _)| Arc::clone(session));
        let ids = self.sessions.entry(Arc::clone(&session)).or_default();
        ids.push(Arc::clone(id));
        session
    }

    fn remove(&mut self, id: &Arc<str>) {
        let Some(token) = self.tokens.remove(id) else {
            return;
        };
        self.expiring.remove(&(token.expiry, Arc::clone(id)));
        self.len -= token.origins.len();
        for origin in &token.origins {
            discount(&mut self.expiries, origin, token.expiry);
        }
        if let Some(session) = token.session
            && let Some(ids) = self.sessions.get_mut(&session)
        {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }
}

fn discount(
    expiries: &mut HashMap<Box<[u8]>, BTreeMap<u64, usize>, RandomState>,
    origin: &Origin,
    expiry: u64,
) {
    let Some(of_origin) = expiries.get_mut(origin.as_bytes()) else {
        return;
    };
    if let Some(count) = of_origin.get_mut(&expiry) {
        *count -= 1;
        if *count == 0 {
            of_origin.remove(&expiry);
        }
    }
    if of_origin.is_empty() {
        expiries.remove(origin.as_bytes());
    }
}

fn check_id(id: &str) -> Result<(), RegisterError> {
    match id.len() {
        1..=IssuedIndex::MAX_ID_LEN => Ok(()),
        _ => Err(RegisterError::Id),
    }
}

/// When a token that expires then can be neither accepted nor read any more.
pub(crate) fn end_of(expiry: u64) -> u64 {
    expiry.saturating_add(REMEMBERED_AFTER_EXPIRY.as_secs())
}

fn time(seconds: u64) -> SystemTime {
    let since = Duration::from_secs(seconds);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn issued(id: u8, session: u8, origins: &[u8], expiry: u64) -> Issued {
        let origins = origins.iter().map(|n| origin(*n));
        let issued = Issued::new(id.to_string(), origins, time(expiry));
        match session {
            0 => issued,
            session => issued.session(session.to_string()),
        }
    }

    fn origin(n: u8) -> Origin {
        format!("https://o{n}.example").parse().unwrap()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u8, Vec<u8>, u64),
        Revoke(Revoked),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let revoked = (0_u8..6, any::<bool>()).prop_map(|(id, session)| {
            if session {
                Revoked::Session((id % 3).to_string().into())
            } else {
                Revoked::Token(id.to_string().into())
            }
        });
        let origins = proptest::collection::vec(0_u8..3, 1..4);
        prop_oneof![
            6 => (0_u8..6, 0_u8..3, origins, 1_u64..20)
                .prop_map(|(id, session, origins, life)| Step::Insert(id, session, origins, life)),
            1 => revoked.prop_map(Step::Revoke),
            2 => (0_u64..10).prop_map(Step::Wait),
            1 => (0_u64..20).prop_map(|more| Step::Wait(REMEMBERED_AFTER_EXPIRY.as_secs() - 10 + more)),
        ]
    }

    /// The naive model: everything that ever happened.
    #[derive(Default)]
    struct Model {
        tokens: Vec<(u8, u8, BTreeSet<u8>, u64)>,
        revoked: Vec<Revoked>,
    }

    impl Model {
        fn is_revoked(&self, id: u8, session: u8) -> bool {
            self.revoked
                .contains(&Revoked::Token(id.to_string().into()))
                || self
                    .revoked
                    .contains(&Revoked::Session(session.to_string().into()))
        }

        fn expiry_of(&self, origin: u8, now: u64) -> Option<u64> {
            let live = self.tokens.iter().filter(|(id, session, origins, expiry)| {
                end_of(*expiry) > now
                    && origins.contains(&origin)
                    && !self.is_revoked(*id, *session)
            });
            live.map(|(.., expiry)| *expiry).max()
        }
    }

    /// Session 0 stands for none, and is never revoked.
    fn is_no_session(revoked: &Revoked) -> bool {
        *revoked == Revoked::Session("0".into())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn agrees_with_the_whole_history(
            steps in proptest::collection::vec(step(), 0..40),
        ) {
            let mut live = LiveTokens::new(1000);
            let mut other = LiveTokens::new(1000);
            let mut model = Model::default();
            let mut now = 1_000_000;
            for step in steps {
                match step {
                    Step::Insert(id, session, origins, life) => {
                        let result = live.insert(&issued(id, session, &origins, now + life), now);
                        // A revocation of a known token is remembered while the token matters.
                        let held = live.is_revoked(
                            &id.to_string(),
                            (session > 0).then(|| session.to_string()).as_deref(),
                            now,
                        );
                        prop_assert_eq!(result == Err(RegisterError::Revoked), held);
                        if result.is_ok() {
                            model.revoked.retain(|r| *r != Revoked::Token(id.to_string().into()));
                            model.tokens.retain(|token| token.0 != id);
                            model.tokens.push((id, session, origins.into_iter().collect(), now + life));
                        }
                    }
                    Step::Revoke(revoked) if is_no_session(&revoked) => {}
                    Step::Revoke(revoked) => {
                        live.revoke(revoked.clone(), None, now).unwrap();
                        model.revoked.push(revoked);
                    }
                    Step::Wait(seconds) => now += seconds,
                }
                // A replica that sees every state, and never the steps.
                let snapshot = live.snapshot(now);
                for Revocation { revoked, until } in &snapshot.revocations {
                    other.revoke(revoked.clone(), Some(seconds(*until)), now).unwrap();
                }
                for token in &snapshot.tokens {
                    let _ = other.take_over(token, now);
                }
                for n in 0..3 {
                    let expected = model.expiry_of(n, now);
                    let found = |tokens: &LiveTokens| {
                        tokens.expiry_of(&origin(n)).filter(|expiry| end_of(*expiry) > now)
                    };
                    prop_assert_eq!(found(&live), expected);
                    prop_assert_eq!(found(&other), expected);
                }
            }
            live.purge(end_of(now + IssuedIndex::MAX_LIFETIME.as_secs()));
            prop_assert_eq!(live.len(), 0);
            prop_assert!(live.tokens.is_empty() && live.expiring.is_empty() && live.lapsing.is_empty());
            prop_assert!(live.sessions.is_empty() && live.expiries.is_empty());
            prop_assert!(live.revoked_tokens.is_empty() && live.revoked_sessions.is_empty());
        }
    }

    #[test]
    fn what_is_refused_leaves_everything_as_it_was() {
        let mut live = LiveTokens::new(3);
        let now = 100;
        live.insert(&issued(1, 1, &[1, 2, 2], 200), now).unwrap();
        assert_eq!(live.len(), 2);
        let long = "x".repeat(IssuedIndex::MAX_ID_LEN + 1);
        let far = now + IssuedIndex::MAX_LIFETIME.as_secs();
        for (token, error) in [
            (issued(2, 0, &[1, 2], 200), RegisterError::Full { limit: 3 }),
            (issued(1, 0, &[3], 300), RegisterError::Known),
            (issued(2, 0, &[3], 100), RegisterError::Expired),
            (issued(2, 0, &[3], far + 1), RegisterError::Lifetime),
            (issued(2, 0, &[], 200), RegisterError::NoOrigin),
            (Issued::new("", [origin(3)], time(200)), RegisterError::Id),
            (
                Issued::new(&*long, [origin(3)], time(200)),
                RegisterError::Id,
            ),
            (issued(2, 0, &[3], 200).session(&*long), RegisterError::Id),
        ] {
            assert_eq!(live.insert(&token, now), Err(error));
            assert_eq!(live.len(), 2);
            assert_eq!(live.expiry_of(&origin(3)), None);
        }
        live.insert(&issued(2, 0, &[3], far), now).unwrap();
        // Full: a known token can be revoked, an unknown one not.
        assert_eq!(
            live.revoke(Revoked::Token("9".into()), None, now),
            Err(RegisterError::Full { limit: 3 })
        );
        assert_eq!(
            live.revoke(Revoked::Session("1".into()), None, now),
            Ok(true)
        );
        assert_eq!(
            live.insert(&issued(4, 1, &[1], 200), now),
            Err(RegisterError::Revoked)
        );
        assert_eq!(live.expiry_of(&origin(1)), None);
        // Time makes room.
        live.insert(&issued(5, 0, &[1], 150), now).unwrap();
        live.insert(&issued(6, 0, &[2], 300), 150).unwrap();
        assert_eq!(live.expiry_of(&origin(1)), None);
    }
}
