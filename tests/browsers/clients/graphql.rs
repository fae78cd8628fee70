use std::collections::HashMap;

use axum::{Json, Router, extract::Query, routing::get};
use serde_json::{Value, json};

/// Answers the one query of tests/clients/src/graphql.js:
/// <https://graphql.github.io/graphql-over-http/draft/>.
pub(super) fn router() -> Router {
    Router::new().route("/graphql", get(by_url).post(by_body))
}

async fn by_body(Json(request): Json<Value>) -> Json<Value> {
    say(&request["variables"])
}

async fn by_url(Query(request): Query<HashMap<String, String>>) -> Json<Value> {
    let variables = request.get("variables").map(String::as_str);
    say(&serde_json::from_str(variables.unwrap_or_default()).unwrap_or_default())
}

fn say(variables: &Value) -> Json<Value> {
    Json(json!({ "data": { "say": variables["text"] } }))
}
