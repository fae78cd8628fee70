//! Where the chat is: the first thing that a page asks. The token is in the query.

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::get};
use serde_json::json;

use crate::{
    caller::Caller,
    hosts::{ApiHost, MessagingPort},
    links::Asked,
};

pub(crate) fn router() -> Router<ApiHost> {
    Router::new().route("/platformService/discover", get(discover))
}

async fn discover(
    _: Caller,
    State(MessagingPort(port)): State<MessagingPort>,
    asked: Asked,
) -> impl IntoResponse {
    let href = asked.link_at(port, "/ucwa/psanon/v1/applications");
    let answer = json!({ "_links": { "anonApplications": { "href": href } } });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer))
}
