//! The chat itself, on a host of its own. The token is in `Authorization`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    caller::Caller, hosts::MessagingHost, links::Asked, platform::Platform, refusal::Refusal,
};

/// Where applications are made, and below which they are.
pub(crate) const APPLICATIONS: &str = "/ucwa/psanon/v1/applications";
const BODY_LIMIT: usize = 16 * 1024;

/// Routes without a key in the path: only the token says whose the request is.
pub(crate) fn joining() -> Router<MessagingHost> {
    Router::new().route(APPLICATIONS, post(join))
}

/// Routes with the application's id in the path.
pub(crate) fn applications() -> Router<MessagingHost> {
    Router::new()
        .route(&format!("{APPLICATIONS}/{{application}}"), get(show))
        .route(
            &format!("{APPLICATIONS}/{{application}}/messages"),
            post(echo),
        )
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// A page begins to chat. The body of its request is not used here.
async fn join(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    asked: Asked,
) -> Result<impl IntoResponse, Refusal> {
    let application = platform.applications.begin(&caller)?;
    let links = links(&asked, &application);
    let location = asked.link(&format!("{APPLICATIONS}/{application}"));
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(links),
    ))
}

async fn show(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(application): Path<String>,
    asked: Asked,
) -> Result<Json<Value>, Refusal> {
    platform.applications.check(&application, &caller)?;
    Ok(Json(links(&asked, &application)))
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

async fn echo(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(application): Path<String>,
    message: Result<Json<Message>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    platform.applications.check(&application, &caller)?;
    let Json(message) = message?;
    Ok(Json(json!({
        "applicationSessionId": caller.application_session_id()?,
        "text": message.text,
    })))
}

fn links(asked: &Asked, application: &str) -> Value {
    let href = asked.link(&format!("{APPLICATIONS}/{application}"));
    json!({
        "_links": {
            "messages": { "href": format!("{href}/messages") },
            "self": { "href": href },
        },
        "rel": "application",
    })
}
