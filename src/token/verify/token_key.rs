use highway::{HighwayHash, HighwayHasher, Key};

use crate::random;

/// Makes the keys under which results about tokens are remembered.
///
/// A key is a hash of 128 bits under a secret of the process: who reads the memory or a dump finds no
/// token, and nobody outside can make two tokens that collide. Every request with a token computes
/// one, so the hash is one for long texts: HighwayHash takes a third of the instructions that
/// SipHash-1-3 takes for 700 bytes.
#[derive(Clone)]
pub(crate) struct TokenKeys {
    secret: [u64; 4],
}

/// The key of a token in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u64; 2]);

impl TokenKeys {
    pub(crate) fn key(&self, token: &str) -> TokenKey {
        self.key_in("", token)
    }

    /// The key of a token whose verification depends on something else, too. The empty scope is
    /// the token alone.
    pub(crate) fn key_in(&self, scope: &str, token: &str) -> TokenKey {
        let mut hasher = HighwayHasher::new(Key(self.secret));
        if !scope.is_empty() {
            hasher.append(scope.as_bytes());
            // UTF-8 never has this byte, so no two pairs look alike.
            hasher.append(&[0xFF]);
        }
        hasher.append(token.as_bytes());
        TokenKey(hasher.finalize128())
    }
}

impl Default for TokenKeys {
    fn default() -> Self {
        Self {
            secret: [(); 4].map(|()| random::number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_the_token_and_on_the_secrets() {
        let keys = TokenKeys::default();
        assert_eq!(keys.key("a"), keys.key("a"));
        assert_ne!(keys.key("a"), keys.key("b"));
        assert_ne!(keys.key("a"), TokenKeys::default().key("a"));
        let TokenKey([first, second]) = keys.key("a");
        assert_ne!(first, second);
        assert_eq!(keys.key_in("", "a"), keys.key("a"));
        assert_ne!(keys.key_in("a", "b"), keys.key_in("b", "b"));
        assert_ne!(keys.key_in("a", "bc"), keys.key_in("ab", "c"));
    }
}
