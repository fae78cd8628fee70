//! [`Decision`] as an argument of axum's handlers.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use super::decision::Decision;
use crate::debug_as_display::debug_as_display;

/// What the layer has decided about the request that the handler gets. `Option<Decision>` is `None`
/// where no layer around the handler records decisions.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_cors::{CorsLayer, observe::Decision};
///
/// async fn whoami(decision: Decision) -> String {
///     format!("{decision}")
/// }
///
/// let cors = CorsLayer::builder()
///     .allow_origins(["https://app.example.com"])
///     .record_decisions(true)
///     .build()?;
/// let app: Router = Router::new().route("/", get(whoami)).layer(cors);
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
impl<S: Sync> FromRequestParts<S> for Decision {
    type Rejection = MissingDecision;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingDecision> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(MissingDecision(()))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Decision {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// A handler asks for a [`Decision`], and no layer around it records any: call
/// [`record_decisions`](crate::CorsLayerBuilder::record_decisions). The client gets 500, without
/// this text.
#[derive(thiserror::Error)]
#[error("no CORS layer around the handler records decisions: call `record_decisions(true)`")]
pub struct MissingDecision(());

debug_as_display!(MissingDecision);

impl IntoResponse for MissingDecision {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
