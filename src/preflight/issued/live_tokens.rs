//! [`LiveTokens`]: the tables of an index, and what time does to them. It is told the time, in
//! seconds since the epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use foldhash::fast::RandomState;

use super::{
    error::RegisterError,
    token::{Issued, IssuedChanges},
};
use crate::{
    origin::Origin,
    revocation::{ChangeCursor, PAGE, Revocations, end_of, seconds, time},
};

/// The longest that a token may have to live when it is registered, in seconds.
pub(crate) const MAX_LIFETIME: u64 = 24 * 60 * 60;

#[derive(Default)]
pub(crate) struct LiveTokens {
    len: usize,
    tokens: HashMap<Arc<str>, Token>,
    sessions: HashMap<Arc<str>, HashSet<Arc<str>>>,
    tenants: HashMap<Arc<str>, Tenant>,
    /// How many tokens share a list.
    lists: HashMap<Arc<List>, usize>,
    /// How many tokens that name an origin expire when.
    expiries: HashMap<Box<[u8]>, BTreeMap<u64, usize>, RandomState>,
    /// The tokens, by when they expire.
    expiring: Expiring,
    /// The tokens, in the order in which they came.
    log: BTreeMap<u64, Arc<str>>,
    changes: u64,
}

/// An entry is a token, or an origin of a list, which counts once however many tokens share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) all: usize,
    /// For each tenant that has a name.
    pub(crate) each_tenant: usize,
}

type Expiring = BTreeSet<(u64, Arc<str>)>;

struct Token {
    session: Option<Arc<str>>,
    list: Arc<List>,
    issued: Option<u64>,
    expiry: u64,
    change: u64,
}

/// The origins of a token. Tenants share none, so that each pays for its own.
#[derive(PartialEq, Eq, Hash)]
struct List {
    tenant: Arc<str>,
    origins: Box<[Origin]>,
}

#[derive(Default)]
struct Tenant {
    len: usize,
    expiring: Expiring,
}

impl LiveTokens {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// When the last token that names the origin expires, or has expired.
    pub(crate) fn expiry_of(&self, origin: &Origin) -> Option<u64> {
        let expiries = self.expiries.get(origin.as_bytes())?;
        expiries.last_key_value().map(|(expiry, _)| *expiry)
    }

    pub(crate) fn expiry_of_token(&self, id: &str) -> Option<u64> {
        self.tokens.get(id).map(|token| token.expiry)
    }

    pub(crate) fn insert(
        &mut self,
        issued: &Issued,
        now: u64,
        limits: Limits,
    ) -> Result<(), RegisterError> {
        if seconds(issued.expiry()) <= now {
            return Err(RegisterError::Expired);
        }
        let token = self.check(issued, now)?;
        self.make_room(&token.list, now, limits)?;
        self.add(issued.id(), token);
        Ok(())
    }

    /// Takes over a token that another replica knows. One that has expired is kept for its pages
    /// only while nobody has to make room for it.
    pub(crate) fn take_over(
        &mut self,
        issued: &Issued,
        now: u64,
        limits: Limits,
    ) -> Result<(), RegisterError> {
        let expiry = seconds(issued.expiry());
        if end_of(expiry) <= now {
            return Err(RegisterError::Expired);
        }
        let token = self.check(issued, now)?;
        if expiry > now {
            self.make_room(&token.list, now, limits)?;
        } else if self.missing_room(&token.list, limits).is_some() {
            return Err(RegisterError::Expired);
        }
        self.add(issued.id(), token);
        Ok(())
    }

