use std::borrow::Cow;

use crate::{
    preflight::IssuedIndex,
    token::verify::{
        TokenRequest, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult,
    },
};

/// A verifier whose tokens can be revoked in an [`IssuedIndex`].
///
/// A token that the inner verifier finds good is refused if its `jti`, or its session, is revoked
/// in the index. One that has expired meanwhile is so too: its page need not read that it has.
/// [`TokenOrigins`](crate::token::TokenOrigins) asks it about tokens that it remembers, too, so that a
/// revocation is heeded at once. A cache of yours belongs inside, or it would serve revoked ones.
///
/// The index remembers a revocation for as long as a token that is registered there can be accepted.
/// Of tokens that are not, it knows no expiry: see [`IssuedIndex::revoke`].
///
/// ```
/// use tower_cors::{
///     preflight::IssuedIndex,
///     token::{
///         TokenVerifier, VerifiedToken, claim::Claims, issue::Revocable,
///         verify::{TokenRequest, VerifyError, VerifyFuture},
///     },
/// };
///
/// /// Says the same of every token.
/// #[derive(Debug)]
/// struct Always;
///
/// impl TokenVerifier for Always {
///     fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
///         let claims = Claims::parse(br#"{"jti": "1", "asi": "session-7"}"#).expect("an object");
///         VerifyFuture::ready(Ok(VerifiedToken::new(claims)))
///     }
/// }
///
/// let index = IssuedIndex::new(100);
/// let verifier = Revocable::new(Always, index.clone()).session_claim("asi");
/// let request = http::Request::new(());
/// let verify = || verifier.verify("token", &TokenRequest::from(&request)).into_ready();
/// assert!(matches!(verify(), Ok(Ok(_))));
///
/// index.revoke_session("session-7")?;
/// assert!(matches!(verify(), Ok(Err(VerifyError::Revoked))));
/// # Ok::<(), tower_cors::preflight::RegisterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Revocable<V> {
    verifier: V,
    revocations: Revocations,
}

#[derive(Clone, Debug)]
struct Revocations {
    index: IssuedIndex,
    session_claim: Option<Box<str>>,
}

impl<V: TokenVerifier> Revocable<V> {
    /// Tokens that `verifier` finds good, unless they are revoked in `index`.
    pub fn new(verifier: V, index: IssuedIndex) -> Self {
        Self {
            verifier,
            revocations: Revocations {
                index,
                session_claim: None,
            },
        }
    }

    /// Names the claim that holds the session which a token belongs to.
    #[must_use]
    pub fn session_claim(mut self, name: impl Into<Box<str>>) -> Self {
        self.revocations.session_claim = Some(name.into());
        self
    }
}

impl<V: TokenVerifier> TokenVerifier for Revocable<V> {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        match self.verifier.verify(token, request).into_ready() {
            Ok(result) => VerifyFuture::ready(self.revocations.check(result)),
            Err(verification) => {
                let revocations = self.revocations.clone();
                VerifyFuture::new(async move { revocations.check(verification.await) })
            }
        }
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        self.verifier.cache_scope(request)
    }

    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        self.verifier.check_request(token, verified, request)
    }

    fn epoch(&self) -> u64 {
        self.verifier.epoch()
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        self.revocations.holds(token) || self.verifier.is_revoked(token)
    }
}

impl Revocations {
    fn check(&self, result: VerifyResult) -> VerifyResult {
        match &result {
            Ok(token) | Err(VerifyError::Expired(token)) if self.holds(token) => {
                Err(VerifyError::Revoked)
            }
            _ => result,
        }
    }

    fn holds(&self, token: &VerifiedToken) -> bool {
        let text = |name: &str| token.claims().get(name).and_then(|value| value.as_str());
        let session = self.session_claim.as_deref().and_then(text);
        self.index
            .is_revoked(text("jti").unwrap_or_default(), session)
    }
}
