use std::fmt;

use crate::random::SecretHash;

/// Makes the keys under which results about tokens are remembered.
///
/// A key is a hash under two secrets of the process (SipHash, 128 bits together): who reads the
/// memory or a dump finds no token, and nobody outside can make two tokens that collide.
#[derive(Clone, Default)]
pub(crate) struct TokenKeys {
    secrets: [SecretHash; 2],
}

/// The key of a token in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u64; 2]);

impl TokenKeys {
    pub(crate) fn key(&self, token: &str) -> TokenKey {
        let [first, second] = &self.secrets;
        TokenKey([first.hash_one(token), second.hash_one(token)])
    }

    /// The key of a token whose verification depends on something else, too. The empty scope is
    /// the token alone.
    pub(crate) fn key_in(&self, scope: &str, token: &str) -> TokenKey {
        if scope.is_empty() {
            return self.key(token);
        }
        // A hashed `str` ends in 0xFF, which UTF-8 never has, so no two pairs look alike.
        let [first, second] = &self.secrets;
        TokenKey([
            first.hash_one((scope, token)),
            second.hash_one((scope, token)),
        ])
    }
}

/// The secrets are not printed.
impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys")
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
