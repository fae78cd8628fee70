//! The chats that go on, each by the id that is in its links.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tower_cors::{OriginSet, revocation::TokenIdentity};

use crate::{caller::Caller, key::random_id, refusal::Refusal};

/// How many chats may go on at once.
const MAX_APPLICATIONS: usize = 10_000;
/// How long after its end a chat is remembered, so that its page can read that its time is over.
const GRACE: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(crate) struct Applications(Mutex<HashMap<String, Application>>);

/// A page's part in a chat.
struct Application {
    session: String,
    token_id: String,
    origins: OriginSet,
    issued_at: SystemTime,
    expires_at: SystemTime,
}

impl Applications {
    /// Begins the caller's chat, and returns its id.
    pub(crate) fn begin(&self, caller: &Caller) -> Result<String, Refusal> {
        let application = Application {
            session: caller.session()?.to_owned(),
            token_id: caller.token_id()?.to_owned(),
            origins: caller.origins()?,
            issued_at: caller.issued_at()?,
            expires_at: caller.expiry()?,
        };
        let now = SystemTime::now();
        let mut applications = self.lock();
        applications.retain(|_, application| application.expires_at + GRACE > now);
        if applications.len() >= MAX_APPLICATIONS {
            return Err(Refusal::unavailable("too many chats are going on"));
        }
        let id = random_id();
        applications.insert(id.clone(), application);
        Ok(id)
    }

    /// Whether the chat is of the caller's session. One that does not exist is of nobody's.
    pub(crate) fn check(&self, id: &str, caller: &Caller) -> Result<(), Refusal> {
        let session = caller.session()?;
        match self.lock().get(id) {
            Some(application) if application.session == session => Ok(()),
            _ => Err(Refusal::not_yours()),
        }
    }

    /// The origins whose pages may use the chat, unless its token is revoked.
    pub(crate) fn origins(
        &self,
        id: &str,
        is_revoked: impl FnOnce(&TokenIdentity<'_>) -> bool,
    ) -> Option<OriginSet> {
        let applications = self.lock();
        let application = applications.get(id)?;
        let token = TokenIdentity::new()
            .id(&application.token_id)
            .session(&application.session)
            .issued_at(application.issued_at)
            .expires_at(application.expires_at);
        (!is_revoked(&token)).then(|| application.origins.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Application>> {
        // Every change is a single insertion or removal, so what a panic leaves behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
