use std::{
    collections::{HashMap, HashSet},
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
    limits: ReplayLimits,
    lifetime: Duration,
    secrets: TokenKeys,
    seen: Mutex<Seen>,
}

/// How many proofs are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplayLimits {
    pub(crate) all: usize,
    pub(crate) each_key: usize,
}

#[derive(Default)]
struct Seen {
    since: Option<SystemTime>,
    current: Generation,
    previous: Generation,
}

#[derive(Default)]
struct Generation {
    proofs: HashSet<TokenKey>,
    /// How many of them are of each key that has signed any.
    of_key: HashMap<TokenKey, usize>,
}

/// What is known of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    First,
    Again,
    /// It cannot be remembered, so it must not be used.
    Full,
    /// As [`Full`](Self::Full), for this key alone.
    KeyFull,
}

impl ReplayMemory {
    pub(crate) fn new(limits: ReplayLimits, lifetime: Duration) -> Self {
        Self {
            limits,
            lifetime,
            secrets: TokenKeys::default(),
            seen: Mutex::default(),
        }
    }

    /// Notes that the holder of the key `thumbprint` has used a proof.
    pub(crate) fn note(&self, thumbprint: &str, jti: &str, now: SystemTime) -> Use {
        let signer = self.secrets.key(thumbprint);
        let proof = self.secrets.key_in(thumbprint, jti);
        // A panic of another thread leaves at worst a count that is too high, until it lapses.
        let mut seen = lock(&self.seen);
        seen.rotate(now, self.lifetime);
        let Seen {
            current, previous, ..
        } = &mut *seen;
        if current.proofs.contains(&proof) || previous.proofs.contains(&proof) {
            Use::Again
        } else if current.of(signer) + previous.of(signer) >= self.limits.each_key {
            Use::KeyFull
        } else if current.proofs.len() + previous.proofs.len() >= self.limits.all {
            Use::Full
        } else {
            *current.of_key.entry(signer).or_default() += 1;
            current.proofs.insert(proof);
            Use::First
        }
    }
}

impl Generation {
    fn of(&self, signer: TokenKey) -> usize {
        self.of_key.get(&signer).copied().unwrap_or(0)
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
                    self.previous = Generation::default();
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

    fn memory(all: usize, each_key: usize) -> ReplayMemory {
        ReplayMemory::new(ReplayLimits { all, each_key }, Duration::from_secs(10))
    }

    #[test]
    fn a_proof_is_remembered_for_its_lifetime() {
        for first in [0, 1, 9, 10, 11, 25] {
            let memory = memory(100, 100);
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
        let memory = memory(2, 2);
        assert_eq!(memory.note("key", "a", at(0)), Use::First);
        assert_eq!(memory.note("key", "b", at(1)), Use::First);
        assert_eq!(memory.note("key", "c", at(2)), Use::KeyFull);
        assert_eq!(memory.note("another key", "c", at(2)), Use::Full);
        assert_eq!(memory.note("key", "a", at(2)), Use::Again);
        assert_eq!(memory.note("key", "c", at(20)), Use::First);
        // A clock that is set back forgets nothing.
        assert_eq!(memory.note("key", "c", at(0)), Use::Again);
        assert_eq!(memory.note("key", "c", at(9)), Use::Again);
    }

    #[test]
    fn a_key_has_a_share_of_both_generations() {
        let memory = memory(100, 2);
        assert_eq!(memory.note("key", "a", at(0)), Use::First);
        // The next generation: the first proof still counts.
        assert_eq!(memory.note("key", "b", at(10)), Use::First);
        assert_eq!(memory.note("key", "c", at(11)), Use::KeyFull);
        assert_eq!(memory.note("another key", "c", at(11)), Use::First);
        assert_eq!(memory.note("key", "c", at(20)), Use::First);
        assert_eq!(memory.note("key", "d", at(20)), Use::KeyFull);
    }
}
