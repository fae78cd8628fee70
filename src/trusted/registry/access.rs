//! [`Access`]: what an origin may do.

use crate::trusted::entry::{Scope, Scopes, Status, TrustedOrigin};

/// The permissions of an origin: the sum of all active entries that match it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access(u8);

const CREDENTIALS: u8 = 0x80;

impl Access {
    pub(crate) fn of(entry: &TrustedOrigin) -> Self {
        match entry.status() {
            Status::Active => Self::new(entry.scopes(), entry.allows_credentials()),
            Status::Inactive => Self(0),
        }
    }

    fn new(scopes: Scopes, credentials: bool) -> Self {
        Self(scopes.bits() | if credentials { CREDENTIALS } else { 0 })
    }

    pub(crate) fn allows(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub(crate) fn credentials(self) -> bool {
        self.0 & CREDENTIALS != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
