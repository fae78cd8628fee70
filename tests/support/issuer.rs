//! An issuer that is a real HTTP server on this machine, and a clock that tests set.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, header};
use tower_cors::time::Clock;

/// A clock that stands still until it is set, at a whole second, so that tests can meet a bound.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<Mutex<SystemTime>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(since.unwrap().as_secs());
        Self(Arc::new(Mutex::new(now)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        *self.0.lock().unwrap() -= Duration::from_secs(seconds);
    }

    pub(crate) fn unix(&self) -> u64 {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs()
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

/// What the issuer answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
}

impl Answer {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            content_type: Some("application/json"),
            location: None,
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::json("{}")
        }
    }

    pub(crate) fn content_type(self, content_type: Option<&'static str>) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    pub(crate) fn location(self, location: impl Into<String>) -> Self {
        Self {
            location: Some(location.into()),
            ..self
        }
    }

    pub(crate) fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A request that reached the issuer.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: String,
}

pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    played: Arc<Played>,
    server: tokio::task::JoinHandle<()>,
}

struct Played {
    answer: Mutex<Answer>,
    calls: AtomicUsize,
    last: Mutex<Option<Seen>>,
}

impl Issuer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, answer)
    }

    /// Starts again where an issuer was stopped.
    pub(crate) async fn start_at(address: SocketAddr, answer: Answer) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        Self::serve(socket.listen(64).unwrap(), answer)
    }

    fn serve(listener: tokio::net::TcpListener, answer: Answer) -> Self {
        let address = listener.local_addr().unwrap();
        let played = Arc::new(Played {
            answer: Mutex::new(answer),
            calls: AtomicUsize::new(0),
            last: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer_request)
            .with_state(Arc::clone(&played));
        // Without graceful shutdown, so that aborting it is a server that is killed.
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            address,
            played,
            server,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, answer: Answer) {
        *self.played.answer.lock().unwrap() = answer;
    }

    pub(crate) fn calls(&self) -> usize {
        self.played.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn last(&self) -> Seen {
        self.played.last.lock().unwrap().clone().unwrap()
    }

    /// Stops listening and returns the address, on which nobody listens now.
    pub(crate) async fn stop(self) -> SocketAddr {
        self.server.abort();
        let _aborted = self.server.await;
        self.address
    }
}

async fn answer_request(State(played): State<Arc<Played>>, request: Request) -> Response {
    played.calls.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    *played.last.lock().unwrap() = Some(Seen {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        form: String::from_utf8(body.to_vec()).unwrap(),
    });
    let answer = played.answer.lock().unwrap().clone();
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status);
    // Connections that are kept would outlive a server that is stopped.
    response = response.header(header::CONNECTION, "close");
    if let Some(content_type) = answer.content_type {
        response = response.header(header::CONTENT_TYPE, content_type);
    }
    if let Some(location) = answer.location {
        response = response.header(header::LOCATION, location);
    }
    response.body(Body::from(answer.body)).unwrap()
}

pub(crate) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy()
}

/// Everything that is logged on this thread, by whichever crate.
pub(crate) mod log {
    use std::{
        fmt::{Debug, Write},
        sync::{Arc, Mutex},
    };

    use tracing::{
        Event, Subscriber,
        field::{Field, Visit},
        span::{Attributes, Id, Record},
        subscriber::DefaultGuard,
    };
    use tracing_subscriber::{
        Layer, Registry,
        layer::{Context, SubscriberExt},
    };

    pub(crate) struct Log {
        text: Arc<Mutex<String>>,
        _guard: DefaultGuard,
    }

    pub(crate) fn capture() -> Log {
        let text = Arc::<Mutex<String>>::default();
        let subscriber = Registry::default().with(Capture(Arc::clone(&text)));
        let guard = tracing::subscriber::set_default(subscriber);
        tracing::trace!("the log is listened to");
        Log {
            text,
            _guard: guard,
        }
    }

    impl Log {
        pub(crate) fn text(&self) -> String {
            self.text.lock().unwrap().clone()
        }
    }

    struct Capture(Arc<Mutex<String>>);

    impl<S: Subscriber> Layer<S> for Capture {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            event.record(&mut Fields(&mut self.0.lock().unwrap()));
        }

        fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            span.record(&mut Fields(&mut self.0.lock().unwrap()));
        }

        fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
            record.record(&mut Fields(&mut self.0.lock().unwrap()));
        }
    }

    struct Fields<'a>(&'a mut String);

    impl Visit for Fields<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            writeln!(self.0, "{field}={value:?}").unwrap();
        }
    }
}
