//! What the examples with a `--check` share: their arguments, pages that are played over real
//! sockets, and the table of what came of it.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::service_fn;

use tower_cors::{
    Origin,
    origin::RequestOrigin,
    test_util::{Fetch, Outcome},
    time::Clock,
};

use crate::usage;

/// Any error of an example, for its last words.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// What the command line says.
pub(crate) struct Arguments {
    pub(crate) listen: SocketAddr,
    pub(crate) check: bool,
}

impl Arguments {
    pub(crate) fn parse(usage: &str) -> Result<Self, lexopt::Error> {
        use lexopt::{
            Arg::{Long, Short},
            ValueExt,
        };

        let mut arguments = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            check: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => arguments.listen = parser.value()?.parse()?,
                Long("check") => arguments.check = true,
                Long("help") | Short('h') => usage::print(usage),
                other => return Err(other.unexpected()),
            }
        }
        Ok(arguments)
    }
}

/// The machine's clock, which a check can set ahead instead of waiting.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckClock(Arc<Mutex<Duration>>);

impl CheckClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().expect("nothing panics while it is locked") += by;
    }
}

impl Clock for CheckClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + *self.0.lock().expect("nothing panics while it is locked")
    }
}

/// What a page should see of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The status of the preflight's answer, where there is a preflight.
    pub(crate) preflight: Option<u16>,
    /// The status of the answer, where the request is sent.
    pub(crate) answer: Option<u16>,
    /// Whether the page can read the answer.
    pub(crate) readable: bool,
    /// Whether the handler ran.
    pub(crate) handled: bool,
}

impl Seen {
    /// The preflight passes, the handler answers, and the page reads.
    pub(crate) const LET_IN: Self = Self {
        preflight: Some(204),
        answer: Some(200),
        readable: true,
        handled: true,
    };

    /// The preflight passes, and the answer is a refusal that the page cannot read.
    pub(crate) const fn refused(status: u16) -> Self {
        Self {
            preflight: Some(204),
            answer: Some(status),
            readable: false,
            handled: false,
        }
    }

    /// The preflight is refused, and nothing else is sent.
    pub(crate) const STOPPED: Self = Self {
        preflight: Some(403),
        answer: None,
        readable: false,
        handled: false,
    };

    /// The same for a request that needs no preflight.
    pub(crate) const fn without_preflight(self) -> Self {
        Self {
            preflight: None,
            ..self
        }
    }

    /// The same, and the page can read the refusal.
    #[allow(dead_code, reason = "one of the examples needs it")]
    pub(crate) const fn readable(self) -> Self {
        Self {
            readable: true,
            ..self
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = |status: Option<u16>| status.map_or("-".to_owned(), |it| it.to_string());
        let yes = |yes| if yes { "yes" } else { "no" };
        write!(
            f,
            "{:>9} {:>6} {:>9} {:>8}",
            status(self.preflight),
            status(self.answer),
            yes(self.readable),
            yes(self.handled),
        )
    }
}

/// A table of fetches, printed as they are played.
pub(crate) struct Table {
    api: SocketAddr,
    handled: Arc<AtomicUsize>,
    mismatches: usize,
}

impl Table {
    pub(crate) fn new(api: SocketAddr, handled: Arc<AtomicUsize>) -> Self {
        println!(
            "{:<27} {:<42} {:>9} {:>6} {:>9} {:>8}",
            "page", "step", "preflight", "answer", "readable?", "handled?",
        );
        Self {
            api,
            handled,
            mismatches: 0,
        }
    }

    /// Plays a fetch and compares what the page sees with what it should see.
    pub(crate) async fn play(
        &mut self,
        page: &str,
        step: &str,
        fetch: &Fetch,
        expected: Seen,
    ) -> Result<(), Error> {
        let before = self.handled.load(Ordering::SeqCst);
        let answers = Arc::<Mutex<Vec<StatusCode>>>::default();
        let service = service_fn(|request| {
            let answers = Arc::clone(&answers);
            let api = self.api;
            async move {
                let response = send(api, request).await?;
                let mut answers = answers.lock().expect("nothing panics while it is locked");
                answers.push(response.status());
                Ok::<_, Error>(response)
            }
        });
        let outcome = fetch.play(service, Full::<Bytes>::default()).await?;
        let mut answers = answers
            .lock()
            .expect("nothing panics while it is locked")
            .clone()
            .into_iter()
            .map(|status| status.as_u16());
        let seen = Seen {
            preflight: fetch.preflight().and_then(|_| answers.next()),
            answer: answers.next(),
            readable: matches!(outcome, Outcome::Readable(_)),
            handled: self.handled.load(Ordering::SeqCst) > before,
        };
        self.compare(page, step, seen, expected);
        Ok(())
    }

    fn compare(&mut self, page: &str, step: &str, seen: Seen, expected: Seen) {
        println!("{page:<27} {step:<42} {seen}");
        if seen != expected {
            self.mismatches += 1;
            println!("{:<27} {:<42} {expected}", "", "  should have been");
        }
    }

    /// Sends a request without an `Origin`, as other servers do, and compares the answer's status.
    #[allow(dead_code, reason = "some of the examples need it")]
    pub(crate) async fn call(
        &mut self,
        step: &str,
        token: Option<&str>,
        expected: u16,
    ) -> Result<(), Error> {
        let before = self.handled.load(Ordering::SeqCst);
        let mut request = Request::get("/orders").header(header::HOST, self.api.to_string());
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = send(self.api, request.body(Full::default())?).await?;
        let outcome = |status: u16, handled| Seen {
            preflight: None,
            answer: Some(status),
            readable: true,
            handled,
        };
        let handled = self.handled.load(Ordering::SeqCst) > before;
        let seen = outcome(response.status().as_u16(), handled);
        self.compare("no page", step, seen, outcome(expected, expected == 200));
        Ok(())
    }

    /// The end of the table.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.mismatches {
            0 => {
                println!("every line is as it should be");
                Ok(())
            }
            several => Err(format!("{several} lines are not as they should be").into()),
        }
    }
}

/// What a page of this origin does: it asks for the orders, with the token if it has one.
pub(crate) fn fetch_orders(
    api: SocketAddr,
    page: &str,
    token: Option<&str>,
) -> Result<Fetch, Error> {
    let origin = match page {
        "null" => RequestOrigin::Opaque,
        page => page.parse::<Origin>()?.into(),
    };
    let fetch = Fetch::new(origin, Method::GET, format!("http://{api}/orders").parse()?);
    Ok(match token {
        Some(token) => {
            let value = HeaderValue::from_str(&format!("Bearer {token}"))?;
            fetch.header(header::AUTHORIZATION, value)
        }
        None => fetch,
    })
}

/// Sends a request as a browser does: over a connection of its own.
async fn send(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Error> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(Response::from_parts(parts, body))
}
