//! GraphQL over HTTP: <https://graphql.github.io/graphql-over-http/draft/>.

use std::collections::HashMap;

use axum::{Json, Router, extract::Query, routing::get};
use http::{Method, header};
use serde_json::{Value, json};
use tower_cors::{CorsLayer, CorsLayerBuilder};

/// Answers one query, `query Say($text: String!) { say(text: $text) }`, without looking at it.
pub(crate) fn router() -> Router {
    Router::new().route("/graphql", get(by_url).post(by_body))
}

/// With credentials, for pages that send the API's cookies.
pub(crate) fn cors(origins: &[String]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
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
