//! Errors of the admin API, in the form of Okta's.

use axum::{
    Json,
    http::{StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_cors::trusted::{entry::EntryError, store::StoreError};

/// An error of the API, as clients get it.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    summary: String,
    cause: Option<String>,
}

impl Problem {
    /// A field is wrong.
    pub(crate) fn field(status: StatusCode, field: &str, cause: String) -> Self {
        Self {
            status,
            code: "E0000001",
            summary: format!("Api validation failed: {field}"),
            cause: Some(cause),
        }
    }

    /// The body is not even read, or is no object of JSON.
    pub(crate) fn malformed(status: StatusCode, cause: String) -> Self {
        Self {
            status,
            code: "E0000003",
            summary: "The request body was not well-formed.".to_owned(),
            cause: Some(cause),
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "E0000011",
            summary: "Invalid token provided".to_owned(),
            cause: None,
        }
    }

    pub(crate) fn misdirected() -> Self {
        Self {
            status: StatusCode::MISDIRECTED_REQUEST,
            code: "E0000006",
            summary: "This is not the admin API of that host: name the host with --host".to_owned(),
            cause: None,
        }
    }

    pub(crate) fn no_endpoint() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "E0000008",
            summary: "The requested path was not found".to_owned(),
            cause: None,
        }
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: "E0000022",
            summary: "The endpoint does not support the provided HTTP method".to_owned(),
            cause: None,
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "E0000007",
            summary: format!("Not found: Resource not found: {what} (TrustedOrigin)"),
            cause: None,
        }
    }
}

impl From<EntryError> for Problem {
    fn from(error: EntryError) -> Self {
        Self::field(StatusCode::BAD_REQUEST, error.field(), error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::NotFound { id } => return Self::not_found(&id.to_string()),
            StoreError::NameTaken { .. }
            | StoreError::OriginTaken { .. }
            | StoreError::Invalid(_) => StatusCode::CONFLICT,
            StoreError::Changed { .. } => StatusCode::PRECONDITION_FAILED,
            _ => {
                return Self {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: "E0000009",
                    summary: "The store takes no edits for now; what was served still is."
                        .to_owned(),
                    cause: Some(error.to_string()),
                };
            }
        };
        Self::field(status, error.field(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let causes: Vec<_> = self
            .cause
            .iter()
            .map(|cause| json!({"errorSummary": cause}))
            .collect();
        let body = Json(json!({
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorCauses": causes,
        }));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                (self.status, [(WWW_AUTHENTICATE, "Bearer")], body).into_response()
            }
            status => (status, body).into_response(),
        }
    }
}
