use std::{
    collections::HashSet,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use crate::{
    lock::lock,
    token::verify::{TokenKey, TokenKeys},
};

/// Which proofs have been used, for as long as they could be used again.
///
/// Two generations are kept, each for the lifetime of a proof. So nothing has to be searched for what
/// has lapsed: an old generation goes as a whole.
pub(crate) struct ReplayMemory {
    max: usize,
    lifetime: Duration,
    secrets: TokenKeys,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    since: Option<SystemTime>,
    current: HashSet<TokenKey>,
    previous: HashSet<TokenKey>,
}

/// What is known of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    First,
    Again,
    /// It cannot be remembered, so it must not be used.
    Full,
}

impl ReplayMemory {
    pub(crate) fn new(max: usize, lifetime: Duration) -> Self {
        Self {
            max,
            lifetime,
            secrets: TokenKeys::default(),
            seen: Mutex::default(),
        }
    }

    /// Notes that the holder of the key `thumbprint` has used a proof.
    pub(crate) fn note(&self, thumbprint: &str, jti: &str, now: SystemTime) -> Use {
        let key = self.secrets.key_in(thumbprint, jti);
        // Every statement leaves the sets consistent, so a panic of another thread does no harm.
        let mut seen = lock(&self.seen);
        seen.rotate(now, self.lifetime);
        if seen.current.contains(&key) || seen.previous.contains(&key) {
            Use::Again
        } else if seen.current.len() + seen.previous.len() >= self.max {
            Use::Full
        } else {
            seen.current.insert(key);
            Use::First
        }
    }
}

impl Seen {
    fn rotate(&mut self, now: SystemTime, lifetime: Duration) {
        let since = *self.since.get_or_insert(now);
        match now.duration_since(since) {
            Ok(age) if age < lifetime => return,
            Ok(age) => {
                self.previous = std::mem::take(&mut self.current);
                if age >= lifetime * 2 {
                    self.previous.clear();
                }
            }
            // The clock was set back: what is remembered stays for another lifetime.
            Err(_) => {}
        }
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + seconds)
    }

    #[test]
    fn a_proof_is_remembered_for_its_lifetime() {
        for first in [0, 1, 9, 10, 11, 25] {
            let memory = ReplayMemory::new(100, Duration::from_secs(10));
            memory.note("key", "before", at(0));
            assert_eq!(memory.note("key", "a", at(first)), Use::First);
            for later in 0..10 {
                memory.note("key", &format!("other {later}"), at(first + later));
                assert_eq!(memory.note("key", "a", at(first + later)), Use::Again);
            }
            assert_eq!(memory.note("another key", "a", at(first + 9)), Use::First);
            assert_eq!(memory.note("key", "a", at(first + 30)), Use::First);
        }
    }

    #[test]
    fn what_cannot_be_remembered_is_refused_until_others_have_lapsed() {
        let memory = ReplayMemory::new(2, Duration::from_secs(10));
        assert_eq!(memory.note("key", "a", at(0)), Use::First);
        assert_eq!(memory.note("key", "b", at(1)), Use::First);
        assert_eq!(memory.note("key", "c", at(2)), Use::Full);
        assert_eq!(memory.note("key", "a", at(2)), Use::Again);
        assert_eq!(memory.note("key", "c", at(20)), Use::First);
        // A clock that is set back forgets nothing.
        assert_eq!(memory.note("key", "c", at(0)), Use::Again);
        assert_eq!(memory.note("key", "c", at(9)), Use::Again);
    }
}
