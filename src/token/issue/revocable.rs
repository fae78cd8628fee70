use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::{
    revocation::{Revocations, TokenIdentity},
    token::verify::{
        KeysId, TokenRequest, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult,
    },
};

/// A verifier whose tokens can be revoked.
///
/// A token that the inner verifier finds good is refused if its `jti`, or its session, is revoked in
/// the list of [`Revocations`], which names the claim with the session. One that has expired
/// meanwhile is refused, too: its page need not read that it has expired. An id may be a text or a
/// number; `7` and `"7"` are the same. **A token that has neither is refused**, because nothing could
/// revoke it, unless [told otherwise](Self::dangerously_accept_irrevocable); one that another layer has
/// verified counts as revoked.
///
/// [`TokenOrigins`](crate::token::TokenOrigins) asks it about tokens that it remembers, too, so that a
/// revocation is heeded at once. A cache of yours belongs inside, or it would serve revoked ones.
///
/// ```
/// use tower_cors::{
///     revocation::Revocations,
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
///         let claims = Claims::parse(br#"{"jti": "1", "asi": 7}"#).expect("an object");
///         VerifyFuture::ready(Ok(VerifiedToken::new(claims)))
///     }
/// }
///
/// let revocations = Revocations::builder(100).session_claim("asi").build();
/// let verifier = Revocable::new(Always, revocations.clone());
/// let request = http::Request::new(());
/// let verify = || verifier.verify("token", &TokenRequest::from(&request)).into_ready();
/// assert!(matches!(verify(), Ok(Ok(_))));
///
/// revocations.revoke_session("7")?;
/// assert!(matches!(verify(), Ok(Err(VerifyError::Revoked))));
/// # Ok::<(), tower_cors::revocation::RevocationError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct Revocable<V> {
    verifier: V,
    check: Check,
}

#[derive(Clone, Debug)]
struct Check {
    revocations: Revocations,
    accepts_irrevocable: bool,
}

impl<V: TokenVerifier> Revocable<V> {
    /// Tokens that `verifier` finds good, unless they are revoked: in a list of [`Revocations`], or
    /// in that of an [`IssuedIndex`](crate::preflight::IssuedIndex).
    pub fn new(verifier: V, revocations: impl Into<Revocations>) -> Self {
        Self {
            verifier,
            check: Check {
                revocations: revocations.into(),
                accepts_irrevocable: false,
            },
        }
    }

    /// Lets in tokens that have neither a `jti` nor a session, so that nothing but
    /// [their time](Revocations::revoke_issued_until) can revoke them.
    pub fn dangerously_accept_irrevocable(mut self) -> Self {
        self.check.accepts_irrevocable = true;
        self
    }
}

impl<V: TokenVerifier> TokenVerifier for Revocable<V> {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        match self.verifier.verify(token, request).into_ready() {
            Ok(result) => VerifyFuture::ready(self.check.judge(result)),
            Err(verification) => {
                let check = self.check.clone();
                VerifyFuture::new(async move { check.judge(verification.await) })
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
        // First, because the other verifier may remember what the request proves.
        if verified.is_bound() && self.check.state(verified).is_over() {
            return Err(VerifyError::Revoked);
        }
        self.verifier.check_request(token, verified, request)
    }

    fn epoch(&self) -> u64 {
        self.verifier.epoch()
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        self.check.state(token).is_over() || self.verifier.is_revoked(token)
    }

    fn keys_id(&self) -> Option<KeysId> {
        self.verifier.keys_id()
    }
}

enum State {
    Good,
    Revoked,
    /// Nothing could revoke it. Another layer may have verified it, without asking here.
    Irrevocable,
}

impl State {
    fn is_over(&self) -> bool {
        match self {
            Self::Good => false,
            Self::Revoked | Self::Irrevocable => true,
        }
    }
}

impl Check {
    fn judge(&self, result: VerifyResult) -> VerifyResult {
        let (Ok(token) | Err(VerifyError::Expired(token))) = &result else {
            return result;
        };
        match self.state(token) {
            State::Good => result,
            State::Revoked => Err(VerifyError::Revoked),
            State::Irrevocable => {
                let what = "a jti or a session of 1 to 256 bytes, by which it could be revoked";
                Err(VerifyError::UnmetRequirement(what.into()))
            }
        }
    }

    fn state(&self, token: &VerifiedToken) -> State {
        let claims = token.claims();
        let id = claims.get("jti").and_then(id_of);
        let session = claims.get(self.revocations.session_claim()).and_then(id_of);
        if id.is_none() && session.is_none() && !self.accepts_irrevocable {
            return State::Irrevocable;
        }
        let mut identity = TokenIdentity::new();
        if let Some(id) = &id {
            identity = identity.id(id);
        }
        if let Some(session) = &session {
            identity = identity.session(session);
        }
        if let Some(time) = claims.get("iat").and_then(time_of) {
            identity = identity.issued_at(time);
        }
        if let Some(time) = token.expiry() {
            identity = identity.expires_at(time);
        }
        if self.revocations.is_revoked(&identity) {
            State::Revoked
        } else {
            State::Good
        }
    }
}

/// An id as a list of revocations has it: a JSON scalar, of which the spelling does not matter. A
/// longer one than can be revoked is none.
pub(crate) fn id_of(value: &Value) -> Option<Cow<'_, str>> {
    let id: Cow<'_, str> = match value {
        Value::String(text) => text.into(),
        Value::Bool(value) => value.to_string().into(),
        Value::Number(number) => {
            let whole = |number: f64| {
                // Beyond this not every whole number has a spelling of its own.
                (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0)
                    .then(|| format!("{number:.0}"))
            };
            number
                .as_f64()
                .and_then(whole)
                .unwrap_or_else(|| number.to_string())
                .into()
        }
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=Revocations::MAX_ID_LEN)
        .contains(&id.len())
        .then_some(id)
}

/// A `NumericDate` (RFC 7519, section 2), rounded down.
fn time_of(value: &Value) -> Option<SystemTime> {
    let seconds = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds.as_secs()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_scalars() {
        for (value, id) in [
            (json!("7"), Some("7")),
            (json!(7), Some("7")),
            (json!(7.0), Some("7")),
            (json!(7e2), Some("700")),
            (json!(-7), Some("-7")),
            (json!(7.5), Some("7.5")),
            (
                json!(18_446_744_073_709_551_615_u64),
                Some("18446744073709551615"),
            ),
            // As a float it could be either of two numbers.
            (json!(9_007_199_254_740_993_u64), Some("9007199254740993")),
            (json!(9_007_199_254_740_992.0), Some("9007199254740992.0")),
            (json!(true), Some("true")),
            (json!(""), None),
            (json!(null), None),
            (json!(["7"]), None),
            (json!({"id": "7"}), None),
            (json!("x".repeat(257)), None),
        ] {
            assert_eq!(id_of(&value).as_deref(), id, "{value}");
        }
    }
}
