//! Real servers over loopback sockets, and clients that read what is on the wire.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::ws::WebSocketUpgrade,
    routing::{any, get},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header::HOST};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tonic_web::GrpcWebLayer;
use tower::{Layer, service_fn};
use tower_cors::{
    CorsLayer, CorsRequest, DeniedRequests, Origin, OriginPolicy, VerdictFuture,
    policy::PolicyProperties,
};

const LISTED: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";
const VARY: &str = "vary: origin,access-control-request-method,access-control-request-headers";

fn cors() -> CorsLayer {
    CorsLayer::builder()
        .allow_origins([LISTED])
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers(["x-a", "x-grpc-web", "content-type"])
        .expose_headers(["grpc-status", "grpc-message"])
        .build()
        .unwrap()
}

/// What a client reads: status, headers but `date`, sorted, and body.
type Read = (StatusCode, Vec<String>, Bytes);

fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<String> = headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

async fn send(address: SocketAddr, http2: bool, method: &str, path: &str, head: &[&str]) -> Read {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"));
    for line in head {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build_http();
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = client.request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, lines(&parts.headers), body)
}

async fn preflight(address: SocketAddr, http2: bool, path: &str, origin: &str) -> Read {
    let origin = format!("origin: {origin}");
    let head = [
        &*origin,
        "access-control-request-method: PUT",
        "access-control-request-headers: x-a",
    ];
    send(address, http2, "OPTIONS", path, &head).await
}

/// 204, the whole lists, and neither a body nor a length of one (RFC 9110, section 8.6).
fn assert_answered(read: Read) {
    let headers = [
        "access-control-allow-headers: content-type,x-a,x-grpc-web",
        "access-control-allow-methods: GET,PUT",
        "access-control-allow-origin: https://app.example",
        VARY,
    ];
    let headers = headers.map(str::to_owned).to_vec();
    assert_eq!(read, (StatusCode::NO_CONTENT, headers, Bytes::new()));
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn inner(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("inner")))
}

/// No body type of axum's in sight, and both versions of HTTP on one port.
#[tokio::test]
async fn hyper_over_http1_and_http2() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let service = cors().layer(service_fn(inner));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            });
        }
    });
    for http2 in [false, true] {
        assert_answered(preflight(address, http2, "/", LISTED).await);

        let (status, headers, body) = preflight(address, http2, "/", STRANGER).await;
        assert_eq!((status, body), (StatusCode::FORBIDDEN, Bytes::new()));
        let own = headers.iter().filter(|line| *line != "content-length: 0");
        assert_eq!(own.collect::<Vec<_>>(), [VARY]);

        let origin = ["origin: https://app.example"];
        let (status, headers, body) = send(address, http2, "GET", "/", &origin).await;
        assert_eq!((status, &*body), (StatusCode::OK, &b"inner"[..]));
        assert_eq!(
            headers,
            [
                "access-control-allow-origin: https://app.example",
                "access-control-expose-headers: grpc-message,grpc-status",
                "content-length: 5",
                "vary: origin",
            ]
        );
    }
}

#[tokio::test]
async fn axum_routers_answer_preflights_that_no_route_has() {
    let hello = || async { "inner" };
    let nested = || Router::new().route("/", get(hello));
    for router in [
        Router::new().route("/a", get(hello)).layer(cors()),
        Router::new().route("/a", get(hello).layer(cors())),
        Router::new().nest("/a", nested().layer(cors())),
        Router::new().nest("/a", nested()).layer(cors()),
    ] {
        let address = serve(router).await;
        let (status, mut headers, body) = preflight(address, false, "/a", LISTED).await;
        // axum puts its layers behind the choice of the method, and adds `Allow` to whatever
        // answers a method without a handler.
        let allow = headers.iter().position(|line| line == "allow: GET,HEAD");
        headers.remove(allow.expect("axum adds it"));
        assert_answered((status, headers, body));
        let origin = ["origin: https://app.example"];
        let (status, headers, body) = send(address, false, "GET", "/a", &origin).await;
        assert_eq!((status, &*body), (StatusCode::OK, &b"inner"[..]));
        assert!(headers.contains(&"access-control-allow-origin: https://app.example".to_owned()));
    }
}

#[tokio::test]
async fn the_404_of_a_fallback_can_be_read() {
    let fallback = || async { (StatusCode::NOT_FOUND, "nothing here") };
    let address = serve(Router::new().fallback(fallback).layer(cors())).await;
    let origin = ["origin: https://app.example"];
    let (status, headers, body) = send(address, false, "GET", "/missing", &origin).await;
    assert_eq!(
        (status, &*body),
        (StatusCode::NOT_FOUND, &b"nothing here"[..])
    );
    assert_eq!(
        headers,
        [
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: grpc-message,grpc-status",
            "content-length: 12",
            "content-type: text/plain; charset=utf-8",
            "vary: origin",
        ]
    );
}

