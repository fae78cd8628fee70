//! Who calls, for handlers of the examples whose callers carry tokens.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};

use tower_cors::token::{TokenOrigins, VerifiedToken, verify::VerifyError};

/// Whose request it is.
///
/// The layer leaves the token of a page's request. It judges no request without an `Origin`, of a
/// page of this API or of another server, and so has not looked at its token: CORS is no
/// authentication.
pub(crate) struct Caller(pub(crate) Arc<VerifiedToken>);

impl FromRequestParts<TokenOrigins> for Caller {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        tokens: &TokenOrigins,
    ) -> Result<Self, Response> {
        match tokens.authenticate(parts).await {
            Ok(Some(token)) => Ok(Self(token)),
            Err(VerifyError::Unavailable(_)) => {
                Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
            // The same for a token that is missing, and for one that is not good.
            Ok(None) | Err(_) => {
                let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
                Err((StatusCode::UNAUTHORIZED, challenge).into_response())
            }
        }
    }
}
