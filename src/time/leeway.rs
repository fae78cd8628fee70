//! How long an expired token matters.

use std::time::Duration;

/// How long after its expiry a token may still be accepted, because clocks differ.
pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How long after that a page may still be told that its token has expired.
pub(crate) const MAX_EXPIRED_GRACE: Duration = Duration::from_secs(60 * 60);

/// Both together. A revoked token must be remembered as long as some verifier might accept it, or
/// answer it as expired.
pub(crate) const REMEMBERED_AFTER_EXPIRY: Duration = MAX_LEEWAY.saturating_add(MAX_EXPIRED_GRACE);
