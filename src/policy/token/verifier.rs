use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use super::Claims;
use crate::policy::afterlife::MAX_LEEWAY;

/// Finds out whether a token is authentic, and what it says.
///
/// # Security contract
///
/// * **Return claims only of a token that you have verified**: its signature, or the word of the
///   server that issued it.
/// * **Say expired only of a token that is authentic otherwise.** The page that it names may then
///   read that it has expired.
/// * **Never log the token**, and never make it part of an error.
///
/// ```
/// use std::collections::HashMap;
/// use tower_cors::token::{Claims, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture};
///
/// /// The sessions of this process, by their tokens: unguessable texts.
/// struct Sessions(HashMap<String, Claims>);
///
/// impl std::fmt::Debug for Sessions {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("Sessions") // a derived one would print the tokens
///     }
/// }
///
/// impl TokenVerifier for Sessions {
///     fn verify(&self, token: &str) -> VerifyFuture {
///         let claims = self.0.get(token).cloned();
///         let unknown = VerifyError::NotAuthentic("no such session");
///         VerifyFuture::ready(claims.map(VerifiedToken::new).ok_or(unknown))
///     }
/// }
///
/// let claims = Claims::parse(br#"{"origins": ["https://example.com"]}"#)?;
/// let sessions = Sessions(HashMap::from([("Zx81".to_owned(), claims)]));
/// assert!(matches!(sessions.verify("Zx81").into_ready(), Ok(Ok(_))));
/// assert!(matches!(sessions.verify("Zx80").into_ready(), Ok(Err(VerifyError::NotAuthentic(_)))));
/// # Ok::<(), tower_cors::token::ClaimsError>(())
/// ```
pub trait TokenVerifier: fmt::Debug + Send + Sync + 'static {
    /// Verifies a token, whose length has been checked already.
    ///
    /// A future that is returned must do nothing before it is polled: where another request waits
    /// for the same token already, it is dropped.
    fn verify(&self, token: &str) -> VerifyFuture;

    /// A number that changes when no earlier result must be relied on any more, as when a key was
    /// removed. Results are kept for a while otherwise.
    ///
    /// Provided: always 0, for a verifier whose results hold until they expire.
    fn epoch(&self) -> u64 {
        0
    }

    /// Whether a token that was verified before has been revoked since.
    ///
    /// It is asked with every request whose token is remembered, so it has to know at once.
    /// Provided: no.
    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        let _ = token;
        false
    }
}

// Verifiers are used behind pointers.
const _: Option<&dyn TokenVerifier> = None;

impl<V: TokenVerifier + ?Sized> TokenVerifier for Arc<V> {
    fn verify(&self, token: &str) -> VerifyFuture {
        (**self).verify(token)
    }

    fn epoch(&self) -> u64 {
        (**self).epoch()
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        (**self).is_revoked(token)
    }
}

/// What comes of verifying a token.
pub type VerifyResult = Result<VerifiedToken, VerifyError>;

/// What an authentic token says.
#[derive(Clone)]
pub struct VerifiedToken {
    claims: Arc<Claims>,
    expires_at: Option<SystemTime>,
    leeway: Duration,
    fresh_until: Option<SystemTime>,
}

impl VerifiedToken {
    /// The claims of a token that has been verified.
    pub fn new(claims: Claims) -> Self {
        Self {
            claims: Arc::new(claims),
            expires_at: None,
            leeway: Duration::ZERO,
            fresh_until: None,
        }
    }

    /// Sets when the token ceases to be good.
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Sets how much longer the token is accepted, because its issuer's clock may be ahead. Nothing
    /// that is handed out for it lasts that long. At most 5 minutes; more is taken for that.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(MAX_LEEWAY);
        self
    }

    /// Sets how long this may be believed without asking the verifier again, as where the issuer
    /// may withdraw the token. It is good all the same: who has just been told so need not ask.
    #[must_use]
    pub fn fresh_until(mut self, time: SystemTime) -> Self {
        self.fresh_until = Some(time);
        self
    }

    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// When the token ceases to be good.
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// How long this may be believed without asking the verifier again, if that is not as long as
    /// the token is good.
    pub fn freshness(&self) -> Option<SystemTime> {
        self.fresh_until
    }

    /// Until when something may be remembered or handed out on the strength of the token, or `None`
    /// for ever.
    pub(super) fn end_of(&self, span: Option<SystemTime>) -> Option<SystemTime> {
        [span, self.fresh_until].into_iter().flatten().min()
    }

    /// Until when the token is accepted, or `None` for ever. A leeway that no clock can tell adds
    /// nothing.
    pub(super) fn good_until(&self) -> Option<SystemTime> {
        let expiry = self.expires_at?;
        Some(expiry.checked_add(self.leeway).unwrap_or(expiry))
    }

    /// RFC 7519, section 4.1.4: "on or after which".
    pub(super) fn is_good_at(&self, now: SystemTime) -> bool {
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

/// Why a token is not good. The texts are for the operator and hold nothing of the token.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It does not have the form of a token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Its signature, algorithm or key is wrong, or the issuer does not know it.
    #[error("the token is not authentic: {0}")]
    NotAuthentic(&'static str),
    /// It is authentic, and meant for somebody else, or issued by somebody else.
    #[error("the token is for another audience or of another issuer")]
    Misdirected,
    /// It is authentic, and not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is authentic, and its time is over. `expiry` says since when.
    #[error("the token has expired")]
    Expired(VerifiedToken),
    /// It was authentic, and has been withdrawn.
    #[error("the token has been revoked")]
    Revoked,
    /// Nobody can tell for now: keys or the issuer are out of reach.
    #[error("the token cannot be verified for now: {0}")]
    Unavailable(&'static str),
}

/// What comes of verifying a token, there already or on its way.
#[must_use = "a verification does nothing unless it is waited for"]
pub struct VerifyFuture {
    state: State,
}

enum State {
    Ready(Option<VerifyResult>),
    Waiting(Pin<Box<dyn Future<Output = VerifyResult> + Send>>),
}

impl VerifyFuture {
    /// A result that is there.
    pub fn ready(result: VerifyResult) -> Self {
        Self {
            state: State::Ready(Some(result)),
        }
    }

    /// A result that has to be waited for. The future must own what it needs.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = VerifyResult> + Send + 'static,
    {
        Self {
            state: State::Waiting(Box::pin(future)),
        }
    }

    /// The result, if it is there; else the future again.
    ///
    /// # Errors
    ///
    /// The future, when the result has to be waited for.
    pub fn into_ready(self) -> Result<VerifyResult, Self> {
        match self.state {
            State::Ready(Some(result)) => Ok(result),
            state => Err(Self { state }),
        }
    }
}

impl Future for VerifyFuture {
    type Output = VerifyResult;

    /// A ready result polled again is an error.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<VerifyResult> {
        match &mut self.state {
            State::Ready(result) => {
                let taken = || Err(VerifyError::Unavailable("polled after it was ready"));
                Poll::Ready(result.take().unwrap_or_else(taken))
            }
            State::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for VerifyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Ready(_) => "Ready",
            State::Waiting(_) => "Waiting",
        })
    }
}