/// The status line of the answer to a WebSocket handshake, read from the socket.
async fn handshake(address: SocketAddr, origin: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /chat HTTP/1.1\r\nhost: api.example\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: {origin}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = stream.read_exact(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(10), read).await;
    read.expect("the server answers").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn websockets_of_strangers_are_refused() {
    let refuse = CorsLayer::builder()
        .allow_origins([LISTED])
        .denied_requests(DeniedRequests::Refuse);
    let upgrade = |ws: WebSocketUpgrade| async { ws.on_upgrade(|_| async {}) };
    let router = Router::new().route("/chat", any(upgrade));
    let address = serve(router.layer(refuse.build().unwrap())).await;
    assert_eq!(handshake(address, LISTED).await, "HTTP/1.1 101");
    assert_eq!(
        handshake(address, "https://api.example").await,
        "HTTP/1.1 101"
    );
    assert_eq!(handshake(address, STRANGER).await, "HTTP/1.1 403");
    assert_eq!(handshake(address, "null").await, "HTTP/1.1 403");
}

/// Pages that may use the service under the name that the request is for.
#[derive(Debug)]
struct ByHost;

impl OriginPolicy for ByHost {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let host = request.host();
        let is_listed =
            |origin: &Origin| host.as_deref() == Some("127.0.0.1") && origin.as_str() == LISTED;
        request.origin().judge_by(is_listed).into()
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().reads([HOST])
    }
}

/// HTTP/2 has `:authority` in the place of `Host`, and both have the port.
#[tokio::test]
async fn a_policy_knows_the_host_in_both_versions() {
    let cors = CorsLayer::builder().origin_policy(ByHost).build().unwrap();
    let address = serve(Router::new().route("/", get(async || "inner")).layer(cors)).await;
    for http2 in [false, true] {
        for (origin, is_granted) in [(LISTED, true), (STRANGER, false)] {
            let origin = format!("origin: {origin}");
            let (status, headers, _) = send(address, http2, "GET", "/", &[&origin]).await;
            assert_eq!(status, StatusCode::OK);
            let granted = headers
                .iter()
                .any(|line| line.starts_with("access-control-"));
            assert_eq!(granted, is_granted, "{http2} {headers:?}");
            assert!(
                headers.contains(&"vary: origin,host".to_owned()),
                "{headers:?}"
            );
        }
    }
}

/// A gRPC service written by hand: it answers every call with an empty message.
#[derive(Clone)]
struct Echo;

impl tonic::server::NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl tower::Service<Request<tonic::body::Body>> for Echo {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<tonic::body::Body>) -> Self::Future {
        let message = Full::new(Bytes::from_static(&[0; 5]));
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "0")
            .body(tonic::body::Body::new(message))
            .unwrap();
        std::future::ready(Ok(response))
    }
}

async fn serve_tonic(cors: CorsLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        tonic::transport::Server::builder()
            .accept_http1(true)
            // As the guide has it: the first layer is the outermost.
            .layer(cors)
            .layer(GrpcWebLayer::new())
            .add_service(Echo)
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener))
            .await
    });
    address
}

/// A gRPC client does not look at the status of HTTP: it is told in the shape that it expects.
#[tokio::test]
async fn a_refusal_in_front_of_tonic() {
    let cors = CorsLayer::builder()
        .allow_origins([LISTED])
        .denied_requests(DeniedRequests::Refuse)
        .build()
        .unwrap();
    let address = serve_tonic(cors).await;
    for (media_type, answered) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc-web+proto", "application/grpc-web+proto"),
    ] {
        let head = [
            format!("origin: {STRANGER}"),
            format!("content-type: {media_type}"),
        ];
        let head = head.each_ref().map(String::as_str);
        for http2 in [false, true] {
            let (status, mut headers, body) =
                send(address, http2, "POST", "/test.Echo/Say", &head).await;
            assert_eq!((status, &*body), (StatusCode::OK, &[][..]));
            headers.retain(|line| !line.starts_with("date:") && line != "content-length: 0");
            headers.sort();
            let content_type = format!("content-type: {answered}");
            let expected = [&content_type, "grpc-status: 7", "vary: origin"];
            assert_eq!(headers, expected, "{http2} {media_type}");
        }
    }
}

const WEB: &str = "content-type: application/grpc-web+proto";

/// As a page with a gRPC-Web client asks; its preflight comes over HTTP/1.1 or HTTP/2.
#[tokio::test]
async fn tonic_behind_the_layer() {
    let address = serve_tonic(cors()).await;
    for http2 in [false, true] {
        assert_answered(preflight(address, http2, "/test.Echo/Say", LISTED).await);
        let (status, ..) = preflight(address, http2, "/test.Echo/Say", STRANGER).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let media_types = ["content-type: application/grpc", WEB];
        // Over HTTP/1.1, tonic answers gRPC-Web only.
        for media_type in media_types.into_iter().skip(usize::from(!http2)) {
            let head = ["origin: https://app.example", media_type];
            let (status, headers, body) =
                send(address, http2, "POST", "/test.Echo/Say", &head).await;
            assert_eq!((status, &body[..5]), (StatusCode::OK, &[0; 5][..]));
            for line in [
                "access-control-allow-origin: https://app.example",
                "access-control-expose-headers: grpc-message,grpc-status",
                media_type,
                "grpc-status: 0",
                "vary: origin",
            ] {
                assert!(headers.contains(&line.to_owned()), "{headers:?}");
            }
        }
    }
}
