//! One server: axum's router on hyper, over HTTP/1.1 and HTTP/2, on one thread.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::Child,
};

use axum::{Router, body::Body, routing::get};
use http::{
    HeaderValue, Response,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, VARY},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinSet};
use tower::util::MapResponseLayer;

use crate::common::{Config, Origins, build_layer, build_peer, listed_origin};

/// Serves so many connections.
pub(crate) fn run(layer: &str, origins: usize, connections: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let router = router(layer, origins);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(router.clone());
            serving.spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // Clients end their connections.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
        serving.join_all().await;
    });
}

/// Where a process that does this listens.
pub(crate) fn address(process: &mut Child) -> SocketAddr {
    let mut line = String::new();
    let mut said = BufReader::new(process.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    address.parse().unwrap()
}

/// Finished, as `axum::serve` finishes it.
fn router(layer: &str, count: usize) -> Router {
    let router = Router::new().route("/orders", get(async || "[]"));
    let config = Config::new(Origins::List(count));
    let router = match layer {
        "none" => router,
        "two constant headers" => {
            let origin = HeaderValue::from_str(&listed_origin(0)).unwrap();
            router.layer(MapResponseLayer::new(
                move |mut response: Response<Body>| {
                    let headers = response.headers_mut();
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                    headers.insert(VARY, HeaderValue::from_static("origin"));
                    response
                },
            ))
        }
        "tower-cors" => router.layer(build_layer(&config)),
        "tower-http" => router.layer(build_peer(&config, config.entries())),
        #[cfg(feature = "token")]
        "tower-cors, known token" => router.layer(build_layer(&Config::new(Origins::Token))),
        #[cfg(feature = "trusted")]
        "tower-cors, registry" => router.layer(
            tower_cors::CorsLayer::builder()
                .origin_policy(registry(count))
                .build()
                .unwrap(),
        ),
        other => panic!("no such layer: {other}"),
    };
    router.with_state(())
}

#[cfg(feature = "trusted")]
fn registry(count: usize) -> tower_cors::trusted::registry::OriginRegistry {
    use tower_cors::trusted::{
        entry::{OriginRecord, Version},
        registry::OriginRegistry,
        source::SourceSnapshot,
        store::RegistryWriter,
    };

    let mut load = SourceSnapshot::new();
    for i in 0..count {
        let id = i + 1;
        let name = format!("Application {id}");
        let mut record = OriginRecord::new(&format!("{id:016x}"), &name, &listed_origin(i));
        record.version = id as u64;
        record.scopes = vec!["CORS".to_owned()];
        load.push(record);
    }
    let origins = OriginRegistry::new();
    RegistryWriter::new(&origins)
        .load(load, Version::new(count as u64))
        .unwrap();
    assert_eq!(origins.len(), count);
    origins
}
