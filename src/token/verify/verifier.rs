use std::{fmt, sync::Arc};

use super::{
    error::{VerifyError, VerifyResult},
    verified_token::VerifiedToken,
};
use crate::policy::{MaybeReady, PolledAgain};

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
/// use tower_cors::token::{
///     TokenVerifier,
///     VerifiedToken,
///     claim::Claims,
///     verify::{VerifyError, VerifyFuture},
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
/// # Ok::<(), tower_cors::token::claim::ClaimsError>(())
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

/// What comes of verifying a token, there already or on its way.
pub type VerifyFuture = MaybeReady<VerifyResult>;

impl From<VerifyResult> for VerifyFuture {
    fn from(result: VerifyResult) -> Self {
        Self::ready(result)
    }
}

impl PolledAgain for VerifyResult {
    fn polled_again() -> Self {
        Err(VerifyError::Unavailable("polled after it was ready"))
    }
}
