use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{
        Path, Query, Request, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response, Sse, sse::Event},
    routing::{any, get},
};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::sleep;

use super::{arrivals::Handled, stage};

/// The inner service of every scenario. Each path begins with the number of the scenario.
pub(super) fn router() -> Router {
    let routes = Router::new()
        .route("/hello", any(hello))
        .route("/status/{code}", any(status))
        .route("/sets-its-own", any(sets_its_own))
        .route("/length", any(length))
        .route("/stream", get(stream_slowly))
        .route("/redirect", any(redirect))
        .route("/etag", get(etag))
        .route(
            "/cached",
            get(async || ([(header::CACHE_CONTROL, "max-age=600")], "cached")),
        )
        .route("/set-cookie", any(set_cookie))
        .route("/cookies", any(cookies))
        .route("/events", get(events))
        .route("/socket", any(socket))
        .route(
            "/image.png",
            get(async || ([(header::CONTENT_TYPE, "image/png")], PNG)),
        )
        .route(
            "/font.ttf",
            get(async || ([(header::CONTENT_TYPE, "font/ttf")], FONT)),
        )
        .route(
            "/style.css",
            get(async || ([(header::CONTENT_TYPE, "text/css")], "#x{top:1px}")),
        )
        .route(
            "/script.js",
            get(async || javascript("globalThis.ran = true;")),
        )
        .route(
            "/throws.js",
            get(async || javascript("throw new Error('a secret');")),
        )
        .route(
            "/module.js",
            get(async || javascript("export default 'a module';")),
        )
        .route("/page", get(stage::page));
    Router::new()
        .nest("/{scenario}", routes.layer(from_fn(mark)))
        .route("/stage.js", get(stage::script))
}

/// Tells the record outside of the layer that a handler was called.
async fn mark(request: Request, next: Next) -> Response {
    if let Some(handled) = request.extensions().get::<Handled>() {
        handled.set();
    }
    next.run(request).await
}

async fn hello() -> impl IntoResponse {
    let headers = [
        ("x-exposed", "exposed"),
        ("x-hidden", "hidden"),
        ("content-language", "en"),
        ("cache-control", "no-store"),
    ];
    (headers, "hello")
}

async fn status(Path((_, code)): Path<(String, u16)>) -> impl IntoResponse {
    let code = StatusCode::from_u16(code).expect("scenarios name real codes");
    (code, code.as_str().to_owned())
}

/// A handler with its own idea of the protocol, which the layer replaces.
async fn sets_its_own() -> impl IntoResponse {
    let headers = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
    ];
    (headers, "hello")
}

async fn length(body: Bytes) -> String {
    format!("{} bytes", body.len())
}

/// Three chunks, some time apart.
async fn stream_slowly() -> Body {
    let words = ["one ", "two ", "three"].into_iter();
    Body::from_stream(stream::unfold(words, async |mut words| {
        let word = words.next()?;
        sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, Infallible>(word), words))
    }))
}

#[derive(Deserialize)]
struct Target {
    to: String,
    status: u16,
}

async fn redirect(Query(target): Query<Target>) -> impl IntoResponse {
    let code = StatusCode::from_u16(target.status).expect("scenarios name real codes");
    (code, [(header::LOCATION, target.to)])
}

/// Must be asked again each time, and then says that nothing has changed.
async fn etag(headers: HeaderMap) -> Response {
    let tag = [
        (header::ETAG, "\"v1\""),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v == "\"v1\"")
    {
        (StatusCode::NOT_MODIFIED, tag).into_response()
    } else {
        (tag, "version 1").into_response()
    }
}

/// A cookie for the paths of its scenario.
async fn set_cookie(Path(scenario): Path<String>) -> impl IntoResponse {
    let cookie = format!("session=1; Path=/{scenario}");
    ([(header::SET_COOKIE, cookie)], "set")
}

async fn cookies(headers: HeaderMap) -> String {
    let sent = headers.get(header::COOKIE).map(HeaderValue::to_str);
    match sent {
        Some(Ok(sent)) => sent.to_owned(),
        _ => "no cookie".to_owned(),
    }
}

async fn events() -> impl IntoResponse {
    let event = Event::default().event("greeting").data("hello");
    Sse::new(stream::iter([Ok::<_, Infallible>(event)]))
}

async fn socket(
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(greet),
        Err(rejection) => rejection.into_response(),
    }
}

async fn greet(mut socket: WebSocket) {
    // The page may be gone already, which is no fault.
    let _ = socket.send(Message::text("hello")).await;
    while socket.recv().await.is_some() {}
}

fn javascript(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], text)
}

/// One pixel.
const PNG: &[u8] = include_bytes!("stage/pixel.png");
/// One glyph, a box.
const FONT: &[u8] = include_bytes!("stage/box.ttf");
