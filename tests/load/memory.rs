//! What many requests leave behind: nothing. Counted by the allocator on the one thread that
//! everything runs on, so that nothing else is counted.

use std::{
    cell::Cell,
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    task::{Context, Poll, Waker},
    time::Duration,
};

use allocation_counter::measure;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tower::{Layer, Service, service_fn};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, CorsRequest, DeniedRequests, Verdict, VerdictFuture, policy_fn,
};

use crate::{
    Scale,
    scene::{Calls, Client, LISTED, STRANGER, Version, get, one_thread, serve},
};

/// A policy that has to be waited for, with a limit whose timer never ends.
fn waiting() -> CorsLayerBuilder {
    let policy = policy_fn(|request: &CorsRequest<'_>| {
        let is_listed = request
            .origin()
            .tuple()
            .is_some_and(|origin| origin.as_str() == LISTED);
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            Verdict::from(is_listed)
        })
    });
    CorsLayer::builder()
        .origin_policy(policy)
        .verdict_timeout(Duration::from_secs(1), |_| std::future::pending())
}

fn layers() -> Vec<CorsLayer> {
    let list = || CorsLayer::builder().allow_origins([LISTED, "https://*.app.example"]);
    let refusing = |builder: CorsLayerBuilder| builder.denied_requests(DeniedRequests::Refuse);
    let (reloadable, _) = list().build().unwrap().reloadable();
    let mut layers = vec![reloadable];
    for builder in [list(), refusing(list()), waiting(), refusing(waiting())] {
        layers.push(builder.record_denials(true).build().unwrap());
    }
    layers
}

fn requests() -> Vec<Request<()>> {
    let request = |method: Method, origin: &str| {
        let request = Request::builder().method(method).uri("/");
        let request = request.header("origin", origin);
        let request = request.header("access-control-request-method", "GET");
        request.body(()).unwrap()
    };
    let mut requests = vec![Request::new(())];
    for origin in [
        LISTED,
        "https://x.app.example",
        STRANGER,
        "null",
        "no origin",
    ] {
        requests.extend([Method::GET, Method::OPTIONS].map(|method| request(method, origin)));
    }
    requests
}

pub(crate) fn in_process(scale: Scale) -> String {
    let wanted = scale.of(200_000, 10_000_000);
    let (layers, requests) = (layers(), requests());
    let rounds = wanted.div_ceil(layers.len() * requests.len());
    let mut played = 0;
    for cors in layers {
        let called = Cell::new(0);
        let mut service = cors.layer(service_fn(|_: Request<()>| {
            called.set(called.get() + 1);
            let response = Response::builder().header("x-inner", "called");
            async { Ok::<_, Infallible>(response.body(()).unwrap()) }
        }));
        let mut answered = 0;
        let mut round = || {
            for request in &requests {
                let response = respond(&mut service, request.clone());
                answered += usize::from(response.headers().contains_key("x-inner"));
            }
        };
        round();
        let kept = measure(|| {
            for _ in 0..rounds {
                round();
            }
        });
        assert_eq!((kept.count_current, kept.bytes_current), (0, 0));
        assert_eq!(
            called.get(),
            answered,
            "one call for each answer of the service"
        );
        played += rounds * requests.len();
    }
    format!("{played} requests: not one allocation or byte is left")
}

fn respond<S: Service<Request<()>, Response = Response<()>, Error = Infallible>>(
    service: &mut S,
    request: Request<()>,
) -> Response<()> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut response = std::pin::pin!(service.call(request));
    for _ in 0..4 {
        if let Poll::Ready(response) = response.as_mut().poll(&mut cx) {
            return response.unwrap();
        }
    }
    panic!("neither the policy nor the service waits for so long");
}

/// What buffers of a connection may have grown by, whatever comes over it.
const BUFFERS: i64 = 128 * 1024;

pub(crate) fn over_a_socket(scale: Scale) -> String {
    let requests = scale.of(2_000, 200_000);
    let mut kept = Vec::new();
    for version in Version::BOTH {
        let calls = Calls::default();
        let runtime = one_thread();
        let counted = calls.clone();
        let (mut client, address) = runtime.block_on(async {
            let inner = service_fn(move |request: Request<Incoming>| {
                let response = counted.answer(&request);
                async { Ok::<_, Infallible>(response) }
            });
            let cors = waiting().denied_requests(DeniedRequests::Refuse);
            let address = serve(cors.build().unwrap().layer(inner)).await;
            (Client::connect(version, address).await, address)
        });
        runtime.block_on(ask(&mut client, address, 500));
        let info = measure(|| runtime.block_on(ask(&mut client, address, requests)));
        assert!(info.bytes_current.abs() < BUFFERS, "{version:?}: {info:?}");
        assert_eq!(calls.in_all(), (requests + 500) / 2);
        kept.push(format!("{} bytes", info.bytes_current));
    }
    format!(
        "{requests} requests over each version: grown by {}",
        kept.join(" and ")
    )
}

/// Half of them are allowed.
async fn ask(client: &mut Client, address: SocketAddr, requests: usize) {
    for number in 0..requests {
        let (origin, status) = [(LISTED, 200), (STRANGER, 403)][number % 2];
        let answer = client.ask(get(address, "/", origin)).await.unwrap();
        assert_eq!(answer.status, status);
    }
}
