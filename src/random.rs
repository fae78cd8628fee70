//! Random numbers: from the operating system, or in a browser or worker from JavaScript.
//!
//! The standard library's [`RandomState`] is the way to the operating system's random numbers that
//! needs no dependency. On `wasm32-unknown-unknown` there is no operating system, and its keys can be
//! guessed there.

use std::hash::{BuildHasher, RandomState};

/// 64 random bits.
pub(crate) fn number() -> u64 {
    // Every new `RandomState` has keys of its own.
    RandomState::new().hash_one(Salt::new())
}

/// What is hashed before everything else: nothing where `RandomState` is random by itself.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[derive(Clone, Copy, Hash)]
struct Salt;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl Salt {
    fn new() -> Self {
        Self
    }
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[derive(Clone, Copy, Hash)]
struct Salt(u64, u64);

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
impl Salt {
    /// Panics where JavaScript has no `crypto`, as the standard library does where the operating
    /// system has no random numbers.
    fn new() -> Self {
        let draw = || getrandom::u64().expect("`crypto.getRandomValues` gives random numbers");
        Self(draw(), draw())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat() {
        let numbers: HashSet<u64> = (0..1000).map(|_| super::number()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
