//! One whole server, for `scripts/bench-server.sh` to put under load: `server LAYER ORIGINS`.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a bench")]

use axum::{Router, routing::get};
use http::HeaderValue;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, layer, count] = &args[..] else {
        // As `cargo test --benches` runs it.
        println!("usage: server none|tower-cors|tower-http ORIGINS");
        return;
    };
    let count: usize = count.parse().unwrap();
    let origins: Vec<String> = (0..count)
        .map(|i| format!("https://app-{i:06}.example.com"))
        .collect();
    let router = Router::new().route("/orders", get(async || "[]"));
    let router = match layer.as_str() {
        "none" => router,
        "tower-cors" => router.layer(
            tower_cors::CorsLayer::builder()
                .allow_origins(origins)
                .build()
                .unwrap(),
        ),
        "tower-http" => {
            let origins = origins.iter().map(|text| text.parse().unwrap());
            let origins: Vec<HeaderValue> = origins.collect();
            router.layer(tower_http::cors::CorsLayer::new().allow_origin(origins))
        }
        other => panic!("no such layer: {other}"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}
