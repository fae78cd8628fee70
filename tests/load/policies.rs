//! Policies that never answer, and policies that panic.

use std::{
    convert::Infallible,
    future::pending,
    panic::resume_unwind,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tower::{Layer, ServiceBuilder, limit::GlobalConcurrencyLimitLayer, service_fn};
use tower_cors::{CorsLayer, CorsRequest, OriginPolicy, Verdict, VerdictFuture, policy_fn};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    Scale,
    scene::{Calls, Census, Client, LISTED, Version, get, one_thread, serve},
};

const LIMIT: Duration = Duration::from_millis(100);
/// Requests that an outer limit lets in at once: fewer than those that never get a verdict.
const PLACES: usize = 8;

/// Never answers, but for pages of the listed origin.
fn silent(verdicts: &Census) -> impl OriginPolicy {
    let verdicts = verdicts.clone();
    policy_fn(move |request: &CorsRequest<'_>| {
        if request.origin().tuple().unwrap().as_str() == LISTED {
            return VerdictFuture::from(Verdict::from(true));
        }
        let present = verdicts.enter();
        VerdictFuture::new(async move {
            let _present = present;
            pending().await
        })
    })
}

pub(crate) fn never_answer(scale: Scale) -> String {
    // All of them connect at once: no more than the listener's queue holds.
    let requests = scale.of(40, 200);
    let mut longest = Duration::ZERO;
    for version in Version::BOTH {
        let (verdicts, calls) = (Census::default(), Calls::default());
        let cors = CorsLayer::builder()
            .origin_policy(silent(&verdicts))
            .verdict_timeout(LIMIT, tokio::time::sleep)
            .build()
            .unwrap();
        one_thread().block_on(async {
            let service = ServiceBuilder::new()
                .layer(GlobalConcurrencyLimitLayer::new(PLACES))
                .layer(cors)
                .service(counting(&calls));
            let address = serve(service).await;
            // The places are taken and come back, turn by turn: nobody is held for ever.
            let asking = (0..requests).map(async |number| {
                let mut client = Client::connect(version, address).await;
                let origin = format!("https://page-{number}.example");
                client.ask(get(address, "/silent", &origin)).await.unwrap()
            });
            let begun = Instant::now();
            for answer in join_all(asking).await {
                assert_eq!((answer.status, answer.origin), (503, None));
            }
            longest = longest.max(begun.elapsed());
            assert!(begun.elapsed() >= LIMIT);
            assert_eq!((verdicts.begun(), verdicts.alive()), (requests, 0));
            assert_eq!(calls.in_all(), 0, "the inner service is not called");
            let mut client = Client::connect(version, address).await;
            let answer = client.ask(get(address, "/good", LISTED)).await.unwrap();
            assert_eq!((answer.status, &*answer.body), (200, &b"/good"[..]));
        });
    }
    format!(
        "{requests} over each version for {PLACES} places: 503 within {:.1} s, no inner call, no \
         verdict left",
        longest.as_secs_f64()
    )
}

fn counting(
    calls: &Calls,
) -> impl tower::Service<
    Request<Incoming>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let calls = calls.clone();
    service_fn(move |request: Request<Incoming>| {
        let response = calls.answer(&request);
        async { Ok(response) }
    })
}

/// Panics for one origin when it is asked, for another while it is waited for.
fn panicking() -> impl OriginPolicy {
    policy_fn(|request: &CorsRequest<'_>| {
        let origin = request.origin().tuple().unwrap().as_str().to_owned();
        if origin == AT_ONCE {
            // A panic without a message, which would only be noise here.
            resume_unwind(Box::new("at once"));
        }
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            if origin == LATER {
                resume_unwind(Box::new("later"));
            }
            Verdict::from(true)
        })
    })
}

const AT_ONCE: &str = "https://at-once.example";
const LATER: &str = "https://later.example";

pub(crate) fn panic(scale: Scale) -> String {
    let rounds = scale.of(10, 100);
    for version in Version::BOTH {
        for is_caught in [false, true] {
            one_thread().block_on(panics_do_no_harm(version, is_caught, rounds));
        }
    }
    format!(
        "{} panics; other requests are answered, no inner call",
        rounds * 8
    )
}

async fn panics_do_no_harm(version: Version, is_caught: bool, rounds: usize) {
    let calls = Calls::default();
    let cors = || {
        let builder = CorsLayer::builder().origin_policy(panicking());
        builder.build().unwrap()
    };
    let address = if is_caught {
        let outer = ServiceBuilder::new().layer(CatchPanicLayer::new());
        serve(outer.layer(cors()).service(counting(&calls))).await
    } else {
        serve(cors().layer(counting(&calls))).await
    };
    let mut bystander = Client::connect(version, address).await;
    for round in 1..=rounds {
        for origin in [AT_ONCE, LATER] {
            let mut client = Client::connect(version, address).await;
            let answer = client.ask(get(address, "/panics", origin)).await;
            if is_caught {
                let answer = answer.unwrap();
                assert_eq!((answer.status, answer.origin), (500, None));
            } else {
                assert!(answer.is_err(), "{answer:?}");
            }
            // Over HTTP/2, another stream of the same connection.
            if version == Version::Http2 {
                let answer = client.ask(get(address, "/beside", LISTED)).await.unwrap();
                assert_eq!(answer.status, 200);
            }
        }
        let answer = bystander.ask(get(address, "/good", LISTED)).await.unwrap();
        assert_eq!(answer.origin.as_deref(), Some(LISTED));
        assert_eq!((calls.of("/good"), calls.of("/panics")), (round, 0));
    }
}
