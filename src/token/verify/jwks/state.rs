use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use super::document::{JwkSet, JwkSetError};
use crate::{
    debug_as_display::debug_as_display,
    token::verify::{FetchError, jwt::JwtKeys},
};

/// How long keys are good, and how often they may be fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) keys_ttl: Duration,
    pub(crate) stale_if_error: Duration,
    pub(crate) min_refresh_interval: Duration,
}

/// What is known of an issuer's keys. It is handed the time.
#[derive(Default)]
pub(crate) struct State {
    current: Option<Current>,
    attempted_at: Option<SystemTime>,
    fetches: u64,
    failures: u64,
    /// How many times the keys were not those of before, or those of before were dead.
    sets: u64,
    pub(crate) last_failure: Option<RefreshError>,
}

pub(crate) type FetchResult = Result<(), RefreshError>;

struct Current {
    keys: Arc<JwtKeys>,
    /// What the issuer published, byte by byte.
    document: Bytes,
    left_out: usize,
    fetched_at: SystemTime,
}

/// Why the keys of an issuer could not be renewed.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The document did not arrive.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The document holds no keys.
    #[error(transparent)]
    Document(#[from] JwkSetError),
    /// The [`KeySetFetcher`](crate::token::verify::KeySetFetcher) panicked.
    #[error("the fetcher of the issuer's keys panicked")]
    Panicked,
}

debug_as_display!(RefreshError);

/// What came of a fetch.
pub(crate) type Fetched = Result<(JwkSet, Bytes), RefreshError>;

/// How good the current keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// They are good, and somebody should fetch new ones.
    Due,
    /// They are good only if new ones cannot be had.
    Expired,
    /// There are none, or they are not good any more.
    Dead,
}

impl State {
    pub(crate) fn freshness(&self, now: SystemTime, times: &Times) -> Freshness {
        let Some(current) = &self.current else {
            return Freshness::Dead;
        };
        let age = match now.duration_since(current.fetched_at) {
            Ok(age) => age,
            // The keys are kept when the clock is set back by a little.
            Err(back) if back.duration() <= times.min_refresh_interval => Duration::ZERO,
            Err(_) => return Freshness::Dead,
        };
        let keys_ttl = times.keys_ttl;
        if age < keys_ttl * 4 / 5 {
            Freshness::Fresh
        } else if age < keys_ttl {
            Freshness::Due
        } else if age < keys_ttl + times.stale_if_error {
            // Once it is known that the issuer gives no answer, not everybody needs to find out.
            match self.last_failure {
                Some(_) => Freshness::Due,
                None => Freshness::Expired,
            }
        } else {
            Freshness::Dead
        }
    }

    /// Changes whenever a token that was good may be so no more: with each other set of keys, and
    /// when the keys' time is over. Fetching the same keys again changes nothing, or anybody who
    /// names an unknown key could make everybody be verified again.
    pub(crate) fn epoch(&self, now: SystemTime, times: &Times) -> u64 {
        let is_dead = self.freshness(now, times) == Freshness::Dead;
        2 * self.sets + u64::from(is_dead)
    }

    pub(crate) fn keys(&self) -> Option<&Arc<JwtKeys>> {
        self.current.as_ref().map(|current| &current.keys)
    }

    /// Notes an attempt to fetch, unless the last one was too recently.
    pub(crate) fn attempt(&mut self, now: SystemTime, times: &Times) -> bool {
        if self.is_too_soon(now, times) {
            return false;
        }
        self.attempted_at = Some(now);
        self.fetches += 1;
        true
    }

    fn is_too_soon(&self, now: SystemTime, times: &Times) -> bool {
        self.attempted_at.is_some_and(|last| {
            now.duration_since(last)
                .is_ok_and(|since| since < times.min_refresh_interval)
        })
    }

    /// Notes what came of an attempt that began at `since`; new keys replace the old ones, so that
    /// removed keys die.
    pub(crate) fn finish(
        &mut self,
        fetched: Fetched,
        since: SystemTime,
        now: SystemTime,
        times: &Times,
    ) {
        let was_dead = self.freshness(now, times) == Freshness::Dead;
        match (fetched, &mut self.current) {
            (Ok((_, document)), Some(current)) if !was_dead && current.document == document => {
                self.last_failure = None;
                current.fetched_at = since;
            }
            (Ok((set, document)), current) => {
                self.last_failure = None;
                self.sets += 1;
                *current = Some(Current {
                    left_out: set.left_out(),
                    keys: Arc::new(set.into_keys()),
                    document,
                    fetched_at: since,
                });
            }
            (Err(what), _) => {
                self.failures += 1;
                self.last_failure = Some(what);
            }
        }
    }

