//! What all clones of an index share, and what a revocation removes from it.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{error::RegisterError, live_tokens::LiveTokens, token::Issued};
use crate::{
    lock::{read, write},
    random,
    revocation::{OnRevoked, Revocations, Revoked, seconds},
};

/// How many tokens are removed while a lock is held, so that nobody waits for long.
pub(super) const STEP: usize = 256;

pub(super) struct Shared {
    /// Tells this index from all others, and from itself after a restart.
    pub(super) list: u64,
    pub(super) revocations: Revocations,
    live: RwLock<LiveTokens>,
}

impl Shared {
    /// Holds no tokens yet. A revocation in the list removes the tokens that it names.
    pub(super) fn closed_by(revocations: &Revocations) -> Arc<Self> {
        let shared = Arc::new(Self {
            list: random::number() | 1,
            revocations: revocations.clone(),
            live: RwLock::default(),
        });
        let listener = Arc::downgrade(&shared);
        revocations.on_revoked(listener);
        shared
    }

    /// Inserts a token, unless it is revoked before or meanwhile.
    pub(super) fn put(
        &self,
        token: &Issued,
        put: impl FnOnce(&mut LiveTokens) -> Result<(), RegisterError>,
    ) -> Result<(), RegisterError> {
        let identity = token.identity();
        let is_revoked = || self.revocations.is_revoked(&identity);
        if is_revoked() {
            return Err(RegisterError::Revoked);
        }
        put(&mut self.live_mut())?;
        // A revocation that came meanwhile did not find the token yet.
        if is_revoked() {
            self.live_mut().remove(token.id());
            return Err(RegisterError::Revoked);
        }
        Ok(())
    }

    pub(super) fn now(&self) -> u64 {
        seconds(self.revocations.clock().now())
    }

    pub(super) fn live(&self) -> RwLockReadGuard<'_, LiveTokens> {
        read(&self.live)
    }

    pub(super) fn live_mut(&self) -> RwLockWriteGuard<'_, LiveTokens> {
        write(&self.live)
    }

    fn remove(&self, ids: &[Arc<str>]) {
        for step in ids.chunks(STEP) {
            let mut live = self.live_mut();
            step.iter().for_each(|id| live.remove(id));
        }
    }
}

impl OnRevoked for Shared {
    fn on_revoked(&self, revoked: &Revoked) {
        match revoked {
            Revoked::Token(id) => self.live_mut().remove(id),
            Revoked::Session(session) => {
                let ids = self.live_mut().take_session(session);
                self.remove(&ids);
            }
            // These revoke by time, which is told by the other method.
            Revoked::Unknown(_) => {}
        }
    }

    fn on_issued_until(&self, time: u64) {
        let ids = self.live().issued_until(time);
        self.remove(&ids);
    }
}
