//! Futures of responses that are dropped after each of their polls: every point at which something
//! is waited for.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use allocation_counter::measure;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Method, Request, Response};
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
};
use tower_cors::{
    CorsLayer, CorsRequest, DeniedRequests, OriginPolicy, OriginSet, Verdict, VerdictFuture,
    policy_fn, routes::MethodRule,
};

use crate::{
    Scale,
    scene::{Calls, Census, LISTED, STRANGER, one_thread},
};

/// How often a verdict is not ready, and how often the inner service's response is not.
const PAUSES: usize = 3;

/// Not ready so many times.
struct Pauses(usize);

impl Future for Pauses {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What is under way.
#[derive(Clone, Default)]
struct Stage {
    verdicts: Census,
    timers: Census,
    inner: Census,
    calls: Calls,
}

impl Stage {
    fn waiting(&self) -> impl OriginPolicy + use<> {
        let verdicts = self.verdicts.clone();
        policy_fn(move |request: &CorsRequest<'_>| {
            let is_listed = request.origin().tuple().unwrap().as_str() == LISTED;
            let present = verdicts.enter();
            VerdictFuture::new(async move {
                let _present = present;
                Pauses(PAUSES).await;
                Verdict::from(is_listed)
            })
        })
    }

    /// Each layer, and how often its verdict is not ready.
    fn layers(&self) -> [(&'static str, CorsLayer, usize); 6] {
        let timers = self.timers.clone();
        let sleep = move |_| {
            let present = timers.enter();
            async move {
                let _present = present;
                std::future::pending().await
            }
        };
        let refuse = |builder: tower_cors::CorsLayerBuilder| {
            builder
                .denied_requests(DeniedRequests::Refuse)
                .build()
                .unwrap()
        };
        let builder = || CorsLayer::builder().origin_policy(self.waiting());
        let rule = |policy: OriginSet| MethodRule::trusted_only(policy);
        let (reloadable, _) = refuse(builder()).reloadable();
        [
            (
                "a list",
                refuse(CorsLayer::builder().allow_origins([LISTED])),
                0,
            ),
            ("a policy that waits", refuse(builder()), PAUSES),
            (
                "a policy with a limit",
                refuse(builder().verdict_timeout(Duration::from_secs(1), sleep)),
                PAUSES,
            ),
            ("a reloadable layer", reloadable, PAUSES),
            (
                "a rule for each method",
                CorsLayer::by_method()
                    .rule([Method::GET], rule(OriginSet::parse([LISTED]).unwrap()))
                    .build()
                    .unwrap(),
                0,
            ),
            (
                "a rule that waits",
                CorsLayer::by_method()
                    .rule([Method::GET], MethodRule::trusted_only(self.waiting()))
                    .build()
                    .unwrap(),
                PAUSES,
            ),
        ]
    }

    fn assert_empty(&self, context: &str) {
        let alive = [&self.verdicts, &self.timers, &self.inner].map(Census::alive);
        assert_eq!(alive, [0, 0, 0], "{context}");
    }
}

impl Service<Request<()>> for Stage {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.calls.count(&request);
        let present = self.inner.enter();
        async move {
            let _present = present;
            Pauses(PAUSES).await;
            Ok(Response::new(()))
        }
        .boxed()
    }
}

fn request(method: &Method, origin: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .body(())
        .unwrap()
}

/// A service with a single place inside the layer, which goes with the request.
type Placed = ConcurrencyLimit<Stage>;

fn poll_and_drop(service: &tower_cors::Cors<Placed>, request: Request<()>, polls: usize) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let mut service = service.clone();
    let ready = Service::<Request<()>>::poll_ready(&mut service, &mut cx);
    assert!(ready.is_ready(), "the place has come back");
    let mut response = Box::pin(service.call(request));
    (0..polls).any(|_| response.as_mut().poll(&mut cx).is_ready())
}

pub(crate) fn after_each_poll(scale: Scale) -> String {
    let rounds = scale.of(3, 300);
    let stage = Stage::default();
    let mut dropped = 0;
    for (name, cors, pauses) in stage.layers() {
        let place = GlobalConcurrencyLimitLayer::new(1);
        let service = cors.layer(place.layer(stage.clone()));
        for method in [Method::GET, Method::OPTIONS] {
            for origin in [LISTED, STRANGER] {
                // `MethodRule`s forward what they deny.
                let is_forwarded = origin == LISTED || name.starts_with("a rule");
                let is_called = method == Method::GET && is_forwarded;
                let last = pauses + 1 + if is_called { PAUSES } else { 0 };
                for polls in 0..=last {
                    let context = format!("{name}, {method} of {origin}, {polls} polls");
                    let request = || request(&method, origin, "/");
                    let before = stage.calls.in_all();
                    // The first time may grow tables that stay.
                    poll_and_drop(&service, request(), polls);
                    let kept = measure(|| {
                        for _ in 1..rounds {
                            let is_ready = poll_and_drop(&service, request(), polls);
                            assert_eq!(is_ready, polls == last, "{context}");
                        }
                    });
                    assert_eq!(
                        (kept.count_current, kept.bytes_current),
                        (0, 0),
                        "{context}"
                    );
                    let has_verdict = pauses == 0 || polls > pauses;
                    let expected = if is_called && has_verdict { rounds } else { 0 };
                    assert_eq!(stage.calls.in_all() - before, expected, "{context}");
                    stage.assert_empty(&context);
                    dropped += rounds;
                }
            }
        }
    }
    format!(
        "{dropped} dropped: no allocation, verdict, timer or place is left; each inner call once"
    )
}

/// Behind a buffer, whose task calls the layer: a request may be dropped before it gets there.
pub(crate) fn behind_a_buffer(scale: Scale) -> String {
    let rounds = scale.of(3, 300);
    let stage = Stage::default();
    let mut dropped = 0;
    one_thread().block_on(async {
        for (name, cors, _) in stage.layers() {
            let service = ServiceBuilder::new()
                .buffer(2)
                .layer(cors)
                .layer(GlobalConcurrencyLimitLayer::new(1))
                .service(stage.clone());
            for polls in 0..16 {
                for _ in 0..rounds {
                    let path = format!("/{dropped}");
                    let request = request(&Method::GET, LISTED, &path);
                    let mut response = Box::pin(service.clone().oneshot(request));
                    for _ in 0..polls {
                        let mut cx = Context::from_waker(Waker::noop());
                        if response.as_mut().poll(&mut cx).is_ready() {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                    drop(response);
                    assert!(stage.calls.of(&path) <= 1, "{name}, {polls} polls");
                    dropped += 1;
                }
                // Nobody holds the place, and the next request is answered.
                let request = request(&Method::GET, LISTED, "/good");
                let before = stage.calls.of("/good");
                let response = service.clone().oneshot(request).await.unwrap();
                let granted = &response.headers()["access-control-allow-origin"];
                assert_eq!(granted, LISTED, "{name}");
                assert_eq!(stage.calls.of("/good"), before + 1);
                stage.assert_empty(name);
            }
        }
    });
    format!("{dropped} dropped; the next is answered, no inner call twice")
}
