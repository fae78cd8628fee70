use std::{sync::Arc, time::SystemTime};

use http::request::Parts;

use super::{
    cache::{Finding, Known},
    judgement::{Settings, Standing},
    policy::TokenOrigins,
};
use crate::{
    origin::RequestOrigin,
    request::CorsRequest,
    token::{
        source::Verified,
        verify::{OwnedTokenRequest, TokenRequest, VerifiedToken, VerifyError},
    },
};

impl TokenOrigins {
    /// Finds and verifies the token of a request which the layer has not judged, in the same places
    /// and by the same rules: one without an `Origin`, or of the service's own pages.
    ///
    /// A request that the layer has judged has its [`VerifiedToken`] in its extensions already, and
    /// that one is returned, if it is still good. `None` says that there is no token. Origins play no part here: CORS is
    /// no authentication, and this is.
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
        let settings = Arc::clone(&self.settings);
        async move {
            match started? {
                Started::NoToken => Ok(None),
                Started::Verified(token) => settings.good(&token).map(Some),
                Started::Known(token) => token.map(Some),
                Started::Waiting(finding_out, text, request) => {
                    let known = finding_out.await;
                    settings.good_of(&known, &text, &request.view()).map(Some)
                }
            }
        }
    }

    fn start_authenticating(
        &self,
        parts: &Parts,
    ) -> Result<Started<impl Future<Output = Arc<Known>> + Send + use<>>, VerifyError> {
        if let Some(token) = parts.extensions.get::<Arc<VerifiedToken>>() {
            return Ok(Started::Verified(Arc::clone(token)));
        }
        // Where a token is does not depend on who sends it.
        let request = CorsRequest::new(parts.into(), &RequestOrigin::Opaque, None);
        if let Some(Verified::Token(token)) = self.find_verified(&request) {
            return Ok(Started::Verified(token));
        }
        let token = self
            .find(&request)
            .map_err(|_| VerifyError::Malformed("there is not exactly one token"))?;
        let (Some(token), Some(verifier)) = (token, &self.settings.verifier) else {
            return Ok(Started::NoToken);
        };
        let settings = &self.settings;
        let view = TokenRequest::from(parts);
        Ok(
            match settings.find_out(&**verifier, &token, &view, SystemTime::now()) {
                Ok(known) => Started::Known(settings.good_of(&known, &token, &view)),
                Err(finding_out) => {
                    Started::Waiting(finding_out, (*token).into(), view.to_owned_request())
                }
            },
        )
    }
}

/// How far it is known at once.
enum Started<F> {
    NoToken,
    Verified(Arc<VerifiedToken>),
    Known(Result<Arc<VerifiedToken>, VerifyError>),
    Waiting(F, Box<str>, OwnedTokenRequest),
}

impl Settings {
    fn good_of(
        &self,
        known: &Known,
        text: &str,
        request: &TokenRequest<'_>,
    ) -> Result<Arc<VerifiedToken>, VerifyError> {
        if let Finding::Good(token, _) | Finding::Expired(token, _) = &known.finding {
            self.check_request(text, token, request)?;
        }
        match &known.finding {
            Finding::Good(token, _) => self.good(token),
            Finding::Expired(token, _) if self.is_revoked(token) => Err(VerifyError::Revoked),
            Finding::Expired(token, _) => Err(VerifyError::Expired((**token).clone())),
            Finding::Refused(error) => Err(error.clone()),
        }
    }

    fn good(&self, token: &Arc<VerifiedToken>) -> Result<Arc<VerifiedToken>, VerifyError> {
        match self.standing(token, SystemTime::now()) {
            Standing::Good => Ok(Arc::clone(token)),
            Standing::Expired => Err(VerifyError::Expired((**token).clone())),
            Standing::Revoked => Err(VerifyError::Revoked),
        }
    }
}
