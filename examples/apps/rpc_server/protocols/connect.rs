//! The Connect protocol with JSON messages: <https://connectrpc.com/docs/protocol>.

use axum::{Json, Router, body::Bytes, extract::Query, response::IntoResponse, routing::post};
use http::{HeaderName, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_cors::{CorsLayer, CorsLayerBuilder};

/// `echo.v1.EchoService`, as in gRPC.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/echo.v1.EchoService/Say", post(say).get(say_by_url))
        .route("/echo.v1.EchoService/Repeat", post(repeat))
        .route("/echo.v1.EchoService/Fail", post(fail))
}

pub(crate) fn cors(origins: &[String]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        // Connect sends `GET` for calls without side effects, if the client sets `useHttpGet`.
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static("connect-protocol-version"),
            HeaderName::from_static("connect-timeout-ms"),
        ])
}

async fn say(Json(message): Json<Value>) -> Json<Value> {
    Json(message)
}

#[derive(Deserialize)]
struct InUrl {
    message: String,
}

async fn say_by_url(Query(InUrl { message }): Query<InUrl>) -> impl IntoResponse {
    ([("content-type", "application/json")], message)
}

/// The message that is asked with, three times, each in an envelope; then the end of the stream.
async fn repeat(body: Bytes) -> impl IntoResponse {
    let mut answer = Vec::new();
    for _ in 0..3 {
        answer.extend_from_slice(&body);
    }
    let end = b"{}";
    let len = u32::try_from(end.len()).expect("it has two bytes");
    answer.push(0b10);
    answer.extend_from_slice(&len.to_be_bytes());
    answer.extend_from_slice(end);
    ([("content-type", "application/connect+json")], answer)
}

async fn fail() -> impl IntoResponse {
    let error = json!({ "code": "not_found", "message": "no such text" });
    (StatusCode::NOT_FOUND, Json(error))
}
