//! The set-ups of `tests/data/setups.json`, each built for real.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

use crate::support::{Doctor, PAGE, Server, by_hand, json, reply};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_is_diagnosed_as_chromium_saw_it() {
    let file: Value = serde_json::from_str(include_str!("../data/setups.json")).unwrap();
    let mut wrong = Vec::new();
    let set_ups = file["set_ups"].as_array().unwrap();
    for set_up in set_ups {
        wrong.extend(play(set_up).await);
    }
    assert_eq!(set_ups.len(), 24);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays one; returns what is not as expected.
async fn play(set_up: &Value) -> Option<String> {
    let id = set_up["id"].as_str().unwrap();
    let main = Server::start(server(id)).await;
    // Its second server, where it has one.
    let other = Server::start(items().layer(tower_http(&[PAGE]))).await;
    let report = doctor(set_up, main.address, other.address).run().await;
    let expect = &set_up["expect"];
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect()
    };
    let causes = texts(&expect["cause"]);
    let is_cause = causes.iter().any(|cause| cause == report.cause())
        || causes.is_empty() && report.cause().is_empty();
    let missing: Vec<_> = texts(&expect["fix_contains"])
        .into_iter()
        .filter(|text| !report.advises(text))
        .collect();
    let has_cause = !report.cause().is_empty();
    let code = match (report.verdict(), has_cause) {
        ("network-error", _) => 3,
        (_, true) => 1,
        _ => 0,
    };
    let is_right = report.verdict() == expect["verdict"]
        && is_cause
        && missing.is_empty()
        && report.warnings() == texts(&expect["warnings"])
        && report.code == code
        && console_is_right(set_up, &report.json()["console"])
        && report.json()["evidence"].as_array().unwrap().is_empty() != has_cause;
    let conduct = conduct(&main, set_up);
    (!is_right || conduct.is_some()).then(|| {
        format!(
            "{id}: {} {:?} {:?}, missing {missing:?}, exit code {}, {conduct:?}: {}",
            report.verdict(),
            report.cause(),
            report.warnings(),
            report.code,
            report.stdout,
        )
    })
}

fn console_is_right(set_up: &Value, console: &Value) -> bool {
    let lines = set_up["browser"]["console"].as_array().unwrap();
    match console.as_str() {
        Some(text) if set_up["id"] == "mixed-content" => text.starts_with("Mixed Content: "),
        Some(text) => lines
            .iter()
            .any(|line| line.as_str().unwrap().ends_with(text)),
        None => lines.is_empty(),
    }
}

/// What the server saw that it should not have seen.
fn conduct(server: &Server, set_up: &Value) -> Option<String> {
    let seen = server.seen();
    let requests: Vec<_> = seen
        .iter()
        .filter(|seen| seen.headers.contains_key("authorization"))
        .collect();
    let is_get = set_up["fetch"]["method"] == "GET";
    let unasked = seen
        .iter()
        .filter(|seen| !matches!(seen.method, Method::OPTIONS | Method::GET | Method::HEAD))
        .count();
    if requests.len() > 1 {
        return Some(format!("Authorization was sent {} times", requests.len()));
    }
    if unasked > usize::from(!is_get) || seen.len() > 42 {
        return Some(format!(
            "{} requests, {unasked} of them unasked",
            seen.len()
        ));
    }
    None
}

fn doctor(set_up: &Value, main: SocketAddr, other: SocketAddr) -> Doctor {
    let fetch = &set_up["fetch"];
    let main = if set_up["id"] == "refused" {
        closed()
    } else {
        main
    };
    let mut doctor = Doctor::new(set_up["url"].as_str().unwrap())
        .page(fetch["page"].as_str().unwrap())
        .args(["-X", fetch["method"].as_str().unwrap(), "--send"])
        .at("127.0.0.1:8080", main)
        .at("localhost:8081", other);
    for pair in fetch["headers"].as_array().into_iter().flatten() {
        let line = format!(
            "{}: {}",
            pair[0].as_str().unwrap(),
            pair[1].as_str().unwrap()
        );
        doctor = doctor.args(["-H", &line]);
    }
    for name in fetch["reads"].as_array().into_iter().flatten() {
        doctor = doctor.args(["--reads", name.as_str().unwrap()]);
    }
    if fetch["credentials"] == "include" {
        doctor = doctor.arg("--credentials");
    }
    match fetch["body"].as_str() {
        Some(body) if body.contains('\0') => {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, body.as_bytes()).unwrap();
            let (_, path) = file.keep().unwrap();
            doctor.args(["-d", &format!("@{}", path.display())])
        }
        Some(body) => doctor.args(["-d", body]),
        None => doctor,
    }
}

