//! Clients of HTTP/1.1 that vanish, expect `100-continue`, and pipeline, byte by byte.

use std::{convert::Infallible, future::pending, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::Layer;
use tower_cors::{
    CorsLayer, CorsRequest, DeniedRequests, OriginPolicy, Verdict, VerdictFuture, policy_fn,
};

use crate::{
    Scale,
    scene::{Calls, Census, Client, LISTED, STRANGER, Version, eventually, get, one_thread, serve},
};

/// More than the buffers of a connection hold, so that a client leaves in the middle of it.
const LARGE: usize = 32 * 1024 * 1024;
/// After this, verdicts are given up: a server does not look for the end of a connection while it
/// has bytes of a body that nobody has read.
const LIMIT: Duration = Duration::from_millis(300);

/// What the server knows of the requests that are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    pub(crate) verdicts: Census,
    pub(crate) inner: Census,
    pub(crate) calls: Calls,
}

impl Stage {
    pub(crate) async fn serve(&self) -> SocketAddr {
        let cors = CorsLayer::builder()
            .origin_policy(self.policy())
            .denied_requests(DeniedRequests::Refuse)
            .verdict_timeout(LIMIT, tokio::time::sleep)
            .build()
            .unwrap();
        let stage = self.clone();
        let inner = tower::service_fn(move |request| stage.clone().answer(request));
        serve(cors.layer(inner)).await
    }

    /// Waits for every verdict: the listed origin's and a stranger's for a moment, others for ever.
    fn policy(&self) -> impl OriginPolicy {
        let verdicts = self.verdicts.clone();
        policy_fn(move |request: &CorsRequest<'_>| {
            let origin = request.origin().tuple().unwrap().as_str().to_owned();
            let present = verdicts.enter();
            VerdictFuture::new(async move {
                let _present = present;
                tokio::task::yield_now().await;
                match &*origin {
                    LISTED => Verdict::from(true),
                    STRANGER => Verdict::from(false),
                    _ => pending().await,
                }
            })
        })
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let _present = self.inner.enter();
        self.calls.count(&request);
        let path = request.uri().path().to_owned();
        match &*path {
            "/slow" => pending().await,
            "/large" => Ok(Response::new(Full::from(vec![b'x'; LARGE]))),
            // The whole body comes back, or nothing if the client has gone before its end.
            "/echo" => {
                let body = request.into_body().collect().await;
                let body = body.map_or(Bytes::new(), |body| body.to_bytes());
                Ok(Response::new(Full::new(body)))
            }
            _ => Ok(Response::new(Full::from(path))),
        }
    }

    /// Nothing of any request is left, and the next one is answered.
    pub(crate) async fn assert_recovered(&self, version: Version, address: SocketAddr) {
        eventually("nothing is left of those who have gone", || {
            self.verdicts.alive() == 0 && self.inner.alive() == 0
        })
        .await;
        let before = self.calls.of("/next");
        let mut client = Client::connect(version, address).await;
        let answer = client.ask(get(address, "/next", LISTED)).await.unwrap();
        assert_eq!(answer.origin.as_deref(), Some(LISTED));
        assert_eq!(self.calls.of("/next"), before + 1);
    }
}

fn head(request_line: &str, origin: &str, more: &str) -> String {
    format!("{request_line} HTTP/1.1\r\nhost: api.example\r\norigin: {origin}\r\n{more}\r\n")
}

/// For ever undecided.
pub(crate) const UNDECIDED: &str = "https://undecided.example";

pub(crate) fn in_every_phase(scale: Scale) -> String {
    let clients = scale.of(8, 100);
    let whole = head("GET /slow", UNDECIDED, "");
    let body = "content-length: 1000\r\n";
    let expect = "content-length: 1000\r\nexpect: 100-continue\r\n";
    // What is sent; the verdicts and the inner calls that it leads to; whether an answer has begun.
    let phases: [(&str, String, usize, usize, bool); 9] = [
        ("before a byte", String::new(), 0, 0, false),
        (
            "in the head",
            whole[..whole.len() / 2].to_owned(),
            0,
            0,
            false,
        ),
        (
            "while the verdict is waited for",
            whole.clone(),
            1,
            0,
            false,
        ),
        (
            "while it is waited for, with a body under way",
            head("POST /echo", UNDECIDED, body) + "the beginning",
            1,
            0,
            false,
        ),
        (
            "while it is waited for, before 100-continue",
            head("POST /echo", UNDECIDED, expect),
            1,
            0,
            false,
        ),
        (
            "while the service is at work",
            head("GET /slow", LISTED, ""),
            1,
            1,
            false,
        ),
        (
            "while the service reads the body",
            head("POST /echo", LISTED, body) + "the beginning",
            1,
            1,
            false,
        ),
        ("in the answer", head("GET /large", LISTED, ""), 1, 1, true),
        (
            "in the second of three pipelined requests",
            head("GET /first", LISTED, "") + &whole + &whole,
            2,
            1,
            false,
        ),
    ];
    let count = phases.len();
    for (phase, sent, verdicts, calls, reads) in phases {
        let stage = Stage::default();
        one_thread().block_on(async {
            let address = stage.serve().await;
            let mut connections = Vec::new();
            for _ in 0..clients {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(sent.as_bytes()).await.unwrap();
                if reads {
                    stream.read_exact(&mut [0; 64]).await.unwrap();
                }
                connections.push(stream);
            }
            eventually(phase, || {
                // Where a verdict has been given up, the next request may have begun.
                stage.verdicts.begun() >= clients * verdicts
                    && stage.calls.in_all() == clients * calls
            })
            .await;
            leave(connections).await;
            stage.assert_recovered(Version::Http1, address).await;
            let calls_of_clients = stage.calls.in_all() - stage.calls.of("/next");
            assert_eq!(calls_of_clients, clients * calls, "{phase}");
        });
    }
    format!("{count} phases, {clients} clients each: nothing is left, each inner call once")
}

