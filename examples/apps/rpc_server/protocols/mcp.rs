//! MCP's streamable HTTP:
//! <https://modelcontextprotocol.io/specification/2025-06-18/basic/transports>.

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::post,
};
use http::{HeaderName, Method, StatusCode, header};
use serde_json::{Value, json};
use tower_cors::{CorsLayer, CorsLayerBuilder, DeniedRequests};

const SESSION: &str = "mcp-session-id";

/// A server with one tool.
pub(crate) fn router() -> Router {
    // Without GET, which tells the client that this server sends no messages of its own.
    Router::new().route("/mcp", post(answer).delete(async || StatusCode::NO_CONTENT))
}

pub(crate) fn cors(origins: &[String]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static(SESSION),
            HeaderName::from_static("mcp-protocol-version"),
            HeaderName::from_static("last-event-id"),
        ])
        // A client that cannot read its session id starts another session with each call.
        .expose_headers([HeaderName::from_static(SESSION), header::WWW_AUTHENTICATE])
        // Such a server often runs on a developer's machine, where every page can reach it.
        .denied_requests(DeniedRequests::Refuse)
}

async fn answer(Json(message): Json<Value>) -> Response {
    let Some(id) = message.get("id") else {
        return StatusCode::ACCEPTED.into_response();
    };
    let params = &message["params"];
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": params["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "echo", "version": "1.0.0" },
        }),
        Some("tools/list") => json!({ "tools": [{
            "name": "echo",
            "inputSchema": { "type": "object", "properties": { "text": { "type": "string" } } },
        }] }),
        Some("tools/call") => json!({
            "content": [{ "type": "text", "text": params["arguments"]["text"] }],
        }),
        _ => json!({}),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    ([(SESSION, "1")], Json(answer)).into_response()
}
