//! The layers beside CORS in front of a real axum server: what is on the wire, in HTTP/1.1 and h2.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::ws::WebSocketUpgrade,
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower_cors::{fetch_metadata::FetchMetadataLayer, host::HostLayer};

use crate::support::sockets::serve;

/// A server with both layers, and a count of what reaches its handlers.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = || {
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    };
    let (on_get, on_post, on_socket) = (count(), count(), count());
    let app = Router::new()
        .route("/", get(async move || on_get()))
        .route("/transfer", post(async move || on_post()))
        .route(
            "/socket",
            any(async move |upgrade: WebSocketUpgrade| {
                on_socket();
                upgrade.on_upgrade(async |_| ())
            }),
        )
        .layer(FetchMetadataLayer::builder().build().unwrap())
        .layer(
            HostLayer::builder()
                .allow_hosts(["api.example", "localhost:*"])
                .build()
                .unwrap(),
        );
    (serve(app).await, calls)
}

/// The status and all header lines but `date`, in order of the names.
async fn raw(at: SocketAddr, request: &str) -> (u16, Vec<String>) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("{}\r\n\r\n", request.replace('\n', "\r\n"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A socket that was upgraded stays open, so read the head only.
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    let mut lines = answer.trim_end().lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut lines: Vec<String> = lines
        .filter(|line| !line.starts_with("date:"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    (status.parse().unwrap(), lines)
}

const VARY: &str = "vary: sec-fetch-site,sec-fetch-mode,sec-fetch-dest,origin";

#[tokio::test]
async fn a_rebound_name_does_not_reach_the_handler() {
    let (at, calls) = server().await;
    let refused = ["cache-control: no-store", "content-length: 0"];
    for (head, status) in [
        ("GET / HTTP/1.1\nhost: evil.example", 421),
        ("GET / HTTP/1.1\nhost: evil.example:80", 421),
        ("GET http://evil.example/ HTTP/1.1\nhost: api.example", 421),
        ("GET http://api.example/ HTTP/1.1\nhost: evil.example", 400),
        ("GET / HTTP/1.1\nhost: api.example\nhost: evil.example", 400),
        ("GET / HTTP/1.1\nhost: api.example\nHOST: api.example", 400),
        ("GET / HTTP/1.1\nhost: ", 400),
        ("GET / HTTP/1.1\nx-forwarded-host: api.example", 400),
    ] {
        let (answered, lines) = raw(at, head).await;
        assert_eq!(
            (answered, &*lines),
            (status, &refused.map(str::to_owned)[..]),
            "{head}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for (n, head) in [
        "GET / HTTP/1.1\nhost: api.example",
        "GET / HTTP/1.1\nhost: API.example.:80",
        "GET http://api.example/ HTTP/1.1\nhost: api.example",
        "GET / HTTP/1.1\nhost: localhost:5173",
    ]
    .into_iter()
    .enumerate()
    {
        let (status, lines) = raw(at, head).await;
        assert_eq!(
            (status, &*lines),
            (200, &["content-length: 0".to_owned(), VARY.to_owned()][..])
        );
        assert_eq!(calls.load(Ordering::SeqCst), n + 1, "{head}");
    }
}

#[tokio::test]
async fn http2_names_its_host_in_authority() {
    let (at, calls) = server().await;
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Empty<Bytes>>();
    let get = |name: &str, host: Option<&str>| {
        let mut request = Request::get(format!("http://{name}:{}/", at.port()));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        client.request(request.body(Empty::new()).unwrap())
    };
    let own = get("localhost", None).await.unwrap();
    assert_eq!(own.status(), StatusCode::OK);
    let by_address = get("127.0.0.1", None).await.unwrap();
    assert_eq!(by_address.status(), StatusCode::MISDIRECTED_REQUEST);
    let two_hosts = get("localhost", Some("api.example")).await.unwrap();
    assert_eq!(two_hosts.status(), StatusCode::BAD_REQUEST);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn forms_and_sockets_of_other_sites_do_not_reach_the_handler() {
    let (at, calls) = server().await;
    let form = "POST /transfer HTTP/1.1\nhost: api.example\ncontent-length: 0";
    let socket = "GET /socket HTTP/1.1\nhost: api.example\nconnection: upgrade\nupgrade: websocket\n\
                  sec-websocket-version: 13\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let refused = ["cache-control: no-store", "content-length: 0", VARY];
    let elsewhere = [
        "origin: https://evil.example\nsec-fetch-site: cross-site",
        "origin: https://www.api.example\nsec-fetch-site: same-site",
        "origin: null\nsec-fetch-site: cross-site",
        // Browsers that send no metadata, and those that a page reaches over plain http.
        "origin: https://evil.example",
        "origin: null",
    ];
    for request in [form, socket] {
        for from in elsewhere {
            let (status, lines) = raw(at, &format!("{request}\n{from}")).await;
            assert_eq!(
                (status, &*lines),
                (403, &refused.map(str::to_owned)[..]),
                "{request}\n{from}"
            );
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for (n, from) in [
        "origin: https://api.example\nsec-fetch-site: same-origin",
        "origin: https://api.example",
    ]
    .into_iter()
    .enumerate()
    {
        let (status, _) = raw(at, &format!("{form}\n{from}")).await;
        assert_eq!(
            (status, calls.load(Ordering::SeqCst)),
            (200, 2 * n + 1),
            "{from}"
        );
        let (status, _) = raw(at, &format!("{socket}\n{from}")).await;
        assert_eq!(
            (status, calls.load(Ordering::SeqCst)),
            (101, 2 * n + 2),
            "{from}"
        );
    }
}
