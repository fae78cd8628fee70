use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{Path, Query},
    http::{StatusCode, header},
    middleware::from_fn,
    response::{Html, IntoResponse},
    routing::{any, get},
};
use tokio::net::TcpListener;

use super::{arrivals::Arrivals, services};

/// The servers of a run: one with the pages, and one for each service.
pub(super) struct Stage {
    /// The origin of the pages.
    pub(super) page: String,
    /// The port of each service.
    pub(super) services: BTreeMap<&'static str, u16>,
    pub(super) arrivals: Arrivals,
}

impl Stage {
    pub(super) async fn build() -> Self {
        let arrivals = Arrivals::default();
        let listener = bind().await;
        let page = format!("http://localhost:{}", port(&listener));
        serve(listener, pages(arrivals.clone()));
        let mut ports = BTreeMap::new();
        for (name, router) in services::all(&page) {
            let listener = bind().await;
            ports.insert(name, port(&listener));
            let arrivals = arrivals.clone();
            let record = from_fn(move |request, next| arrivals.clone().record(request, next));
            serve(listener, router.layer(record));
        }
        Self {
            page,
            services: ports,
            arrivals,
        }
    }
}

/// A page that a service has of its own, for frames.
pub(super) async fn page() -> Html<String> {
    Html(html(""))
}

/// The page as text; where it is not at the pages' own server, with the address of that.
pub(super) fn html(server: &str) -> String {
    include_str!("stage/stage.html").replace("STAGE", server)
}

fn pages(arrivals: Arrivals) -> Router {
    // Chromium treats a page with this directive as one of the public network, wherever it is.
    let public = [(header::CONTENT_SECURITY_POLICY, "treat-as-public-address")];
    let counts = async move |Path(scenario): Path<String>| {
        let anybody = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        (anybody, arrivals.count(&scenario).to_string())
    };
    Router::new()
        .route("/", get(async || Html(html(""))))
        .route("/public", get(async move || (public, Html(html("")))))
        .route("/stage.js", get(script))
        .route("/arrivals/{scenario}", get(counts))
        .route("/redirect", any(redirect))
}

pub(super) async fn script() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript"),
        // Workers with an origin of their own load it as well.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, include_str!("stage/stage.js"))
}

/// Keeps the method and the body.
async fn redirect(Query(target): Query<BTreeMap<String, String>>) -> impl IntoResponse {
    let to = target.get("to").cloned().unwrap_or_default();
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)])
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free")
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it is bound").port()
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}