    pub(crate) fn status(&self) -> JwksStatus {
        let current = self.current.as_ref();
        JwksStatus {
            keys: current.map_or(0, |current| current.keys.len()),
            left_out: current.map_or(0, |current| current.left_out),
            fetched_at: current.map(|current| current.fetched_at),
            fetches: self.fetches,
            failures: self.failures,
            last_failure: self.last_failure,
        }
    }
}

/// What a [`JwksVerifier`](crate::token::verify::jwks::JwksVerifier) knows of its issuer's keys,
/// for metrics and health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwksStatus {
    /// The number of keys.
    pub keys: usize,
    /// How many more the issuer publishes that cannot be used.
    pub left_out: usize,
    /// When the current keys were asked for.
    pub fetched_at: Option<SystemTime>,
    /// How many times keys were asked for.
    pub fetches: u64,
    /// How many of these failed.
    pub failures: u64,
    /// Why the last one failed, if it did.
    pub last_failure: Option<RefreshError>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

#[cfg(test)]
#[cfg(feature = "jwt-rust-crypto")]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        keys_ttl: Duration::from_secs(100),
        stale_if_error: Duration::from_secs(50),
        min_refresh_interval: Duration::from_secs(10),
    };

    const DOWN: RefreshError = RefreshError::Fetch(FetchError::Unreachable);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn set(kid: &str) -> Fetched {
        let json = format!(
            r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "kid": {kid:?},
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
        );
        Ok((JwkSet::parse(json.as_bytes(), 4).unwrap(), json.into()))
    }

    fn finish(state: &mut State, fetched: Fetched, seconds: u64) {
        state.finish(fetched, at(seconds), at(seconds), &TIMES);
    }

    fn fetched() -> State {
        let mut state = State::default();
        finish(&mut state, set("a"), 1000);
        state
    }

    #[test]
    fn keys_age() {
        use Freshness::*;
        assert_eq!(State::default().freshness(at(0), &TIMES), Dead);
        let good = fetched();
        let mut failing = fetched();
        finish(&mut failing, Err(DOWN), 1080);
        for (seconds, expected, when_failing) in [
            (989, Dead, Dead),
            (990, Fresh, Fresh),
            (1000, Fresh, Fresh),
            (1079, Fresh, Fresh),
            (1080, Due, Due),
            (1099, Due, Due),
            (1100, Expired, Due),
            (1149, Expired, Due),
            (1150, Dead, Dead),
        ] {
            assert_eq!(good.freshness(at(seconds), &TIMES), expected, "{seconds}");
            assert_eq!(
                failing.freshness(at(seconds), &TIMES),
                when_failing,
                "{seconds}"
            );
        }
    }

    #[test]
    fn the_epoch_grows_with_each_other_set_and_at_its_end() {
        let mut state = State::default();
        assert_eq!(state.epoch(at(0), &TIMES), 1);
        state = fetched();
        assert_eq!(state.epoch(at(1000), &TIMES), 2);
        assert!(state.attempt(at(1080), &TIMES));
        finish(&mut state, Err(DOWN), 1080);
        assert_eq!(state.epoch(at(1149), &TIMES), 2);
        assert_eq!(state.epoch(at(1150), &TIMES), 3);
        // The same that were dead.
        finish(&mut state, set("a"), 1160);
        assert_eq!(state.epoch(at(1160), &TIMES), 4);
        finish(&mut state, set("a"), 1240);
        assert_eq!(state.epoch(at(1240), &TIMES), 4);
        assert_eq!(state.status().fetched_at, Some(at(1240)));
        finish(&mut state, set("b"), 1250);
        assert_eq!(state.epoch(at(1250), &TIMES), 6);
        finish(&mut state, set("a"), 1260);
        assert_eq!(state.epoch(at(1260), &TIMES), 8);
    }

    #[test]
    fn attempts_keep_their_distance_unless_the_clock_is_set_back() {
        let mut state = State::default();
        for (seconds, expected) in [
            (1000, true),
            (1000, false),
            (1009, false),
            (1010, true),
            (1019, false),
            (500, true),
            (505, false),
            (510, true),
        ] {
            assert_eq!(state.attempt(at(seconds), &TIMES), expected, "{seconds}");
        }
        assert_eq!(state.status().fetches, 4);
    }
}
