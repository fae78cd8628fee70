//! How long a token matters after it has expired, to all who have to remember it.

use std::time::Duration;

/// How long after its expiry a token may still be accepted, because clocks differ.
pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How long after that a page may still read that its token has expired.
pub(crate) const MAX_EXPIRED_GRACE: Duration = Duration::from_secs(60 * 60);

/// Both: what must not be accepted, or read, is remembered for so long.
pub(crate) const AFTERLIFE: Duration = MAX_LEEWAY.saturating_add(MAX_EXPIRED_GRACE);
