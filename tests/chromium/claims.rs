//! What this crate relies on Chromium for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::json;
use tower_cors::{CorsLayer, CorsLayerBuilder, DeniedRequests};

use crate::{
    browser::{FAILED, Window, in_chromium},
    scene::Scene,
};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const X_A: HeaderName = HeaderName::from_static("x-a");
const X_B: HeaderName = HeaderName::from_static("x-b");

/// A service behind a layer that lets in the pages of another server.
async fn behind(
    page: &Scene,
    configure: impl FnOnce(CorsLayerBuilder) -> CorsLayerBuilder,
) -> Scene {
    let origin = page.url("");
    let cors = configure(CorsLayer::builder().allow_origins([origin.as_str()])).build();
    let service = Router::new().route("/", any(async || "hello"));
    Scene::serve(service.layer(cors.unwrap())).await
}

/// A page that sends one header, then another, and so on.
async fn alternate(window: &Window, service: &Scene) {
    for name in ["x-a", "x-b", "x-a", "x-b", "x-a", "x-b"] {
        let init = json!({ "headers": { name: "1" } });
        let answer = window.fetch(&service.url("/"), init).await;
        assert_eq!(answer["text"], "hello");
    }
}

/// Allows what is asked for and no more, to everybody, for ten minutes.
async fn echo_what_is_asked_for(request: Request) -> Response {
    let mut response = "hello".into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    if let Some(asked) = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

/// Chromium keeps one answer to a preflight per URL, and replaces it whole.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn whole_lists_cost_one_preflight() {
    let page = Scene::blank().await;
    let whole = behind(&page, |cors| {
        cors.allow_headers([X_A, X_B]).max_age(TEN_MINUTES)
    })
    .await;
    let echoing = Scene::serve(Router::new().route("/", any(echo_what_is_asked_for))).await;
    in_chromium(move |window| async move {
        window.open(&page.url("/")).await;
        alternate(&window, &whole).await;
        assert_eq!((whole.preflights(), whole.requests()), (1, 6));
        alternate(&window, &echoing).await;
        assert_eq!((echoing.preflights(), echoing.requests()), (6, 6));
    })
    .await;
}

/// Without a max-age, browsers keep an answer for five seconds; with 0, not at all.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn a_max_age_of_zero_has_every_request_preflighted() {
    let page = Scene::blank().await;
    let service = behind(&page, |cors| {
        cors.allow_headers([X_A]).max_age(Duration::ZERO)
    })
    .await;
    in_chromium(move |window| async move {
        window.open(&page.url("/")).await;
        for _ in 0..3 {
            let init = json!({ "headers": { "x-a": "1" } });
            let answer = window.fetch(&service.url("/"), init).await;
            assert_eq!(answer["text"], "hello");
        }
        assert_eq!((service.preflights(), service.requests()), (3, 3));
    })
    .await;
}

/// A page reads the headers that are exposed to it, and no others.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn only_exposed_headers_are_read() {
    let page = Scene::blank().await;
    let origin = page.url("");
    let cors = CorsLayer::builder()
        .allow_origins([origin.as_str()])
        .expose_headers([X_A])
        .build()
        .unwrap();
    let service = Router::new().route("/", get(async || [(X_A, "a"), (X_B, "b")]));
    let service = Scene::serve(service.layer(cors)).await;
    in_chromium(move |window| async move {
        window.open(&page.url("/")).await;
        let read = "
            const { headers } = await fetch(args[0]);
            return [headers.get('x-a'), headers.get('x-b')];";
        let read = window.run(read, vec![json!(service.url("/"))]).await;
        assert_eq!(read, json!(["a", null]));
    })
    .await;
}

/// An answer that lists what is allowed makes the console name what is not; an answer without
/// lists makes it blame the origin.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn the_console_names_what_is_not_allowed() {
    let page = Scene::blank().await;
    let service = behind(&page, |cors| {
        cors.allow_methods([Method::PUT]).allow_headers([X_A])
    })
    .await;
    in_chromium(move |window| async move {
        window.open(&page.url("/")).await;
        for (init, named) in [
            (
                json!({ "headers": { "x-b": "1" } }),
                "Request header field x-b is not allowed by Access-Control-Allow-Headers",
            ),
            (
                json!({ "method": "PUT", "headers": { "x-a": "1", "authorization": "Bearer x" } }),
                "Request header field authorization is not allowed by Access-Control-Allow-Headers",
            ),
            (
                json!({ "method": "DELETE" }),
                "Method DELETE is not allowed by Access-Control-Allow-Methods",
            ),
            (
                json!({ "method": "put", "headers": { "x-a": "1" }, "credentials": "include" }),
                "The value of the 'Access-Control-Allow-Credentials' header in the response is ''",
            ),
        ] {
            assert_eq!(window.fetch(&service.url("/"), init).await, FAILED);
            window.console.expect(named).await;
        }
        let allowed = json!({ "method": "put", "headers": { "x-a": "1" } });
        assert_eq!(
            window.fetch(&service.url("/"), allowed).await["text"],
            "hello"
        );
        assert_eq!((service.preflights(), service.requests()), (5, 1));
    })
    .await;
}

