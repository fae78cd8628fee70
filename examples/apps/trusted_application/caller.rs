use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tower_cors::{
    OriginSet,
    token::{TokenOrigins, VerifiedToken},
};

use crate::{
    refusal::Refusal,
    tokens::{APPLICATION_SESSION, ORIGINS, SESSION},
};

/// Whose request it is, by its verified token.
///
/// A page's request has been judged by the CORS layer, which has left the token. Other clients send
/// no `Origin`. The layer has not judged them, so their token is verified here.
pub(crate) struct Caller(Arc<VerifiedToken>);

impl Caller {
    /// The id of the token.
    pub(crate) fn token_id(&self) -> Result<&str, Refusal> {
        self.claim("jti")
    }

    /// The session that the token belongs to.
    pub(crate) fn session(&self) -> Result<&str, Refusal> {
        self.claim(SESSION)
    }

    /// What the customer's server calls the session.
    pub(crate) fn application_session_id(&self) -> Result<&str, Refusal> {
        self.claim(APPLICATION_SESSION)
    }

    /// The origins that the token lists, as this service has written them.
    pub(crate) fn origins(&self) -> Result<OriginSet, Refusal> {
        let list = self.claim(ORIGINS)?.split(';');
        OriginSet::parse(list).map_err(|_| Refusal::internal())
    }

    pub(crate) fn expiry(&self) -> Result<SystemTime, Refusal> {
        self.0.expiry().ok_or_else(Refusal::internal)
    }

    pub(crate) fn issued_at(&self) -> Result<SystemTime, Refusal> {
        let seconds = self.0.claims().get("iat").and_then(Value::as_u64);
        let since = Duration::from_secs(seconds.ok_or_else(Refusal::internal)?);
        UNIX_EPOCH.checked_add(since).ok_or_else(Refusal::internal)
    }

    /// A claim that every token of this service has.
    fn claim(&self, name: &str) -> Result<&str, Refusal> {
        let claim = self.0.claims().get(name);
        claim.and_then(Value::as_str).ok_or_else(Refusal::internal)
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    TokenOrigins: FromRef<S>,
{
    type Rejection = InvalidToken;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, InvalidToken> {
        match TokenOrigins::from_ref(state).authenticate(parts).await {
            Ok(Some(token)) => Ok(Self(token)),
            Ok(None) | Err(_) => Err(InvalidToken),
        }
    }
}

/// The same for a token that is missing, and for one that is not good.
pub(crate) struct InvalidToken;

impl IntoResponse for InvalidToken {
    fn into_response(self) -> Response {
        let challenge = "Bearer error=\"invalid_token\"";
        (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, challenge)],
        )
            .into_response()
    }
}
