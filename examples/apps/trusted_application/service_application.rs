use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

/// What customers' servers authenticate with, in this demonstration.
pub(crate) const SECRET: &str = "demo-service-application";

/// A request of a customer's server.
pub(crate) struct ServiceApplication;

impl<S: Send + Sync> FromRequestParts<S> for ServiceApplication {
    type Rejection = Unauthorized;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Unauthorized> {
        let mut lines = parts.headers.get_all(header::AUTHORIZATION).iter();
        let credentials = match (lines.next(), lines.next()) {
            (Some(line), None) => line.to_str().ok(),
            _ => None,
        };
        // RFC 9110, section 11.1: the scheme is case-insensitive.
        match credentials.and_then(|credentials| credentials.split_once(' ')) {
            Some((scheme, SECRET)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(Self),
            _ => Err(Unauthorized),
        }
    }
}

/// 401, as RFC 6750, section 3 has it.
pub(crate) struct Unauthorized;

impl IntoResponse for Unauthorized {
    fn into_response(self) -> Response {
        (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
        )
            .into_response()
    }
}