/// Named, `Authorization` is allowed; and credentials where both answers say so.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn authorization_and_credentials_are_allowed_by_name() {
    let page = Scene::blank().await;
    let bearer = behind(&page, |cors| cors.allow_headers([header::AUTHORIZATION])).await;
    let cookies = behind(&page, |cors| {
        cors.allow_credentials(true).allow_headers([X_A])
    })
    .await;
    in_chromium(move |window| async move {
        window.open(&page.url("/")).await;
        let init = json!({ "headers": { "Authorization": "Bearer x" } });
        assert_eq!(window.fetch(&bearer.url("/"), init).await["text"], "hello");
        let init = json!({ "headers": { "x-a": "1" }, "credentials": "include" });
        assert_eq!(window.fetch(&cookies.url("/"), init).await["text"], "hello");
        // A request that needs no preflight is sent, and its answer kept from the page.
        let init = json!({ "credentials": "include" });
        assert_eq!(window.fetch(&bearer.url("/"), init).await, FAILED);
        assert_eq!(bearer.requests(), 2);
    })
    .await;
}

/// Pages of one site share Chromium's HTTP cache, whatever their origins: `Vary` keeps them apart.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn vary_keeps_sibling_origins_apart_in_the_cache() {
    let page = Scene::blank().await;
    let origins = [
        page.url_at("a.example.localhost", ""),
        page.url_at("b.example.localhost", ""),
    ];
    let cached = || {
        let headers = [(header::CACHE_CONTROL, "max-age=600")];
        Router::new().route("/", get(async move || (headers, "hello")))
    };
    let cors = CorsLayer::builder()
        .allow_origins(&origins)
        .build()
        .unwrap();
    let with_vary = Scene::serve(cached().layer(cors.clone())).await;
    let without_vary = Scene::serve(cached().layer(cors).layer(map_response(remove_vary))).await;
    in_chromium(move |window| async move {
        for (origin, requests) in [(&origins[0], 1), (&origins[1], 2)] {
            window.open(origin).await;
            for _ in 0..2 {
                let answer = window.fetch(&with_vary.url("/"), json!({})).await;
                assert_eq!(answer["text"], "hello");
            }
            assert_eq!(with_vary.requests(), requests);
        }

        window.open(&origins[0]).await;
        let answer = window.fetch(&without_vary.url("/"), json!({})).await;
        assert_eq!(answer["text"], "hello");
        window.open(&origins[1]).await;
        assert_eq!(
            window.fetch(&without_vary.url("/"), json!({})).await,
            FAILED
        );
        assert_eq!(without_vary.requests(), 1);
    })
    .await;
}

async fn remove_vary(mut response: Response) -> Response {
    response.headers_mut().remove(header::VARY);
    response
}

/// A refusal stops what CORS alone does not: a request that needs no preflight, and a WebSocket. It
/// spares the service's own pages, which send `Origin` too.
#[tokio::test]
#[ignore = "needs chromium and chromedriver: run scripts/chromium.sh"]
async fn refusing_stops_other_sites_and_spares_the_own_pages() {
    let foreign = Scene::blank().await;
    let own_page = async || axum::response::Html("<link rel=icon href='data:,'>own");
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let effect = async move |_: Request| {
        counter.fetch_add(1, Ordering::SeqCst);
        StatusCode::NO_CONTENT
    };
    let cors = CorsLayer::builder()
        .allow_origins(["https://somebody.example"])
        .denied_requests(DeniedRequests::Refuse)
        .build()
        .unwrap();
    let router = Router::new()
        .route("/", get(own_page))
        .route("/effect", any(effect));
    let service = Scene::serve(router.layer(cors)).await;
    in_chromium(move |window| async move {
        let effect = service.url("/effect");
        let simple = json!({ "method": "POST", "body": "text", "mode": "no-cors" });
        window.open(&foreign.url("/")).await;
        window.fetch(&effect, simple.clone()).await;
        let socket = "
            const socket = new WebSocket(args[0]);
            return await new Promise((done) => { socket.onerror = () => done('refused'); });";
        let url = effect.replace("http:", "ws:");
        assert_eq!(window.run(socket, vec![json!(url)]).await, "refused");
        assert_eq!((service.requests(), reached.load(Ordering::SeqCst)), (2, 0));

        window.open(&service.url("/")).await;
        let answer = window
            .fetch(&effect, json!({ "method": "POST", "body": "text" }))
            .await;
        assert_eq!(answer["status"], 204);
        assert_eq!(reached.load(Ordering::SeqCst), 1);
    })
    .await;
}
