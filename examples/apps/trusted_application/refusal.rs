use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tower_cors::{
    preflight::RegisterError,
    token::issue::{MintError, RequestedEntryError, RequestedOriginsError},
};

/// Why the service does not do what it is asked for, in words for whoever asks.
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    errors: Vec<Value>,
}

impl Refusal {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The same for what is not there and for what is somebody else's.
    pub(crate) fn not_yours() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "the token is not of this application's session",
        )
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// What is wrong with each entry of a list.
    pub(crate) fn allowed_origins(list: &str, error: &RequestedOriginsError) -> Self {
        let describe = |wrong: &RequestedEntryError| {
            json!({
                "index": wrong.index,
                "entry": list.split(';').nth(wrong.index),
                "message": wrong.kind.to_string(),
            })
        };
        let errors: Vec<Value> = error.entries().iter().map(describe).collect();
        let message = match errors.len() {
            0 => format!("allowedOrigins: {error}"),
            wrong => format!("allowedOrigins: {wrong} entries are wrong"),
        };
        Self {
            errors,
            ..Self::bad_request(message)
        }
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something is wrong with the service",
        )
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            errors: Vec::new(),
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        // The API has one status for every malformed body, JSON or not.
        let status = match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::new(status, rejection.body_text())
    }
}

impl From<MintError> for Refusal {
    fn from(error: MintError) -> Self {
        let status = match error {
            MintError::Lifetime { .. } | MintError::TooLong => StatusCode::BAD_REQUEST,
            // A session that has ended gets no new tokens.
            MintError::Index(RegisterError::Revoked) => StatusCode::CONFLICT,
            MintError::Index(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => return Self::internal(),
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message });
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors);
        }
        (self.status, Json(body)).into_response()
    }
}
