//! A subject (the layer under test), the spy behind it, and what comes of a request.

use std::{
    fmt,
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use tower::{Layer, Service, ServiceExt};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, CorsRequest, Denial, OriginPolicy, OriginSet, VerdictFuture,
    observe::Decision, policy::PolicyProperties,
};

/// The origin that lists of these tests allow.
pub(crate) const LISTED: &str = "https://app.example";
/// One that they do not.
pub(crate) const STRANGER: &str = "https://evil.example";

/// The same configuration with a policy that is ready and with one that waits.
pub(crate) struct Subject {
    layers: Vec<CorsLayer>,
}

impl Subject {
    /// A layer with the one listed origin.
    pub(crate) fn list(configure: impl Fn(CorsLayerBuilder) -> CorsLayerBuilder) -> Self {
        let set = OriginSet::parse([LISTED]).unwrap();
        let mut subject = Self::policy(set, &configure);
        let builder = configure(CorsLayer::builder().allow_origins([LISTED]));
        subject.layers.insert(0, builder.build().unwrap());
        subject
    }

    pub(crate) fn policy(
        policy: impl OriginPolicy,
        configure: impl Fn(CorsLayerBuilder) -> CorsLayerBuilder,
    ) -> Self {
        let policy = Arc::new(policy);
        let ready = CorsLayer::builder().origin_policy(Arc::clone(&policy));
        let waiting = CorsLayer::builder().origin_policy(Waiting(policy));
        let build = |builder| configure(builder).build().unwrap();
        Self {
            layers: vec![build(ready), build(waiting)],
        }
    }

    pub(crate) fn layer(layer: CorsLayer) -> Self {
        Self {
            layers: vec![layer],
        }
    }

    /// Sends a request to an inner service that answers 200 with `x-inner: called`.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request<()>) -> Outcome {
        self.send_to(request, &[("x-inner", "called")])
    }

    /// A layer as it is.
    pub(crate) fn of(layer: CorsLayer) -> Self {
        Self {
            layers: vec![layer],
        }
    }

    /// A layer that lists its origins itself.
    pub(crate) fn new(configure: impl FnOnce(CorsLayerBuilder) -> CorsLayerBuilder) -> Self {
        Self::of(configure(CorsLayer::builder()).build().unwrap())
    }

    /// Sends a request to an inner service that answers 200 with these headers.
    #[track_caller]
    pub(crate) fn send_to(&self, request: &Request<()>, headers: &[(&str, &str)]) -> Outcome {
        self.send_to_status(request, 200, headers)
    }

    #[track_caller]
    pub(crate) fn send_to_status(
        &self,
        request: &Request<()>,
        status: u16,
        headers: &[(&str, &str)],
    ) -> Outcome {
        let respond = || {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Ok(response.body("inner".to_owned()).unwrap())
        };
        self.play(request, respond)
            .unwrap_or_else(|error| panic!("the inner service did not fail, yet: {error}"))
    }

    /// Sends a request to an inner service that fails.
    pub(crate) fn send_to_broken(&self, request: &Request<()>) -> Result<Outcome, Broken> {
        self.play(request, || Err(Broken("out of order")))
    }

    fn play(&self, request: &Request<()>, respond: impl Fn() -> Answer) -> Result<Outcome, Broken> {
        let mut outcomes = self.layers.iter().map(|layer| {
            let spy = Spy::new(respond());
            let seen = Arc::clone(&spy.seen);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let response = runtime.block_on(layer.layer(spy).oneshot(request.clone()))?;
            let mut seen = std::mem::take(&mut *seen.lock().unwrap());
            assert!(seen.len() <= 1, "the inner service is called at most once");
            Ok(Outcome::new(response, seen.pop()))
        });
        let first = outcomes.next().expect("a subject has a layer");
        for other in outcomes {
            assert_eq!(
                first.as_ref().map(Outcome::comparable),
                other.as_ref().map(Outcome::comparable),
                "waiting for the verdict must not change the outcome"
            );
        }
        first
    }
}

/// What came of a request.
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// `name: value`, sorted.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    /// What reached the inner service.
    pub(crate) inner: Option<Parts>,
    pub(crate) denial: Option<Denial>,
    pub(crate) decision: Option<Decision>,
}

impl Outcome {
    fn new(response: Response<String>, inner: Option<Parts>) -> Self {
        let (parts, body) = response.into_parts();
        let mut headers: Vec<String> = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        Self {
            status: parts.status.as_u16(),
            headers,
            body,
            inner,
            denial: parts.extensions.get::<Denial>().cloned(),
            decision: parts.extensions.get::<Decision>().cloned(),
        }
    }

    fn comparable(&self) -> impl PartialEq + fmt::Debug + use<> {
        (
            self.status,
            self.headers.clone(),
            self.body.clone(),
            self.inner
                .as_ref()
                .map(|parts| (parts.method.clone(), parts.headers.clone())),
            self.denial.as_ref().map(Denial::to_string),
            self.decision.as_ref().map(Decision::to_string),
        )
    }

    /// The value of the header, if there is exactly one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.iter();
        let mut found = lines
            .by_ref()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The inner service answered, with this status and exactly these headers.
    #[track_caller]
    pub(crate) fn assert_inner(&self, status: u16, headers: &[&str]) {
        assert_eq!((self.status, &*self.headers), (status, &*owned(headers)));
        assert!(self.inner.is_some(), "the inner service must be called");
        assert_eq!(self.body, "inner");
    }

    /// The layer answered, with this status, exactly these headers and no body, and the inner
    /// service was not called.
    #[track_caller]
    pub(crate) fn assert_layer(&self, status: u16, headers: &[&str]) {
        assert_eq!((self.status, &*self.headers), (status, &*owned(headers)));
        assert!(self.inner.is_none(), "the inner service must not be called");
        assert_eq!(self.body, "");
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

pub(crate) fn request(method: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri("/thing?secret=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

pub(crate) fn get_from(origin: &str) -> Request<()> {
    request("GET", &[("origin", origin)])
}

/// A preflight; without requested headers where `headers` is empty.
pub(crate) fn preflight_from(origin: &str, method: &str, headers: &str) -> Request<()> {
    let mut lines = vec![
        ("origin", origin),
        ("access-control-request-method", method),
    ];
    if !headers.is_empty() {
        lines.push(("access-control-request-headers", headers));
    }
    request("OPTIONS", &lines)
}

/// The error of an inner service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

type Answer = Result<Response<String>, Broken>;

/// An inner service that answers once, and remembers with what it was called.
#[derive(Clone)]
struct Spy {
    answer: Arc<Mutex<Option<Answer>>>,
    seen: Arc<Mutex<Vec<Parts>>>,
}

impl Spy {
    fn new(answer: Answer) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Some(answer))),
            seen: Arc::default(),
        }
    }
}

impl Service<Request<()>> for Spy {
    type Response = Response<String>;
    type Error = Broken;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.seen.lock().unwrap().push(request.into_parts().0);
        let answer = self.answer.lock().unwrap().take();
        ready(answer.expect("the inner service is called at most once"))
    }
}

/// A policy that answers like another, but never at once.
#[derive(Debug)]
pub(crate) struct Waiting<P>(pub(crate) P);

fn later(verdict: VerdictFuture) -> VerdictFuture {
    VerdictFuture::new(async move {
        tokio::task::yield_now().await;
        verdict.await
    })
}

impl<P: OriginPolicy> OriginPolicy for Waiting<P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        later(self.0.judge(request))
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        later(self.0.judge_preflight(request))
    }

    fn properties(&self) -> PolicyProperties {
        self.0.properties()
    }
}
