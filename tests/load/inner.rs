//! Inner services that fail, panic, or are not ready.

use std::{
    fmt,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, limit::GlobalConcurrencyLimitLayer};
use tower_cors::{CorsLayer, Verdict, VerdictFuture, policy_fn};

use crate::{
    Scale,
    scene::{Calls, Client, LISTED, Version, get, one_thread, serve},
};

/// The same list, ready and waited for.
fn layers() -> [CorsLayer; 2] {
    let waiting = policy_fn(|_| {
        VerdictFuture::new(async {
            tokio::task::yield_now().await;
            Verdict::from(true)
        })
    });
    [
        CorsLayer::builder().allow_origins([LISTED]),
        CorsLayer::builder().origin_policy(waiting),
    ]
    .map(|builder| builder.build().unwrap())
}

#[derive(Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inner service has failed")
    }
}

impl std::error::Error for Failure {}

/// Does what the path says. Ready at the third time that it is asked; a clone begins anew.
#[derive(Default)]
struct Moody {
    calls: Calls,
    not_ready: Arc<AtomicUsize>,
    asked: usize,
}

impl Clone for Moody {
    fn clone(&self) -> Self {
        Self {
            calls: self.calls.clone(),
            not_ready: Arc::clone(&self.not_ready),
            asked: 0,
        }
    }
}

impl<B> Service<Request<B>> for Moody {
    type Response = Response<Full<Bytes>>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Self::Response, Failure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.asked += 1;
        if self.asked < 3 {
            self.not_ready.fetch_add(1, Ordering::SeqCst);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(self.asked >= 3, "called before it is ready");
        self.asked = 0;
        let response = self.calls.answer(&request);
        let path = request.uri().path().to_owned();
        if path == "/panics-when-called" {
            resume_unwind(Box::new("called"));
        }
        async move {
            tokio::task::yield_now().await;
            match &*path {
                "/fails" => Err(Failure),
                "/panics" => resume_unwind(Box::new("polled")),
                _ => Ok(response),
            }
        }
        .boxed()
    }
}

pub(crate) fn fail(scale: Scale) -> String {
    goes_wrong(&["/fails"], scale.of(10, 500))
}

pub(crate) fn panic(scale: Scale) -> String {
    goes_wrong(&["/panics-when-called", "/panics"], scale.of(10, 500))
}

/// Over a limit of one, which would stop everything if a place were not given back.
fn goes_wrong(paths: &[&str], rounds: usize) -> String {
    for version in Version::BOTH {
        for cors in layers() {
            let moody = Moody::default();
            let service = ServiceBuilder::new()
                .layer(GlobalConcurrencyLimitLayer::new(1))
                .layer(cors)
                .layer(GlobalConcurrencyLimitLayer::new(1))
                .service(moody.clone());
            one_thread().block_on(async {
                let address = serve(service).await;
                for round in 1..=rounds {
                    for path in paths {
                        let mut client = Client::connect(version, address).await;
                        let answer = client.ask(get(address, path, LISTED)).await;
                        assert!(answer.is_err(), "{answer:?}");
                        assert_eq!(moody.calls.of(path), round);
                    }
                    let mut client = Client::connect(version, address).await;
                    let answer = client.ask(get(address, "/good", LISTED)).await.unwrap();
                    assert_eq!(answer.origin.as_deref(), Some(LISTED));
                    assert_eq!(moody.calls.of("/good"), round);
                }
            });
        }
    }
    let times = rounds * paths.len() * 4;
    format!("{times} times; the next request is answered, each inner call once")
}

pub(crate) fn unready(scale: Scale) -> String {
    let requests = scale.of(50, 2_000);
    let mut not_ready = 0;
    for version in Version::BOTH {
        for cors in layers() {
            let moody = Moody::default();
            let service = cors.layer(moody.clone());
            one_thread().block_on(async {
                let address = serve(service).await;
                let mut client = Client::connect(version, address).await;
                let mut others = Vec::new();
                for _ in 0..8 {
                    others.push(Client::connect(version, address).await);
                }
                for _ in 0..requests {
                    let answer = client.ask(get(address, "/one", LISTED)).await.unwrap();
                    assert_eq!(answer.origin.as_deref(), Some(LISTED));
                }
                let asking = others.iter_mut().map(async |client| {
                    let answer = client.ask(get(address, "/others", LISTED)).await.unwrap();
                    assert_eq!(answer.origin.as_deref(), Some(LISTED));
                });
                join_all(asking).await;
            });
            assert_eq!(moody.calls.of("/one"), requests);
            assert_eq!(moody.calls.of("/others"), 8);
            not_ready += moody.not_ready.load(Ordering::SeqCst);
        }
    }
    // Each request is served by a clone, which is asked until it is ready.
    assert_eq!(not_ready, (requests + 8) * 4 * 2);
    format!("{not_ready} times not ready, never called before it was; each inner call once")
}
