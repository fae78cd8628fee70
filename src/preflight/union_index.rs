use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use foldhash::fast::RandomState;

use super::DEFAULT_MAX_AGE;
use crate::{
    debug_as_display::debug_as_display,
    lock::{lock, read, write},
    origin::{Origin, OriginPattern, OriginSet, RequestOrigin},
    policy::{DenialKind, OriginPolicy, PolicyProperties, UncheckedList, Verdict, VerdictFuture},
    request::CorsRequest,
};

/// All origins that some tenant trusts; tenants come, change and go while the service runs.
///
/// For preflights that do not say which tenant they are about. The answer is one bit: *somebody*
/// trusts the origin. It abstains on requests, which a policy that knows their tenant has to judge.
/// No builder has checked the lists, so risky entries let preflights pass **without credentials**,
/// whatever the layer says: `http` origins that are not of this machine, wildcards across a public
/// suffix such as `https://*.github.io`, and every host of an application's scheme.
///
/// A layer has to refuse denied requests: with [`DeniedRequests::Forward`](crate::DeniedRequests::Forward)
/// it does not build, since a page of one tenant passes the preflights of another tenant's requests.
///
/// An origin stays as long as one tenant lists it. Clones share the index. A lookup takes a shared
/// lock for a probe or two, and allocates nothing.
///
/// The index is bounded by the number of entries of all tenants together. An update beyond the
/// bound is refused, and changes nothing. A denial is final: to combine two indexes, ask both from
/// one [`policy_fn`](crate::policy_fn).
///
/// ```
/// use tower_cors::{Origin, origin::OriginPattern, preflight::UnionIndex};
///
/// let pattern = |text: &str| text.parse::<OriginPattern>().unwrap();
/// let page: Origin = "https://example.com".parse().unwrap();
///
/// let index = UnionIndex::new(10_000);
/// index.set("one", [pattern("https://example.com")])?;
/// index.set("two", [pattern("https://example.com"), pattern("https://*.example.org")])?;
///
/// index.remove("one");
/// assert!(index.contains(&page));
/// index.set("two", [pattern("https://*.example.org")])?;
/// assert!(!index.contains(&page));
/// # Ok::<(), tower_cors::preflight::IndexFull>(())
/// ```
#[derive(Clone)]
pub struct UnionIndex {
    shared: Arc<Shared>,
    max_age: Duration,
    lists: UncheckedList,
}

struct Shared {
    max_entries: usize,
    /// Who lists what: for updates, one at a time. Locked before `lookup`.
    tenants: Mutex<Tenants>,
    lookup: RwLock<LookupTables>,
}

#[derive(Default)]
struct Tenants {
    lists: HashMap<Box<str>, Vec<OriginPattern>>,
    entries: usize,
    /// How many tenants list a pattern with a wildcard.
    patterns: HashMap<OriginPattern, usize>,
}

#[derive(Default)]
struct LookupTables {
    /// How many tenants list an origin.
    exact: HashMap<Box<[u8]>, usize, RandomState>,
    patterns: OriginSet,
}

impl LookupTables {
    /// An entry that matches strangers takes no credentials from what the others match: a careless
    /// tenant harms itself alone.
    fn contains_beside_strangers(&self, origin: &Origin) -> bool {
        self.exact.contains_key(origin.as_bytes())
            || self.patterns.contains_beside_strangers(origin)
    }

    fn contains(&self, origin: &Origin) -> bool {
        self.exact.contains_key(origin.as_bytes()) || self.patterns.contains(origin)
    }
}