/// An address on which nobody listens.
fn closed() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn server(id: &str) -> Router {
    let cors = tower_http(&[PAGE]);
    match id {
        "axum-method-route-layer" => {
            Router::new().route("/items", get(items_json).put(items_json).route_layer(cors))
        }
        "axum-layer-before-routes" => Router::new()
            .layer(cors)
            .route("/items", get(items_json).put(items_json)),
        "auth-outside" => items().layer(cors).layer(from_fn(authenticate)),
        "content-type-required-outside" => items().layer(cors).layer(from_fn(demand_json)),
        "panic-caught-outside" => Router::new()
            .route("/report", get(panics))
            .layer(cors)
            .layer(CatchPanicLayer::new()),
        "header-layer-outside" => items().layer(cors).layer(SetResponseHeaderLayer::appending(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        )),
        "origin-http-listed" => items().layer(tower_http(&["http://app.example.com"])),
        "origin-slash-in-list" => items().layer(tower_http(&["https://app.example.com/"])),
        "star-with-credentials" => items().layer(CorsLayer::permissive()),
        "header-missing" | "null-after-redirect" => items().layer(cors),
        "not-exposed" => items()
            .layer(cors)
            .layer(SetResponseHeaderLayer::overriding(
                HeaderName::from_static("x-total-count"),
                HeaderValue::from_static("3"),
            )),
        "no-cors-at-all" | "refused" | "mixed-content" => items(),
        "starts-with" => by_hand(|asked| {
            let origin = asked.origin().filter(|o| o.starts_with(PAGE));
            let mut headers = vec![("vary", "Origin")];
            if let Some(origin) = origin {
                headers.push(("access-control-allow-origin", origin));
                headers.push(("access-control-allow-credentials", "true"));
            }
            json(&headers)
        }),
        "vary-missing" => by_hand(|asked| {
            let listed = [PAGE, "https://admin.example.com"];
            let origin = asked.origin().filter(|origin| listed.contains(origin));
            let mut headers = vec![("cache-control", "public, max-age=60")];
            headers.extend(origin.map(|origin| ("access-control-allow-origin", origin)));
            json(&headers)
        }),
        "options-not-ended" => by_hand(|asked| {
            let headers = [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
                ("access-control-allow-headers", "content-type"),
            ];
            if asked.is_get() {
                json(&headers)
            } else {
                reply(405, &headers)
            }
        }),
        "login-preflight" => items().layer(cors).layer(from_fn(sign_in)),
        "cache-of-another-origin" => cache(),
        "single-page-app" => by_hand(|asked| {
            if asked.path.starts_with("/api/") {
                return json(&[]);
            }
            let mut page = reply(200, &[("content-type", "text/html; charset=utf-8")]);
            *page.body_mut() = "<!doctype html>\n<html><div id=\"root\"></div></html>".into();
            page
        }),
        "grpc-status-not-exposed" => Router::new()
            .route(
                "/shop.Shop/Find",
                post(async || {
                    [
                        ("content-type", "application/grpc-web+proto"),
                        ("grpc-status", "13"),
                    ]
                }),
            )
            .layer(tower_http(&[PAGE])),
        "own-token-of-another-page" => items().layer(own_token()),
        "healthy-401" => items().layer(from_fn(authenticate_old)).layer(cors),
        other => panic!("nobody has built {other}"),
    }
}

/// tower-http with a list of origins, as people write it.
fn tower_http(origins: &[&str]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().map(|o| o.parse().unwrap()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static("x-grpc-web"),
            HeaderName::from_static("x-user-agent"),
        ])
}

fn items() -> Router {
    Router::new()
        .route(
            "/items",
            get(items_json)
                .post(items_json)
                .put(items_json)
                .delete(items_json),
        )
        .route(
            "/download",
            any(async || Redirect::temporary("http://localhost:8081/items")),
        )
}

async fn items_json() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"items":[1,2,3]}"#,
    )
        .into_response()
}

async fn panics() {
    panic!("on purpose")
}

async fn authenticate(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
    )
        .into_response()
}

/// No token is good any more.
async fn authenticate_old(_: Request, _: Next) -> Response {
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
    )
        .into_response()
}

async fn demand_json(request: Request, next: Next) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| value == "application/json") {
        return next.run(request).await;
    }
    StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response()
}

async fn sign_in(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::COOKIE) {
        return next.run(request).await;
    }
    Redirect::to("/login").into_response()
}

/// A cache by URL alone, to which another page came first, in front of a server that reflects two
/// origins.
fn cache() -> Router {
    let kept = Arc::new(std::sync::Mutex::new(std::collections::HashMap::from([(
        "/items".to_owned(),
        Some("https://admin.example.com".to_owned()),
    )])));
    by_hand(move |asked| {
        let key = format!(
            "{}{}",
            asked.path,
            asked.query.as_deref().unwrap_or_default()
        );
        let mut kept = kept.lock().unwrap();
        let known = kept.contains_key(&key);
        let origin = kept
            .entry(key)
            .or_insert_with(|| {
                let listed = [PAGE, "https://admin.example.com"];
                asked
                    .origin()
                    .filter(|o| listed.contains(o))
                    .map(str::to_owned)
            })
            .clone();
        let mut headers = vec![
            ("cache-control", "public, max-age=600"),
            ("x-cache", if known { "HIT" } else { "MISS" }),
            ("server", "nginx"),
        ];
        headers.extend(
            origin
                .as_deref()
                .map(|origin| ("access-control-allow-origin", origin)),
        );
        json(&headers)
    })
}

/// This crate: any preflight passes, and requests are judged by a token, which is another page's.
fn own_token() -> tower_cors::CorsLayer {
    use tower_cors::{OriginPolicy, preflight::Optimistic};
    tower_cors::CorsLayer::builder()
        .origin_policy(TokenOfAnotherPage.with_preflight(Optimistic::new()))
        .denied_requests(tower_cors::DeniedRequests::Refuse)
        .allow_methods([Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .build()
        .unwrap()
}

#[derive(Debug)]
struct TokenOfAnotherPage;

impl tower_cors::OriginPolicy for TokenOfAnotherPage {
    fn judge(&self, _: &tower_cors::CorsRequest<'_>) -> tower_cors::VerdictFuture {
        use tower_cors::{Denial, DenialKind, VerdictFuture};
        VerdictFuture::ready(Denial::new(DenialKind::OriginNotAllowed))
    }

    fn properties(&self) -> tower_cors::policy::PolicyProperties {
        tower_cors::policy::PolicyProperties::new().reads([header::AUTHORIZATION])
    }
}
