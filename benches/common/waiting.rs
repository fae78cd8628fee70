//! A policy that has to be waited for, before the service that does next to nothing.

use std::{hint::black_box, time::Duration};

use http::{Request, Response};
use tokio::runtime::Runtime;
use tower::{Layer, Service};
use tower_cors::{Cors, CorsLayer, Verdict, VerdictFuture, policy_fn};

use super::{config::listed_origin, inner::Inner};

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// An async block, which waits for the same time and calls the service: no CORS.
    ByHand,
    /// This crate's layer.
    Layer,
    /// The same with a limit to the time that a verdict may take.
    LimitedLayer,
}

impl Waiter {
    pub(crate) const ALL: [Self; 3] = [Self::ByHand, Self::Layer, Self::LimitedLayer];
}

/// After how many milliseconds the policy answers.
pub(crate) const DELAYS: [u64; 3] = [0, 1, 10];

/// Requests, and somebody who waits for each of them.
pub(crate) struct Waited {
    runtime: Runtime,
    waiter: Waiter,
    delay: Duration,
    inner: Inner<()>,
    service: Cors<Inner<()>>,
    requests: Vec<Request<()>>,
}

impl Waited {
    pub(crate) fn new(waiter: Waiter, milliseconds: u64) -> Self {
        let delay = Duration::from_millis(milliseconds);
        let policy = policy_fn(move |_| {
            VerdictFuture::new(async move {
                wait(delay).await;
                Verdict::from(true)
            })
        });
        let builder = CorsLayer::builder().origin_policy(policy);
        let builder = match waiter {
            Waiter::LimitedLayer => {
                builder.verdict_timeout(Duration::from_secs(2), tokio::time::sleep)
            }
            Waiter::ByHand | Waiter::Layer => builder,
        };
        let inner = Inner::new(None);
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap(),
            waiter,
            delay,
            service: builder.build().unwrap().layer(inner.clone()),
            inner,
            requests: Vec::new(),
        }
    }

    pub(crate) fn prepare(&mut self, count: usize) {
        let request = Request::get("/orders").header("origin", listed_origin(0));
        let request = request.body(()).unwrap();
        self.requests.extend((0..count).map(|_| request.clone()));
    }

    /// Serves the requests one after the other, and drops the responses.
    pub(crate) fn run(&mut self) {
        let Self {
            runtime,
            waiter,
            delay,
            inner,
            service,
            requests,
        } = self;
        runtime.block_on(async {
            for request in requests.drain(..) {
                let response: Response<()> = match waiter {
                    Waiter::ByHand => {
                        wait(*delay).await;
                        inner.call(request).await.unwrap()
                    }
                    Waiter::Layer | Waiter::LimitedLayer => service.call(request).await.unwrap(),
                };
                drop(black_box(response));
            }
        });
    }
}

/// As a database would be waited for, if at all.
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}