impl UnionIndex {
    /// An empty index for at most `max_entries` entries, of all tenants together.
    pub fn new(max_entries: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                max_entries,
                tenants: Mutex::default(),
                lookup: RwLock::default(),
            }),
            max_age: DEFAULT_MAX_AGE,
            lists: UncheckedList::default(),
        }
    }

    /// Sets how long browsers may keep the answer to a preflight, in whole seconds; not longer
    /// than the index may be out of date. Default: 60 seconds.
    #[must_use]
    pub fn max_age_at_most(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Lets the preflights of listed origins without transport security pass with credentials, if the
    /// layer allows them. Default: they pass without.
    ///
    /// Anybody who controls a network between a user and such an origin can act as the user.
    #[must_use]
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        self.lists.insecure_origins = true;
        self
    }

    /// Lets the preflights of what only wildcards across a public suffix match, or every host of an
    /// application's scheme, pass with credentials, if the layer allows them. Default: they pass
    /// without.
    ///
    /// Anybody who registers a name below the suffix can act as the user.
    #[must_use]
    pub fn dangerously_allow_public_suffixes(mut self) -> Self {
        self.lists.public_suffixes = true;
        self
    }

    /// Makes this the list of a tenant, in place of the one before. Setting it twice is setting it
    /// once, and an empty list is none.
    ///
    /// # Errors
    ///
    /// [`IndexFull`], and the tenant's list stays as it was.
    pub fn set<I>(&self, tenant: &str, origins: I) -> Result<(), IndexFull>
    where
        I: IntoIterator<Item = OriginPattern>,
    {
        let limit = self.shared.max_entries;
        let list = bounded_list(origins, limit)?;
        let mut tenants = self.shared.tenants();
        let before = tenants.lists.get(tenant).map_or(0, Vec::len);
        let entries = tenants.entries - before + list.len();
        if entries > limit {
            return Err(IndexFull { limit });
        }
        // The bound counts entries. A tenant without any must leave nothing behind, or the number of
        // such tenants would be unbounded.
        let old = if list.is_empty() {
            tenants.lists.remove(tenant)
        } else {
            tenants.lists.insert(tenant.into(), list.clone())
        };
        tenants.entries = entries;
        self.shared.exchange(&mut tenants, old.as_deref(), &list);
        Ok(())
    }

    /// Removes a tenant's list; whether there was one.
    pub fn remove(&self, tenant: &str) -> bool {
        let mut tenants = self.shared.tenants();
        let Some(old) = tenants.lists.remove(tenant) else {
            return false;
        };
        tenants.entries -= old.len();
        self.shared.exchange(&mut tenants, Some(&old), &[]);
        true
    }

    /// Makes these the lists of all tenants, at one moment for all lookups, as after a
    /// reconnection to where they are stored. A tenant that comes twice has both lists.
    ///
    /// # Errors
    ///
    /// [`IndexFull`], and everything stays as it was.
    pub fn replace_all<T, I, L>(&self, all: T) -> Result<(), IndexFull>
    where
        T: IntoIterator<Item = (I, L)>,
        I: Into<Box<str>>,
        L: IntoIterator<Item = OriginPattern>,
    {
        let limit = self.shared.max_entries;
        let mut lists = HashMap::<Box<str>, Vec<OriginPattern>>::new();
        let mut entries = 0;
        for (tenant, origins) in all {
            let list = lists.entry(tenant.into()).or_default();
            entries -= list.len();
            *list = bounded_list(list.drain(..).chain(origins), limit)?;
            entries += list.len();
            if entries > limit {
                return Err(IndexFull { limit });
            }
        }
        lists.retain(|_, list| !list.is_empty());
        let mut new = LookupTables::default();
        let mut patterns = HashMap::new();
        for pattern in lists.values().flatten() {
            if pattern.is_exact() {
                count(&mut new.exact, pattern)
            } else {
                *patterns.entry(pattern.clone()).or_default() += 1
            }
        }
        new.patterns = compiled(patterns.keys());
        let mut tenants = self.shared.tenants();
        *tenants = Tenants {
            lists,
            entries,
            patterns,
        };
        *self.shared.lookup_mut() = new;
        Ok(())
    }

    /// Whether some tenant lists the origin, or a pattern that matches it.
    pub fn contains(&self, origin: &Origin) -> bool {
        self.shared.lookup().contains(origin)
    }

    /// The number of entries of all tenants together.
    pub fn len(&self) -> usize {
        self.shared.tenants().entries
    }

    /// Whether no tenant lists anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A list in which each entry stands once, if it is within the limit.
fn bounded_list<I>(origins: I, limit: usize) -> Result<Vec<OriginPattern>, IndexFull>
where
    I: IntoIterator<Item = OriginPattern>,
{
    let mut list: Vec<OriginPattern> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for origin in origins {
        if seen.insert(origin.clone()) {
            if list.len() == limit {
                return Err(IndexFull { limit });
            }
            list.push(origin);
        }
    }
    Ok(list)
}

impl Shared {
    /// Takes the old entries of a tenant out of the tables and puts the new ones in. Lookups wait
    /// only while the tables are edited, not while the patterns are compiled.
    fn exchange(
        &self,
        tenants: &mut Tenants,
        old: Option<&[OriginPattern]>,
        new: &[OriginPattern],
    ) {
        let old = old.unwrap_or_default();
        let has_wildcard = |pattern: &&OriginPattern| !pattern.is_exact();
        let mut changed = false;
        for pattern in new.iter().filter(has_wildcard) {
            let count = tenants.patterns.entry(pattern.clone()).or_default();
            *count += 1;
            changed |= *count == 1;
        }
        for pattern in old.iter().filter(has_wildcard) {
            if let Entry::Occupied(mut entry) = tenants.patterns.entry(pattern.clone()) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                    changed = true;
                }
            }
        }
        let patterns = changed.then(|| compiled(tenants.patterns.keys()));
        let mut lookup = self.lookup_mut();
        if let Some(patterns) = patterns {
            lookup.patterns = patterns;
        }
        for origin in new.iter().filter(|pattern| pattern.is_exact()) {
            count(&mut lookup.exact, origin);
        }
        for origin in old.iter().filter(|pattern| pattern.is_exact()) {
            discount(&mut lookup.exact, origin);
        }
    }

    fn tenants(&self) -> MutexGuard<'_, Tenants> {
        lock(&self.tenants)
    }

    fn lookup(&self) -> RwLockReadGuard<'_, LookupTables> {
        read(&self.lookup)
    }

    fn lookup_mut(&self) -> RwLockWriteGuard<'_, LookupTables> {
        write(&self.lookup)
    }
}

