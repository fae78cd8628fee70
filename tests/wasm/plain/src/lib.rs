//! The features that need nothing of the host: the module has no imports, so it runs wherever
//! WebAssembly does. `tests/wasm/run.mjs` compares what [`play`] writes.

mod heard;
mod played;

use std::{convert::Infallible, ffi::CString, os::raw::c_char};

use axum::{Router, routing::MethodRouter};
use http::{HeaderValue, Method, Request, Response, header::HeaderName};
use tower::{Layer, service_fn};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, DeniedRequests, Origin,
    config::CorsConfig,
    routes::{MethodCorsRouter, MethodRule},
    test_util::Fetch,
};

use self::played::{finish, get, play_on, preflight};

type Failure = Box<dyn std::error::Error>;

const PAGE: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

/// Plays everything. The text ends in a NUL, and stays where it is.
#[unsafe(no_mangle)]
pub extern "C" fn play() -> *const c_char {
    let text = everything().unwrap_or_else(|error| format!("failed: {error}"));
    CString::new(text).expect("no answer has a NUL").into_raw()
}

fn everything() -> Result<String, Failure> {
    let mut lines = Vec::new();
    let layer = list().build()?;
    lines.push(play_on("allowed", &layer, get(PAGE)?)?);
    lines.push(play_on("forwarded", &layer, get(STRANGER)?)?);
    lines.push(play_on("preflight", &layer, preflight(PAGE, "PUT", "x-a")?)?);
    lines.push(play_on("preflight for less", &layer, preflight(PAGE, "DELETE", "x-b")?)?);
    lines.push(play_on("preflight refused", &layer, preflight(STRANGER, "PUT", "x-a")?)?);
    lines.push(play_on("no origin", &layer, Request::get("/").body(String::new())?)?);
    let refusing = list().denied_requests(DeniedRequests::Refuse).build()?;
    lines.push(play_on("refused", &refusing, get(STRANGER)?)?);

    let mistakes = CorsLayer::builder()
        .allow_origins(["https://bücher.example"])
        .build();
    lines.push(format!("mistakes: {}", mistakes.err().ok_or("it is built")?));

    let file: CorsConfig = serde_json::from_str(r#"{"allow_origins": ["https://*.file.example"]}"#)?;
    let layer = file.into_builder().build()?;
    lines.push(play_on("from a file", &layer, get("https://a.file.example")?)?);

    let (layer, handle) = list().build()?.reloadable();
    handle.reload(CorsLayer::builder().allow_origins([STRANGER]))?;
    lines.push(play_on("reloaded", &layer, get(STRANGER)?)?);

    let thing: MethodRouter = MethodCorsRouter::new()
        .get(async || "read", MethodRule::public_any_origin())
        .build()?;
    let routes = Router::new().route("/", thing);
    let routed = finish(tower::ServiceExt::oneshot(routes, get::<axum::body::Body>(STRANGER)?))??;
    lines.push(played::line("axum", &routed));

    lines.push(fetched(PAGE)?);
    lines.push(fetched(STRANGER)?);
    lines.push(flooded()?);
    Ok(lines.join("\n"))
}

fn list() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins([PAGE])
        .allow_credentials(true)
        .allow_methods(["PUT"])
        .allow_headers(["x-a"])
        .expose_headers(["x-b"])
}

/// A page's `fetch` that is preceded by a preflight.
fn fetched(page: &str) -> Result<String, Failure> {
    let service = list().build()?.layer(service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new("hello".to_owned()))
    }));
    let origin: Origin = page.parse()?;
    let fetch = Fetch::new(origin, Method::PUT, "/".parse()?)
        .header(HeaderName::from_static("x-a"), HeaderValue::from_static("1"));
    let outcome = finish(fetch.play(service, String::new()))??;
    Ok(match outcome.into_readable() {
        Ok(response) => format!("{page} reads {}", response.body()),
        Err(failure) => format!("{page} fails: {failure}"),
    })
}

/// Nothing says what time it is, so every refusal is an event.
fn flooded() -> Result<String, Failure> {
    let layer = list().denied_requests(DeniedRequests::Refuse).build()?;
    let heard = heard::during(|| (0..30).try_for_each(|_| play_on("", &layer, get(STRANGER)?).map(drop)));
    let (number, last) = heard?;
    Ok(format!("{number} events: {last}"))
}
