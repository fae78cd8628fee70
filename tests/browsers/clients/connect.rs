use axum::{
    Json, Router, body::Bytes, extract::Query, http::StatusCode, response::IntoResponse,
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// `echo.v1.EchoService` in the Connect protocol with JSON messages: <https://connectrpc.com/docs/protocol>.
pub(super) fn router() -> Router {
    Router::new()
        .route("/echo.v1.EchoService/Say", post(say).get(say_by_url))
        .route("/echo.v1.EchoService/Repeat", post(repeat))
        .route("/echo.v1.EchoService/Fail", post(fail))
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