fn compiled<'a>(patterns: impl Iterator<Item = &'a OriginPattern>) -> OriginSet {
    let set: OriginSet = patterns.cloned().collect();
    // While no lookup waits.
    set.find_strangers();
    set
}

fn count(exact: &mut HashMap<Box<[u8]>, usize, RandomState>, origin: &OriginPattern) {
    *exact.entry(origin.as_str().as_bytes().into()).or_default() += 1;
}

fn discount(exact: &mut HashMap<Box<[u8]>, usize, RandomState>, origin: &OriginPattern) {
    let bytes = origin.as_str().as_bytes();
    if let Some(count) = exact.get_mut(bytes) {
        *count -= 1;
        if *count == 0 {
            exact.remove(bytes);
        }
    }
}

impl OriginPolicy for UnionIndex {
    /// Abstains. That *some* tenant trusts an origin says nothing of the tenant whose data this
    /// request asks for.
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Verdict::Abstain)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let lookup = self.shared.lookup();
        let RequestOrigin::Tuple(origin) = request.origin() else {
            return DenialKind::OpaqueOrigin.into();
        };
        let (is_listed, beside_strangers) = (
            || lookup.contains(origin),
            || lookup.contains_beside_strangers(origin),
        );
        // Preflights carry no cookies. A client that sends some all the same does not count.
        let listed = self.lists.judge(origin, false, is_listed, beside_strangers);
        VerdictFuture::ready(match listed {
            Some(Verdict::Allow(grant)) => Verdict::Allow(grant.max_age_at_most(self.max_age)),
            Some(other) => other,
            None => DenialKind::OriginNotAllowed.into(),
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().preflight_of_any_list().no_store()
    }
}

impl fmt::Debug for UnionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnionIndex")
            .field("entries", &self.len())
            .field("max_entries", &self.shared.max_entries)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// An index has no room for what was to be put into it.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the index is full: it holds at most {limit} entries")]
#[non_exhaustive]
pub struct IndexFull {
    /// The most entries that it holds.
    pub limit: usize,
}

debug_as_display!(IndexFull);

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn pattern() -> impl Strategy<Value = OriginPattern> {
        ("[ab]", any::<bool>()).prop_map(|(name, star)| {
            let star = if star { "*." } else { "" };
            format!("https://{star}{name}.example").parse().unwrap()
        })
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(String, Vec<OriginPattern>),
        Remove(String),
        ReplaceAll(Vec<(String, Vec<OriginPattern>)>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let list = || proptest::collection::vec(pattern(), 0..4);
        prop_oneof![
            4 => ("[xy]", list()).prop_map(|(tenant, list)| Step::Set(tenant, list)),
            2 => "[xyz]".prop_map(Step::Remove),
            1 => proptest::collection::vec(("[xyz]", list()), 0..4).prop_map(Step::ReplaceAll),
        ]
    }

    /// The naive model: who lists what.
    type Model = BTreeMap<String, BTreeSet<String>>;

    const LIMIT: usize = 5;

    /// The model after the step, unless there is no room.
    fn after(model: &Model, step: &Step) -> Option<Model> {
        let mut next = model.clone();
        let texts = |list: &[OriginPattern]| list.iter().map(|p| p.as_str().to_owned()).collect();
        match step {
            Step::Set(tenant, list) => {
                next.insert(tenant.clone(), texts(list));
            }
            Step::Remove(tenant) => {
                next.remove(tenant);
            }
            Step::ReplaceAll(all) => {
                next.clear();
                for (tenant, list) in all {
                    let more: BTreeSet<String> = texts(list);
                    next.entry(tenant.clone()).or_default().extend(more);
                }
            }
        }
        next.retain(|_, list| !list.is_empty());
        (next.values().map(BTreeSet::len).sum::<usize>() <= LIMIT).then_some(next)
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_per_tenant(steps in proptest::collection::vec(step(), 0..24)) {
            let index = UnionIndex::new(LIMIT);
            let mut model = Model::new();
            for step in steps {
                let expected = after(&model, &step);
                let done = match &step {
                    Step::Set(tenant, list) => index.set(tenant, list.clone()),
                    Step::Remove(tenant) => {
                        prop_assert_eq!(index.remove(tenant), model.contains_key(tenant));
                        Ok(())
                    }
                    Step::ReplaceAll(all) => index.replace_all(
                        all.iter().map(|(tenant, list)| (tenant.as_str(), list.clone())),
                    ),
                };
                prop_assert_eq!(done.is_ok(), expected.is_some(), "{:?}", step);
                model = expected.unwrap_or(model);
                prop_assert_eq!(index.len(), model.values().map(BTreeSet::len).sum::<usize>());
                prop_assert_eq!(index.is_empty(), model.is_empty());
                prop_assert_eq!(index.shared.tenants().lists.len(), model.len());
                for text in ["https://a.example", "https://x.a.example", "https://b.example"] {
                    let origin: Origin = text.parse().unwrap();
                    let listed = model.values().flatten().any(|entry| {
                        entry.parse::<OriginPattern>().unwrap().matches(&origin)
                    });
                    prop_assert_eq!(index.contains(&origin), listed, "{}", text);
                }
            }
        }
    }
}
