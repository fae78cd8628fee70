use std::time::SystemTime;

use http::{HeaderMap, Method};

use super::engine::Engine;
use crate::test_util::{
    fetch::Fetch,
    preflight_answer::{PreflightAnswer, Star},
    safelist::unsafe_names,
    tables::is_safelisted_method,
};

/// The [CORS-preflight cache](https://fetch.spec.whatwg.org/#cors-preflight-cache).
#[derive(Debug, Default)]
pub(super) struct PreflightCache {
    entries: Vec<Entry>,
}

/// What answers are kept by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CacheKey {
    /// <https://fetch.spec.whatwg.org/#network-partition-key>
    pub(super) partition: String,
    /// As the preflight sent it, `null` for all opaque ones alike.
    pub(super) origin: String,
    /// The whole URL, with its query.
    pub(super) url: String,
}

#[derive(Debug)]
struct Entry {
    key: CacheKey,
    credentials: bool,
    expires: SystemTime,
    methods: Vec<String>,
    names: Vec<String>,
}

impl PreflightCache {
    /// Whether a kept answer makes the preflight of this request unnecessary
    /// (<https://fetch.spec.whatwg.org/#concept-http-fetch>, step 3). `in_any_case`: the preflight is
    /// due though the request is a simple one.
    pub(super) fn covers(
        &mut self,
        key: &CacheKey,
        fetch: &Fetch,
        in_any_case: bool,
        engine: Engine,
        now: SystemTime,
    ) -> bool {
        self.entries.retain(|entry| entry.expires > now);
        let credentials = fetch.includes_credentials();
        let serves = |entry: &&Entry| {
            entry.key == *key
                && if engine.separates_credentials() {
                    entry.credentials == credentials
                } else {
                    entry.credentials || !credentials
                }
        };
        let entries: Vec<&Entry> = self.entries.iter().filter(serves).collect();
        let star = !credentials && engine.finds_star();
        let has_method = |method: &Method| {
            let mut methods = entries.iter().flat_map(|entry| &entry.methods);
            methods.any(|kept| kept == method.as_str() || (star && kept == "*"))
        };
        let has_name = |name: &str| {
            let star =
                star && (name != "authorization" || engine.star() == Star::WithAuthorization);
            let mut names = entries.iter().flat_map(|entry| &entry.names);
            names.any(|kept| kept.eq_ignore_ascii_case(name) || (star && kept == "*"))
        };
        let is_safelisted = is_safelisted_method(fetch.method.as_str()) && !in_any_case;
        // Firefox looks for `HEAD` in what it keeps, though it needs no permission.
        let needs_no_entry =
            is_safelisted && !(engine == Engine::Firefox && fetch.method == Method::HEAD);
        let names = unsafe_names(&fetch.headers);
        let covers = (needs_no_entry || has_method(&fetch.method))
            && names.iter().all(|name| has_name(name.as_str()))
            // The standard speaks of single names, so that a simple request would need no entry.
            && !(engine.keeps_whole_answers() && entries.is_empty());
        if !covers && engine.forgets_after_mismatch() {
            self.forget(key);
        }
        covers
    }

    /// Keeps what the answer permits
    /// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>, steps 7.10 to 7.16).
    pub(super) fn keep(
        &mut self,
        key: CacheKey,
        fetch: &Fetch,
        answer: PreflightAnswer,
        headers: &HeaderMap,
        engine: Engine,
        now: SystemTime,
    ) {
        let Some(expires) = engine.max_age(headers).map(|age| {
            // An age beyond all dates is no end at all.
            now.checked_add(age).unwrap_or(now + YEAR)
        }) else {
            if engine.keeps_whole_answers() {
                self.forget(&key);
            }
            return;
        };
        let credentials = fetch.includes_credentials();
        let (methods, names) = answer.into_lists(&fetch.method);
        if engine.keeps_whole_answers() {
            self.forget(&key);
            self.entries.push(Entry {
                key,
                credentials,
                expires,
                methods,
                names,
            });
            return;
        }
        let single = |methods: Vec<String>, names: Vec<String>| Entry {
            key: key.clone(),
            credentials,
            expires,
            methods,
            names,
        };
        let methods = methods
            .into_iter()
            .map(|method| single(vec![method], Vec::new()));
        let names = names.into_iter().map(|name| single(Vec::new(), vec![name]));
        let new: Vec<Entry> = methods.chain(names).collect();
        self.entries
            .retain(|old| !new.iter().any(|new| new.replaces(old)));
        self.entries.extend(new);
    }

    /// <https://fetch.spec.whatwg.org/#concept-cache-clear>
    pub(super) fn forget(&mut self, key: &CacheKey) {
        self.entries.retain(|entry| entry.key != *key);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl Entry {
    /// Whether the other one says the same, with another age.
    fn replaces(&self, other: &Self) -> bool {
        self.key == other.key
            && self.credentials == other.credentials
            && self.methods == other.methods
            && self.names == other.names
    }
}

const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);
