//! Issuing tokens to customers' servers, and ending their sessions.
//!
//! Server to server: pages have no business here, so nothing here grants anything to an origin.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::JsonRejection},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use serde::Deserialize;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    hosts::ApiHost, links::Asked, platform::Platform, policy::CONTEXT, refusal::Refusal,
    service_application::ServiceApplication, tokens::Order,
};

const TOKENS: &str = "/platformservice/v1/applications/{application}/anonApplicationTokens";
const BODY_LIMIT: usize = 16 * 1024;

pub(crate) fn router() -> Router<ApiHost> {
    Router::new()
        .route(TOKENS, post(issue))
        .route(&format!("{TOKENS}/{{session}}"), delete(revoke))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueQuery {
    endpoint_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueBody {
    application_session_id: String,
    allowed_origins: String,
    /// How long the token is good, if not for an hour.
    lifetime_seconds: Option<u64>,
    /// Whether it has expired already, for those who want to see what happens then.
    #[serde(default)]
    expired: bool,
}

async fn issue(
    _: ServiceApplication,
    State(platform): State<Arc<Platform>>,
    Path(application): Path<String>,
    Query(query): Query<IssueQuery>,
    uri: Uri,
    asked: Asked,
    body: Result<Json<IssueBody>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(body) = body?;
    let token = platform.tokens.mint(&Order {
        application: &application,
        session: &body.application_session_id,
        endpoint: query.endpoint_id.as_deref(),
        allowed_origins: &body.allowed_origins,
        lifetime: body.lifetime_seconds.map(Duration::from_secs),
        expired: body.expired,
    })?;
    let context = token.to_query_value(2);
    let discover = format!("/platformService/discover?{CONTEXT}={context}");
    let expiry = OffsetDateTime::from(token.expiry()).format(&Rfc3339);
    let answer = json!({
        "token": token.as_str(),
        "expiryTime": expiry.map_err(|_| Refusal::internal())?,
        "_links": {
            "self": { "href": asked.link_to(&uri) },
            "service:discover": { "href": asked.link(&discover) },
        },
        "rel": "service:anonApplicationToken",
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

async fn revoke(
    _: ServiceApplication,
    State(platform): State<Arc<Platform>>,
    Path((application, session)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    platform.tokens.revoke(&application, &session)?;
    Ok(StatusCode::NO_CONTENT)
}
