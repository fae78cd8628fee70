use std::{sync::Arc, time::SystemTime};

use http::request::Parts;

use super::{
    cache::CachedVerification,
    policy::TokenOrigins,
    verification::{TokenState, TokenVerification},
};
use crate::{
    request::Head,
    token::{
        claim::ClaimReading,
        source::Verified,
        verify::{TokenRequest, VerifiedToken, VerifyError},
    },
};

impl TokenOrigins {
    /// Finds and verifies the token of a request which the layer has not judged, in the same places
    /// and by the same rules: one without an `Origin`, or of the service's own pages.
    ///
    /// A request that the layer of this policy has judged has its [`VerifiedToken`] in its
    /// extensions already, and that one is returned, if it is still good. One that another policy
    /// has left counts only where a source
    /// [says so](crate::token::source::TokenSource::verified_token): a token for another service
    /// proves nothing here. `None` says that there is no token.
    ///
    /// Origins are not checked here; this method authenticates the caller, which CORS does not.
    ///
    /// A [DPoP](crate::token::verify::dpop::Dpop) proof can be used once. A policy that
    /// [abstains](crate::token::MissingClaim::Abstain) on a token without a list uses it up, and
    /// leaves the token for the service only if another policy allows the request. So let that
    /// policy allow the service's own origin, if its pages send such tokens.
    ///
    /// # Errors
    ///
    /// When the token does not verify, has expired or is revoked, when there are different ones, or
    /// when nobody can tell for now.
    ///
    /// ```
    /// use http::{Request, header};
    /// # use tower_cors::token::{
    /// #     TokenVerifier,
    /// #     VerifiedToken,
    /// #     claim::Claims,
    /// #     verify::{TokenRequest, VerifyError, VerifyFuture},
    /// # };
    /// use tower_cors::token::{TokenOrigins, claim::OriginsClaim, source::TokenSource};
    /// # /// Knows one token.
    /// # #[derive(Debug)]
    /// # struct Issuer;
    /// # impl TokenVerifier for Issuer {
    /// #     fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
    /// #         VerifyFuture::ready(match token {
    /// #             "t0k3n" => Ok(VerifiedToken::new(Claims::parse(b"{}").unwrap())),
    /// #             _ => Err(VerifyError::NotAuthentic("unknown")),
    /// #         })
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let tokens = TokenOrigins::builder()
    ///     .verifier(Issuer)
    ///     .source(TokenSource::bearer())
    ///     .claim(OriginsClaim::array("origins"))
    ///     .build()?;
    ///
    /// let request = |credentials: &str| {
    ///     let request = Request::get("/").header(header::AUTHORIZATION, credentials).body(());
    ///     request.map(|request| request.into_parts().0)
    /// };
    /// assert!(tokens.authenticate(&request("Bearer t0k3n")?).await?.is_some());
    /// assert!(tokens.authenticate(&request("Basic dTpw")?).await?.is_none());
    /// assert!(tokens.authenticate(&request("Bearer forged")?).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn authenticate(
        &self,
        parts: &Parts,
    ) -> impl Future<Output = Result<Option<Arc<VerifiedToken>>, VerifyError>> + Send + use<> {
        let started = self.start_authenticating(parts);
        async move {
            match started {
                Started::Done(result) => result,
                Started::Waiting(verifying) => verifying.await.map(Some),
            }
        }
    }

    fn start_authenticating(
        &self,
        parts: &Parts,
    ) -> Started<impl Future<Output = Result<Arc<VerifiedToken>, VerifyError>> + Send + use<>> {
        let tokens = &self.verification;
        let left = parts.extensions.get::<Arc<VerifiedToken>>();
        if let Some(token) = left.filter(|token| token.is_verified_by(tokens.verified_by)) {
            return Started::Done(tokens.still_good(token).map(Some));
        }
        let head = Head::from(parts);
        if let Some(Verified::Token(token)) = self.find_verified(&head) {
            return Started::Done(tokens.still_good(&token).map(Some));
        }
        let (token, verifier) = match (self.find(&head, false), &tokens.verifier) {
            (Err(_), _) => {
                let what = "there is not exactly one token, of a form and length that is allowed";
                return Started::Done(Err(VerifyError::Malformed(what)));
            }
            (Ok(Some(token)), Some(verifier)) => (token, verifier),
            _ => return Started::Done(Ok(None)),
        };
        let request = TokenRequest::from(parts);
        let now = tokens.now();
        match tokens.verify_and_cache(&**verifier, &token, &request, now) {
            Ok(cached) => Started::Done(
                tokens
                    .authenticated(&cached, &token, &request, now)
                    .map(Some),
            ),
            Err(verifying) => {
                let tokens = Arc::clone(tokens);
                let (token, request) = (Box::<str>::from(&*token), request.to_owned_request());
                Started::Waiting(async move {
                    let cached = verifying.await;
                    tokens.authenticated(&cached, &token, &request.view(), tokens.now())
                })
            }
        }
    }
}

enum Started<F> {
    Done(Result<Option<Arc<VerifiedToken>>, VerifyError>),
    Waiting(F),
}

impl TokenVerification {
    fn authenticated(
        &self,
        cached: &CachedVerification,
        text: &str,
        request: &TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<Arc<VerifiedToken>, VerifyError> {
        let known = self.known_state(cached, now);
        good(self.check_request(&known, text, request).unwrap_or(known))
    }

    fn still_good(&self, token: &Arc<VerifiedToken>) -> Result<Arc<VerifiedToken>, VerifyError> {
        // Whom the token lists makes no difference here, so its list is not read.
        good(self.state_of(token, &ClaimReading::Missing, self.now()))
    }
}

fn good(state: TokenState<'_>) -> Result<Arc<VerifiedToken>, VerifyError> {
    match state {
        TokenState::Good(token, _) => Ok(Arc::clone(token)),
        TokenState::Expired(token, _) => Err(VerifyError::Expired((**token).clone())),
        TokenState::Revoked => Err(VerifyError::Revoked),
        TokenState::Refused(error) => Err(error),
    }
}
