use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

const SESSION: &str = "mcp-session-id";

/// One tool over MCP's streamable HTTP:
/// <https://modelcontextprotocol.io/specification/2025-06-18/basic/transports>.
pub(super) fn router() -> Router {
    // Without GET, which tells the client that this server sends no messages of its own.
    Router::new().route("/mcp", post(answer).delete(async || StatusCode::NO_CONTENT))
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
