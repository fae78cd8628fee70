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
        verify::{VerifiedToken, VerifyError},
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
    /// #     verify::{VerifyError, VerifyFuture},
    /// # };
    /// use tower_cors::token::{TokenOrigins, claim::OriginsClaim, source::TokenSource};
    /// # /// Knows one token.
    /// # #[derive(Debug)]
    /// # struct Issuer;
    /// # impl TokenVerifier for Issuer {
    /// #     fn verify(&self, token: &str) -> VerifyFuture {
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
                Started::Known(known) => settings.good_of(&known).map(Some),
                Started::Waiting(finding_out) => settings.good_of(&*finding_out.await).map(Some),
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
        Ok(
            match self
                .settings
                .find_out(&**verifier, &token, SystemTime::now())
            {
                Ok(known) => Started::Known(known),
                Err(finding_out) => Started::Waiting(finding_out),
            },
        )
    }
}

/// How far it is known at once.
enum Started<F> {
    NoToken,
    Verified(Arc<VerifiedToken>),
    Known(Arc<Known>),
    Waiting(F),
}

impl Settings {
    fn good_of(&self, known: &Known) -> Result<Arc<VerifiedToken>, VerifyError> {
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
