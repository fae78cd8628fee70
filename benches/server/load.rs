//! Clients that keep their connections.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Version {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }

    /// How many connections there are.
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::Http1 => AT_ONCE,
            Self::Http2 => 2,
        }
    }
}

/// Requests at the same time.
const AT_ONCE: usize = 16;

enum Client {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

/// Sends so many requests with these headers. Every answer has to be readable by the page, if there
/// is CORS at all.
pub(crate) async fn send(
    version: Version,
    address: SocketAddr,
    headers: &HeaderMap,
    requests: usize,
    has_cors: bool,
) {
    let mut clients = Vec::new();
    match version {
        Version::Http1 => {
            for _ in 0..version.connections() {
                let (client, connection) = http1::handshake(connect(address).await).await.unwrap();
                tokio::spawn(connection);
                clients.push(Client::Http1(client));
            }
        }
        Version::Http2 => {
            let connections = version.connections();
            for _ in 0..connections {
                let (executor, stream) = (TokioExecutor::new(), connect(address).await);
                let (client, connection) = http2::handshake(executor, stream).await.unwrap();
                tokio::spawn(connection);
                clients.extend((0..AT_ONCE / connections).map(|_| Client::Http2(client.clone())));
            }
        }
    }
    let each = requests / AT_ONCE;
    let clients = clients.into_iter();
    join_all(clients.map(|client| ask(client, address, headers, each, has_cors))).await;
}

async fn connect(address: SocketAddr) -> TokioIo<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    TokioIo::new(stream)
}

async fn ask(
    mut client: Client,
    address: SocketAddr,
    headers: &HeaderMap,
    requests: usize,
    has_cors: bool,
) {
    let uri: http::Uri = format!("http://{address}/orders").parse().unwrap();
    for _ in 0..requests {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        let response = match &mut client {
            Client::Http1(client) => {
                client.ready().await.unwrap();
                client.send_request(request).await
            }
            Client::Http2(client) => {
                client.ready().await.unwrap();
                client.send_request(request).await
            }
        };
        let response = response.unwrap();
        let is_readable = response
            .headers()
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert!(response.status().is_success() && is_readable == has_cors);
        response.into_body().collect().await.unwrap();
    }
}
