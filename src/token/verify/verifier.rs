use std::{borrow::Cow, fmt, sync::Arc};

use super::{
    error::{VerifyError, VerifyResult, unmendable},
    keys_id::KeysId,
    request::TokenRequest,
    verified_token::VerifiedToken,
};
use crate::policy::{MaybeReady, PolledAgain};

/// Finds out whether a token is authentic, and what it says.
///
/// Two questions are apart. [`verify`](Self::verify) says what a token is worth, and its result is
/// remembered for a while. [`check_request`](Self::check_request) says whether *this* request may
/// use the token, and is asked for every request.
///
/// # Security contract
///
/// * **Return claims only of a token that you have verified**: its signature, or the word of the
///   server that issued it.
/// * **Say expired only of a token that is authentic otherwise.** The page that it names may then
///   read that it has expired.
/// * **Name in [`cache_scope`](Self::cache_scope) what of the request the result depends on.**
///   Otherwise the result for one request is reused for another.
/// * **Never log the token**, and never make it part of an error.
///
/// ```
/// use std::collections::HashMap;
/// use tower_cors::token::{
///     TokenVerifier,
///     VerifiedToken,
///     claim::Claims,
///     verify::{TokenRequest, VerifyError, VerifyFuture},
/// };
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
///     fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
///         let claims = self.0.get(token).cloned();
///         let unknown = VerifyError::NotAuthentic("no such session");
///         VerifyFuture::ready(claims.map(VerifiedToken::new).ok_or(unknown))
///     }
/// }
///
/// let claims = Claims::parse(br#"{"origins": ["https://example.com"]}"#)?;
/// let sessions = Sessions(HashMap::from([("Zx81".to_owned(), claims)]));
/// let request = http::Request::new(());
/// let verify = |token| sessions.verify(token, &TokenRequest::from(&request)).into_ready();
/// assert!(matches!(verify("Zx81"), Ok(Ok(_))));
/// assert!(matches!(verify("Zx80"), Ok(Err(VerifyError::NotAuthentic(_)))));
/// # Ok::<(), tower_cors::token::claim::ClaimsError>(())
/// ```
pub trait TokenVerifier: fmt::Debug + Send + Sync + 'static {
    /// Verifies a token, whose length has been checked already.
    ///
    /// `request` is the one that the token came with. The result may serve later requests with the
    /// same token and the same [`cache_scope`](Self::cache_scope).
    ///
    /// A future that is returned must do nothing before it is polled: where another request waits
    /// for the same token already, it is dropped. It must own what it needs of the request: see
    /// [`TokenRequest::to_owned_request`].
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture;

    /// The part of the request that the result of [`verify`](Self::verify) depends on, such as the
    /// host where each tenant has keys of its own. Results are cached for each text separately.
    ///
    /// Provided: the empty text, for a verifier that looks at the token alone.
    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        let _ = request;
        Cow::Borrowed("")
    }

    /// Whether the request may use a token that is authentic, as where the token is bound to a key
    /// and the request has to prove that its sender holds it ([RFC 7800]).
    ///
    /// [`TokenOrigins`](crate::token::TokenOrigins) asks it once for every request whose verdict
    /// depends on it, also when it remembers the token: not where the token does not list the
    /// request's origin. Code that calls [`verify`](Self::verify) itself must ask it afterwards.
    ///
    /// Provided: a token with a `cnf` claim is refused, because nothing checks the proof.
    ///
    /// # Errors
    ///
    /// When the request does not prove what the token demands.
    ///
    /// [RFC 7800]: https://www.rfc-editor.org/rfc/rfc7800
    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        let _ = (token, request);
        if verified.is_bound() {
            Err(VerifyError::ProofOfPossession(unmendable::UNCHECKED))
        } else {
            Ok(())
        }
    }

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

    /// The id of the keys that tokens are verified with, which clones of the verifier share: so that
    /// [`Issuers`](crate::token::verify::issuers::Issuers) can refuse two issuers with the same keys,
    /// of which each could sign for the other. A verifier around another one passes its id on.
    ///
    /// Provided: none, for a verifier whose keys nobody else has, or which has none.
    fn keys_id(&self) -> Option<KeysId> {
        None
    }
}

// Verifiers are used behind pointers.
const _: Option<&dyn TokenVerifier> = None;

impl<V: TokenVerifier + ?Sized> TokenVerifier for Arc<V> {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        (**self).verify(token, request)
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        (**self).cache_scope(request)
    }

    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        (**self).check_request(token, verified, request)
    }

    fn epoch(&self) -> u64 {
        (**self).epoch()
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        (**self).is_revoked(token)
    }

    fn keys_id(&self) -> Option<KeysId> {
        (**self).keys_id()
    }
}

/// What comes of verifying a token, there already or on its way.
pub type VerifyFuture = MaybeReady<VerifyResult>;

impl From<VerifyResult> for VerifyFuture {
    fn from(result: VerifyResult) -> Self {
        Self::ready(result)
    }
}

impl PolledAgain for VerifyResult {
    fn polled_again() -> Self {
        Err(VerifyError::Unavailable("polled after it was ready".into()))
    }
}
