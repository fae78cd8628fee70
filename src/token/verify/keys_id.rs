use std::sync::atomic::{AtomicU64, Ordering};

/// Names the keys that a verifier verifies tokens with: see
/// [`TokenVerifier::keys_id`](crate::token::TokenVerifier::keys_id).
///
/// ```
/// use tower_cors::token::verify::KeysId;
///
/// let keys = KeysId::unique();
/// let of_a_clone = keys;
/// assert_eq!(keys, of_a_clone);
/// assert_ne!(keys, KeysId::unique());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeysId(u64);

impl KeysId {
    /// An id that no other keys of the process have.
    #[must_use]
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
