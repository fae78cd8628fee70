use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{time::MAX_LEEWAY, token::claim::Claims};

/// What an authentic token says.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_cors::token::{VerifiedToken, claim::Claims};
///
/// let claims = Claims::parse(br#"{"email": "ann@example.com"}"#)?;
/// let expiry = SystemTime::now() + Duration::from_secs(600);
/// let token = VerifiedToken::new(claims).expires_at(expiry);
/// assert_eq!(token.claims().get("email").and_then(|it| it.as_str()), Some("ann@example.com"));
///
/// // Claims may be personal, so a log does not have them.
/// assert!(!format!("{token:?}").contains("ann"));
/// # Ok::<(), tower_cors::token::claim::ClaimsError>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed on"]
pub struct VerifiedToken {
    claims: Arc<Claims>,
    is_bound: bool,
    expires_at: Option<SystemTime>,
    leeway: Duration,
    fresh_until: Option<SystemTime>,
    verified_by: Option<VerifiedBy>,
}

/// A policy, by a number that no other one of the process has: who verified a token that is left
/// in a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerifiedBy(u64);

impl VerifiedBy {
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl VerifiedToken {
    /// The claims of a token that has been verified.
    pub fn new(claims: Claims) -> Self {
        Self {
            // Looked up once: every request with the token asks for it.
            is_bound: claims.get("cnf").is_some(),
            claims: Arc::new(claims),
            expires_at: None,
            leeway: Duration::ZERO,
            fresh_until: None,
            verified_by: None,
        }
    }

    /// Sets when the token ceases to be good.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Sets how much longer the token is accepted, because its issuer's clock may be ahead. The
    /// leeway does not prolong what is handed out for the token, such as the answer to a preflight.
    /// At most 5 minutes; a longer one is cut to that.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(MAX_LEEWAY);
        self
    }

    /// Sets until when the result may be cached, as where the issuer may withdraw the token. After
    /// that the verifier is asked again. A token that has just been verified is good even if this
    /// time has passed.
    pub fn fresh_until(mut self, time: SystemTime) -> Self {
        self.fresh_until = Some(time);
        self
    }

    /// Marks the token as verified by this policy. Other policies do not accept it then.
    pub(crate) fn verified_by(mut self, policy: VerifiedBy) -> Self {
        self.verified_by = Some(policy);
        self
    }

    pub(crate) fn is_verified_by(&self, policy: VerifiedBy) -> bool {
        self.verified_by == Some(policy)
    }

    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whether the token is bound to a key that its sender has to prove to hold: whether it has a
    /// `cnf` claim ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)).
    pub fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// When the token ceases to be good.
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Until when the result may be cached, if that is not as long as the token is good.
    pub fn freshness(&self) -> Option<SystemTime> {
        self.fresh_until
    }

    /// The earlier of `span` and the end of the token's freshness, or `None` if neither is set.
    /// Nothing that follows from the token may be cached or handed out for longer.
    pub(crate) fn end_of(&self, span: Option<SystemTime>) -> Option<SystemTime> {
        [span, self.fresh_until].into_iter().flatten().min()
    }

    /// Until when the token is accepted, or `None` for ever. A leeway that no clock can tell adds
    /// nothing.
    pub(crate) fn good_until(&self) -> Option<SystemTime> {
        let expiry = self.expires_at?;
        Some(expiry.checked_add(self.leeway).unwrap_or(expiry))
    }

    /// RFC 7519, section 4.1.4: "on or after which".
    pub(crate) fn is_good_at(&self, now: SystemTime) -> bool {
        self.good_until().is_none_or(|until| now < until)
    }
}

/// Claims may be personal: they are not printed.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("expires_at", &self.expires_at)
            .field("leeway", &self.leeway)
            .field("fresh_until", &self.fresh_until)
            .finish_non_exhaustive()
    }
}