    fn check(&self, issued: &Issued, now: u64) -> Result<Token, RegisterError> {
        let expiry = seconds(issued.expiry());
        let tenant = issued.tenant_id();
        let ids = [Some(issued.id()), issued.session_id(), tenant];
        let is_id = |id: &str| (1..=Revocations::MAX_ID_LEN).contains(&id.len());
        if !ids.into_iter().flatten().all(is_id) {
            return Err(RegisterError::Id);
        }
        if expiry > now + MAX_LIFETIME {
            return Err(RegisterError::Lifetime);
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
        if origins.is_empty() {
            return Err(RegisterError::NoOrigin);
        }
        let tenant = match self.tenants.get_key_value(tenant.unwrap_or_default()) {
            Some((tenant, _)) => Arc::clone(tenant),
            None => tenant.unwrap_or_default().into(),
        };
        let list = List { tenant, origins };
        let list = match self.lists.get_key_value(&list) {
            Some((list, _)) => Arc::clone(list),
            None => Arc::new(list),
        };
        let session = issued.session_id().map(|session| {
            let known = self.sessions.get_key_value(session);
            known.map_or_else(|| session.into(), |(session, _)| Arc::clone(session))
        });
        Ok(Token {
            session,
            list,
            issued: issued.issuance().map(seconds),
            expiry,
            change: 0,
        })
    }

    fn add(&mut self, id: &str, mut token: Token) {
        let id: Arc<str> = id.into();
        self.changes += 1;
        token.change = self.changes;
        self.log.insert(token.change, Arc::clone(&id));
        let entries = self.entries_for(&token.list);
        self.len += entries;
        let tenant = self
            .tenants
            .entry(Arc::clone(&token.list.tenant))
            .or_default();
        tenant.len += entries;
        tenant.expiring.insert((token.expiry, Arc::clone(&id)));
        self.expiring.insert((token.expiry, Arc::clone(&id)));
        *self.lists.entry(Arc::clone(&token.list)).or_default() += 1;
        for origin in &token.list.origins {
            let expiries = self.expiries.entry(origin.as_bytes().into()).or_default();
            *expiries.entry(token.expiry).or_default() += 1;
        }
        if let Some(session) = &token.session {
            let ids = self.sessions.entry(Arc::clone(session)).or_default();
            ids.insert(Arc::clone(&id));
        }
        self.tokens.insert(id, token);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some((id, token)) = self.tokens.remove_entry(id) else {
            return;
        };
        self.log.remove(&token.change);
        let mut entries = 1;
        if let Some(count) = self.lists.get_mut(&token.list) {
            *count -= 1;
            if *count == 0 {
                self.lists.remove(&token.list);
                entries += token.list.origins.len();
            }
        }
        self.len -= entries;
        let key = (token.expiry, id);
        self.expiring.remove(&key);
        if let Some(tenant) = self.tenants.get_mut(&token.list.tenant) {
            tenant.expiring.remove(&key);
            tenant.len -= entries;
            if tenant.len == 0 {
                self.tenants.remove(&token.list.tenant);
            }
        }
        for origin in &token.list.origins {
            discount(&mut self.expiries, origin, token.expiry);
        }
        let (_, id) = key;
        if let Some(session) = token.session
            && let Some(ids) = self.sessions.get_mut(&session)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }

    /// The tokens of a session, which has none from here on. Each has to be [removed](Self::remove)
    /// yet, which the caller does a few at a time.
    pub(crate) fn take_session(&mut self, session: &str) -> Vec<Arc<str>> {
        let ids = self.sessions.remove(session);
        ids.into_iter().flatten().collect()
    }

    /// The tokens that were issued then or before, or nobody knows when.
    pub(crate) fn issued_until(&self, time: u64) -> Vec<Arc<str>> {
        let is_older = |token: &Token| token.issued.is_none_or(|issued| issued <= time);
        let tokens = self.tokens.iter().filter(|(_, token)| is_older(token));
        tokens.map(|(id, _)| Arc::clone(id)).collect()
    }

    /// Forgets tokens that can be neither accepted nor read any more, at most so many; whether there
    /// are more.
    pub(crate) fn purge(&mut self, now: u64, most: usize) -> bool {
        (0..most).all(|_| self.remove_first(None, |expiry| end_of(expiry) <= now))
    }

    /// Removes the token that expires first, of the tenant or of all, if it may go.
    fn remove_first(&mut self, tenant: Option<&str>, may_go: impl Fn(u64) -> bool) -> bool {
        let expiring = match tenant {
            Some(tenant) => self.tenants.get(tenant).map(|tenant| &tenant.expiring),
            None => Some(&self.expiring),
        };
        match expiring.and_then(BTreeSet::first) {
            Some((expiry, id)) if may_go(*expiry) => {
                let id = Arc::clone(id);
                self.remove(&id);
                true
            }
            _ => false,
        }
    }

    /// Makes room, if need be in place of tokens that have expired. Nothing goes while there is
    /// room: the clock may be ahead.
    fn make_room(&mut self, list: &List, now: u64, limits: Limits) -> Result<(), RegisterError> {
        while let Some(error) = self.missing_room(list, limits) {
            let tenant = match &error {
                RegisterError::TenantFull { tenant, .. } => Some(&**tenant),
                _ => None,
            };
            if !self.remove_first(tenant, |expiry| expiry <= now) {
                return Err(error);
            }
        }
        Ok(())
    }

    fn missing_room(&self, list: &List, limits: Limits) -> Option<RegisterError> {
        let entries = self.entries_for(list);
        let of_tenant = self
            .tenants
            .get(&list.tenant)
            .map_or(0, |tenant| tenant.len);
        if !list.tenant.is_empty() && of_tenant + entries > limits.each_tenant {
            let (tenant, limit) = ((*list.tenant).into(), limits.each_tenant);
            return Some(RegisterError::TenantFull { tenant, limit });
        }
        let limit = limits.all;
        (self.len + entries > limit).then_some(RegisterError::Full { limit })
    }

    /// How many entries one more token with this list takes.
    fn entries_for(&self, list: &List) -> usize {
        if self.lists.contains_key(list) {
            1
        } else {
            1 + list.origins.len()
        }
    }

    /// A page of the tokens that have come since the cursor, and are still there.
    pub(crate) fn changes_since(&self, cursor: ChangeCursor, list: u64) -> IssuedChanges {
        let start = cursor.in_list(list);
        let mut changed = self.log.range(start.saturating_add(1)..);
        let page: Vec<_> = changed.by_ref().take(PAGE).collect();
        let sequence = page.last().map_or(start, |(change, _)| **change);
        let issued = |id: &Arc<str>| {
            let token = self.tokens.get(id)?;
            let origins = token.list.origins.iter().cloned();
            let mut issued = Issued::new(&**id, origins, time(token.expiry));
            if let Some(session) = &token.session {
                issued = issued.session(&**session);
            }
            if !token.list.tenant.is_empty() {
                issued = issued.tenant(&*token.list.tenant);
            }
            Some(match token.issued {
                Some(seconds) => issued.issued_at(time(seconds)),
                None => issued,
            })
        };
        let mut changes = IssuedChanges {
            tokens: page.into_iter().filter_map(|(_, id)| issued(id)).collect(),
            has_more: changed.next().is_some(),
            ..IssuedChanges::default()
        };
        changes.next.tokens = ChangeCursor { list, sequence };
        changes
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

#[cfg(test)]
impl LiveTokens {
    /// Whether no table holds anything any more.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.len == 0
            && self.tokens.is_empty()
            && self.sessions.is_empty()
            && self.tenants.is_empty()
            && self.lists.is_empty()
            && self.expiries.is_empty()
            && self.expiring.is_empty()
            && self.log.is_empty()
    }
}
