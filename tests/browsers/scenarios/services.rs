use std::{
    future::{Ready, ready},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, map_response},
    response::{IntoResponse, Response},
};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, Denial, DenialKind, DeniedRequests, Grant, Verdict,
    VerdictFuture, policy_fn,
};

use super::handlers;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const SOMEBODY: &str = "https://somebody.example";
const X_A: HeaderName = HeaderName::from_static("x-a");

/// The services that scenarios name. `page` is the origin of the page.
pub(super) fn all(page: &str) -> Vec<(&'static str, Router)> {
    let behind = |cors: CorsLayerBuilder| {
        let layer = cors.build().expect("the configuration is valid");
        handlers::router().layer(layer)
    };
    let from = |origin: &str| CorsLayer::builder().allow_origins([origin]);
    vec![
        ("list", behind(list(page))),
        ("credentials", behind(list(page).allow_credentials(true))),
        ("bare", behind(from(page))),
        ("any", behind(any())),
        (
            "any-bearer",
            behind(any().allow_headers(["*", "authorization"])),
        ),
        ("head", behind(list(page).allow_methods([Method::HEAD]))),
        ("no-age", behind(from(page).allow_headers([X_A]))),
        ("age-0", behind(list(page).max_age(Duration::ZERO))),
        (
            "status-200",
            behind(list(page).preflight_status(StatusCode::OK)),
        ),
        (
            "null",
            behind(list_of([page, "null"]).dangerously_allow_null_origin()),
        ),
        ("siblings", behind(from("http://*.example.localhost:*"))),
        ("siblings-without-vary", {
            let router = behind(from("http://*.example.localhost:*"));
            router.layer(map_response(without(header::VARY)))
        }),
        ("waiting", behind(waiting(page))),
        ("by-value", behind(by_value())),
        ("others", behind(from(SOMEBODY))),
        ("refusing", behind(refusing(list(SOMEBODY)))),
        ("refusing-list", behind(refusing(list(page)))),
        (
            "refusing-credentials",
            behind(refusing(list(page).allow_credentials(true))),
        ),
        // Without the layer, and with mistakes that it prevents or cannot.
        ("no-layer", handlers::router()),
        ("echo", handlers::router().layer(from_fn(echo))),
        (
            "name-and-star",
            handlers::router().layer(from_fn(name_and_star)),
        ),
        (
            "star-and-credentials",
            handlers::router().layer(map_response(star_and_credentials)),
        ),
        (
            "behind-a-proxy",
            behind(list(page)).layer(map_response(second_allow_origin)),
        ),
        (
            "fixed-to-another",
            handlers::router().layer(map_response(fixed_to_another)),
        ),
        ("invalid", handlers::router().layer(map_response(invalid))),
        (
            "redirecting",
            handlers::router().layer(from_fn(redirect_preflights)),
        ),
        ("behind-a-login", behind(list(page)).layer(from_fn(login))),
    ]
}

fn list(origin: &str) -> CorsLayerBuilder {
    list_of([origin])
}

fn list_of<const N: usize>(origins: [&str; N]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        .allow_methods([Method::PUT, Method::DELETE, Method::PATCH])
        .allow_headers(["x-a", "x-b", "content-type", "authorization", "range"])
        .expose_headers(["x-exposed"])
        .max_age(TEN_MINUTES)
}

fn any() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(Any)
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
        .max_age(TEN_MINUTES)
}

fn refusing(cors: CorsLayerBuilder) -> CorsLayerBuilder {
    cors.denied_requests(DeniedRequests::Refuse)
}

/// A policy that waits before it judges, as one that asks a store does.
fn waiting(page: &str) -> CorsLayerBuilder {
    let page = page.to_owned();
    let policy = policy_fn(move |request| {
        let is_page = request
            .origin()
            .tuple()
            .is_some_and(|origin| origin.as_str() == page);
        VerdictFuture::new(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if is_page {
                Verdict::Allow(Grant::new())
            } else {
                Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
            }
        })
    });
    CorsLayer::builder()
        .origin_policy(policy)
        .allow_headers([X_A])
}

/// A policy that allows each preflight and not each request after it.
fn by_value() -> CorsLayerBuilder {
    let policy = policy_fn(|request| {
        if request
            .headers()
            .get(X_A)
            .is_some_and(|value| value == "no")
        {
            Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
        } else {
            Verdict::Allow(Grant::new())
        }
    });
    let cors = CorsLayer::builder().origin_policy(policy);
    cors.allow_headers([X_A]).max_age(TEN_MINUTES)
}

/// Allows the headers that are asked for and no more, to everybody.
async fn echo(request: Request, next: Next) -> Response {
    let asked = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned();
    allow_headers(asked, request, next).await
}

/// A name for the caches that do not find `*`.
async fn name_and_star(request: Request, next: Next) -> Response {
    let names = HeaderValue::from_static("x-a, *");
    allow_headers(Some(names), request, next).await
}

async fn allow_headers(names: Option<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        Response::default()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
    if let Some(names) = names {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    response
}

/// This crate's builder refuses to build it.
async fn star_and_credentials(mut response: Response) -> Response {
    let headers = response.headers_mut();
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    response
}

/// A proxy before the layer that adds the header once more.
async fn second_allow_origin(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(value) = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned() {
        headers.append(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    response
}

/// The same origin for every page, and not the page's own.
async fn fixed_to_another(mut response: Response) -> Response {
    set(
        response.headers_mut(),
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        SOMEBODY,
    );
    response
}

async fn invalid(mut response: Response) -> Response {
    set(
        response.headers_mut(),
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        "localhost",
    );
    response
}

/// As a server does that adds a slash or enforces HTTPS before the layer.
async fn redirect_preflights(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/")]).into_response()
    } else {
        next.run(request).await
    }
}

/// Authentication before the layer: preflights carry no credentials, so none passes.
async fn login(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        next.run(request).await
    } else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response
    }
}

fn without(name: HeaderName) -> impl Clone + FnMut(Response) -> Ready<Response> {
    move |mut response| {
        response.headers_mut().remove(&name);
        ready(response)
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
