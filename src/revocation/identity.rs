use std::time::SystemTime;

/// By what a token can be revoked: its id, its session, and its time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::revocation::{Revocations, TokenIdentity};
///
/// let revocations = Revocations::new(100);
/// revocations.revoke_session("chat-7")?;
///
/// let token = TokenIdentity::new().id("token-1").issued_at(SystemTime::now());
/// assert!(revocations.is_revoked(&token.session("chat-7")));
/// assert!(!revocations.is_revoked(&token.session("chat-8")));
/// # Ok::<(), tower_cors::revocation::RevocationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it does nothing until it is passed on"]
pub struct TokenIdentity<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) session: Option<&'a str>,
    pub(super) issued_at: Option<SystemTime>,
    pub(super) expires_at: Option<SystemTime>,
}

impl<'a> TokenIdentity<'a> {
    /// A token of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its id: the claim `jti`.
    pub fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// The session that it belongs to.
    pub fn session(mut self, session: &'a str) -> Self {
        self.session = Some(session);
        self
    }

    /// When it was issued: the claim `iat`. Where that is missing, the longest lifetime before its
    /// expiry counts.
    pub fn issued_at(mut self, time: SystemTime) -> Self {
        self.issued_at = Some(time);
        self
    }

    /// When it expires.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }
}
