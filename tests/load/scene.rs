//! A server, its clients, and the counts that everything keeps of itself.

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tower::Service;

/// An origin that the policies here allow.
pub(crate) const LISTED: &str = "https://app.example";
/// One that they do not.
pub(crate) const STRANGER: &str = "https://evil.example";

/// How long anything may take that comes by itself, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) type Sent = BoxBody<Bytes, Infallible>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Version {
    pub(crate) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];
}

/// One thread, on which everything of a case runs.
pub(crate) fn one_thread() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

pub(crate) fn two_threads() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Serves both versions of HTTP on one port until the runtime ends.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // What becomes of the connection is the client's to see.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// One connection.
pub(crate) enum Client {
    Http1(http1::SendRequest<Sent>),
    Http2(http2::SendRequest<Sent>),
}

impl Client {
    pub(crate) async fn connect(version: Version, address: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        match version {
            Version::Http1 => {
                let (client, connection) = http1::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                Self::Http1(client)
            }
            Version::Http2 => {
                let executor = TokioExecutor::new();
                let (client, connection) = http2::handshake(executor, stream).await.unwrap();
                tokio::spawn(connection);
                Self::Http2(client)
            }
        }
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Sent>,
    ) -> hyper::Result<Response<Incoming>> {
        let answer = async {
            match self {
                Self::Http1(client) => {
                    client.ready().await?;
                    client.send_request(request).await
                }
                Self::Http2(client) => {
                    client.ready().await?;
                    client.send_request(request).await
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}"))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: Request<Sent>) -> hyper::Result<Answer> {
        Answer::read(self.send(request).await?).await
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) origin: Option<String>,
    pub(crate) exposed: Option<String>,
    pub(crate) body: Bytes,
}

impl Answer {
    async fn read(response: Response<Incoming>) -> hyper::Result<Self> {
        let text = |name| {
            let value: Option<&http::HeaderValue> = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let status = response.status().as_u16();
        let origin = text(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        let exposed = text(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        Ok(Self {
            status,
            origin,
            exposed,
            body: response.into_body().collect().await?.to_bytes(),
        })
    }
}

/// A request of a page. HTTP/2 takes its authority from the URL.
pub(crate) fn get(address: SocketAddr, path: &str, origin: &str) -> Request<Sent> {
    Request::get(format!("http://{address}{path}"))
        .header(header::ORIGIN, origin)
        .header(header::HOST, address.to_string())
        .body(Empty::new().boxed())
        .unwrap()
}

/// Answers with its path, and counts how often it was called for each path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<HashMap<String, usize>>>);

impl Calls {
    pub(crate) fn count<B>(&self, request: &Request<B>) {
        let path = request.uri().path().to_owned();
        *self.0.lock().unwrap().entry(path).or_default() += 1;
    }

    pub(crate) fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        self.count(request);
        Response::new(Full::from(request.uri().path().to_owned()))
    }

    pub(crate) fn of(&self, path: &str) -> usize {
        self.0.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    pub(crate) fn in_all(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }
}

/// How many of something there are now, and how many there were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    alive: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
}

impl Census {
    pub(crate) fn enter(&self) -> Present {
        self.alive.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        Present(Arc::clone(&self.alive))
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

/// One of those who are counted, until it is dropped.
#[derive(Debug)]
pub(crate) struct Present(Arc<AtomicUsize>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
