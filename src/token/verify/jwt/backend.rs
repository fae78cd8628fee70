//! Which cryptography `jsonwebtoken` works with, found out before the first request.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::JwtKeyError;

/// Runs what needs the backend for the first time.
///
/// `jsonwebtoken` panics at first use where none of its backends is compiled in, or two: better
/// here than in a request.
pub(crate) fn guard<T>(first_use: impl FnOnce() -> T) -> Result<T, JwtKeyError> {
    prefer_backend();
    // The closure changes no state of this crate, so unwinding is safe.
    catch_unwind(AssertUnwindSafe(first_use)).map_err(|_| JwtKeyError::Backend)
}

/// Chooses, also where the application's other crates have turned on the other backend.
pub(crate) fn prefer_backend() {
    #[cfg(feature = "jwt-rust-crypto")]
    // An error says that one is installed already, and the application's choice stays.
    let _installed = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
}
