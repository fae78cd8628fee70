use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use serde_json::Value;

use crate::token::verify::{
    Mismatch, TokenRequest, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult,
    jwt::UnverifiedJwt,
};

/// Verifies the JSON Web Tokens of several issuers, each with its own keys
/// ([RFC 8725, section 3.8](https://www.rfc-editor.org/rfc/rfc8725#section-3.8)).
///
/// The token's `iss`, not yet checked, chooses the issuer; that issuer's verifier checks
/// everything, and the verified `iss` must be the issuer's name. So the keys of one issuer never
/// verify a token of another, and two issuers that share the keys of one verifier do not build. A
/// token of an unknown issuer is refused without a fetch.
///
/// [`IssuersBuilder`](super::IssuersBuilder) has an example, and the
/// [guide](crate::guide::tokens#2-who-verifies-it) the usual issuers.
#[derive(Clone)]
pub struct Issuers {
    verifiers: Arc<[Arc<dyn TokenVerifier>]>,
    /// Which of them, by issuer.
    by_name: Arc<HashMap<Box<str>, usize>>,
}

impl Issuers {
    pub(crate) fn new(
        verifiers: Vec<Arc<dyn TokenVerifier>>,
        by_name: HashMap<Box<str>, usize>,
    ) -> Self {
        Self {
            verifiers: verifiers.into(),
            by_name: Arc::new(by_name),
        }
    }

    /// The issuer that a token names, and its verifier.
    fn choose(&self, token: &str) -> Result<(Box<str>, &Arc<dyn TokenVerifier>), VerifyError> {
        let issuer = UnverifiedJwt::parse(token)?.issuer()?;
        self.verifier_of(issuer.as_deref())
            .map(|(name, verifier)| (name.into(), verifier))
    }

    fn verifier_of<'a>(
        &self,
        issuer: Option<&'a str>,
    ) -> Result<(&'a str, &Arc<dyn TokenVerifier>), VerifyError> {
        let known = issuer.and_then(|name| {
            let index = self.by_name.get(name)?;
            Some((name, self.verifiers.get(*index)?))
        });
        known.ok_or_else(|| {
            let found = issuer.map(Value::from);
            let mut expected: Vec<_> = self.by_name.keys().collect();
            expected.sort_unstable();
            expected.truncate(MAX_NAMED);
            VerifyError::WrongIssuer(Mismatch::new("iss", found.as_ref(), expected))
        })
    }

    /// The verifier of a token that is verified already.
    fn verifier_of_verified(
        &self,
        token: &VerifiedToken,
    ) -> Result<&Arc<dyn TokenVerifier>, VerifyError> {
        let issuer = token.claims().get("iss").and_then(Value::as_str);
        self.verifier_of(issuer).map(|(_, verifier)| verifier)
    }
}

/// How many of the known issuers an error names.
const MAX_NAMED: usize = 4;

impl TokenVerifier for Issuers {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        let (name, verifier) = match self.choose(token) {
            Ok(chosen) => chosen,
            Err(error) => return VerifyFuture::ready(Err(error)),
        };
        match verifier.verify(token, request).into_ready() {
            Ok(result) => VerifyFuture::ready(of_issuer(result, &name)),
            Err(waiting) => VerifyFuture::new(async move { of_issuer(waiting.await, &name) }),
        }
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        let scopes = self.verifiers.iter().map(|it| it.cache_scope(request));
        let mut joined = Cow::Borrowed("");
        for (index, scope) in scopes.enumerate().filter(|(_, scope)| !scope.is_empty()) {
            // Lengths keep two lists of scopes from looking alike.
            let next = format!("{index} {} {scope} ", scope.len());
            joined = Cow::Owned(format!("{joined}{next}"));
        }
        joined
    }

    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        self.verifier_of_verified(verified)?
            .check_request(token, verified, request)
    }

    /// Changes whenever one of the issuers' does.
    fn epoch(&self) -> u64 {
        // A sum could stay the same when one grows and another, whose clock is set back, shrinks.
        let mix = |all: u64, one: u64| all.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(one);
        self.verifiers.iter().map(|it| it.epoch()).fold(0, mix)
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        // A token of no issuer here was verified by somebody else.
        let verifier = self.verifier_of_verified(token);
        verifier.is_ok_and(|verifier| verifier.is_revoked(token))
    }
}

/// Checks that a verified token is of the issuer that it was verified for.
fn of_issuer(result: VerifyResult, name: &str) -> VerifyResult {
    if let Ok(token) | Err(VerifyError::Expired(token)) = &result {
        let issuer = token.claims().get("iss");
        if issuer.and_then(Value::as_str) != Some(name) {
            let mismatch = Mismatch::new("iss", issuer, [name]);
            return Err(VerifyError::WrongIssuer(mismatch));
        }
    }
    result
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers")
            .field("names", &self.by_name.keys())
            .finish_non_exhaustive()
    }
}