/// Half of them close, half of them reset the connection.
async fn leave(connections: Vec<TcpStream>) {
    for (number, stream) in connections.into_iter().enumerate() {
        if number.is_multiple_of(2) {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
    }
}

/// Reads until the text has come.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let byte = tokio::time::timeout(crate::scene::PATIENCE, stream.read_u8());
        read.push(byte.await.expect("the server answers").unwrap());
    }
    String::from_utf8(read).unwrap()
}

pub(crate) fn expectations(scale: Scale) -> String {
    let rounds = scale.of(10, 500);
    let stage = Stage::default();
    one_thread().block_on(async {
        let address = stage.serve().await;
        for _ in 0..rounds {
            let expect = "content-length: 4\r\nexpect: 100-continue\r\n";
            // The service asks for the body, behind the verdict.
            let mut stream = TcpStream::connect(address).await.unwrap();
            let sent = head("POST /echo", LISTED, expect);
            stream.write_all(sent.as_bytes()).await.unwrap();
            let answer = read_until(&mut stream, "\r\n\r\n").await;
            assert_eq!(answer, "HTTP/1.1 100 Continue\r\n\r\n");
            stream.write_all(b"body").await.unwrap();
            let answer = read_until(&mut stream, "body").await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            let granted = format!("access-control-allow-origin: {LISTED}\r\n");
            assert!(answer.contains(&granted), "{answer}");

            // Nobody asks for the body of a refused request, nor of one without a verdict.
            for (origin, status) in [(STRANGER, "403 Forbidden"), (UNDECIDED, "503 Service")] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let sent = head("POST /echo", origin, expect);
                stream.write_all(sent.as_bytes()).await.unwrap();
                let answer = read_until(&mut stream, "\r\n\r\n").await;
                let expected = format!("HTTP/1.1 {status}");
                assert!(answer.starts_with(&expected), "{answer}");
                assert!(!answer.contains("access-control-"), "{answer}");
            }
        }
        assert_eq!(stage.calls.of("/echo"), rounds);
        stage.assert_recovered(Version::Http1, address).await;
    });
    format!(
        "{} requests: 100 for allowed ones only, behind the verdict",
        rounds * 3
    )
}

/// Answers come in the order of the requests, each for its own origin, whatever the verdicts take.
pub(crate) fn pipelines(scale: Scale) -> String {
    let depth = scale.of(60, 3_000);
    let stage = Stage::default();
    one_thread().block_on(async {
        let address = stage.serve().await;
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut stream, mut sending) = stream.into_split();
        let origin = |number: usize| [LISTED, STRANGER][number % 2];
        let sent: String = (0..depth)
            .map(|number| head(&format!("GET /{number}"), origin(number), ""))
            .collect();
        // At the same time as the answers are read, or each side would wait for the other.
        let sent = tokio::spawn(async move {
            sending.write_all(sent.as_bytes()).await.unwrap();
            // Dropped, it would end the connection.
            sending
        });
        for number in 0..depth {
            let answer = read_until(&mut stream, "\r\n\r\n").await;
            if origin(number) == LISTED {
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                assert!(answer.contains(LISTED), "{answer}");
                let path = format!("/{number}");
                assert_eq!(read_until(&mut stream, &path).await, path);
            } else {
                assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
                assert!(!answer.contains("access-control-"), "{answer}");
            }
        }
        drop(sent.await.unwrap());
        for number in 0..depth {
            let expected = usize::from(origin(number) == LISTED);
            assert_eq!(stage.calls.of(&format!("/{number}")), expected);
        }
    });
    format!("{depth} on one connection, in order; each inner call once")
}
