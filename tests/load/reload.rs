//! A configuration that is replaced while connections are busy.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::join_all;
use http::{Method, Request, header};
use hyper::body::Incoming;
use tower::{Layer, service_fn};
use tower_cors::{CorsLayer, CorsRequest, DeniedRequests, Verdict, VerdictFuture, policy_fn};

use crate::{
    Scale,
    scene::{Answer, Calls, Client, Sent, Version, get, serve, two_threads},
};

const CLIENTS: usize = 8;
const FIRST: &str = "https://first.example";
const SECOND: &str = "https://second.example";

pub(crate) fn http1(scale: Scale) -> String {
    play(Version::Http1, scale.of(150, 5_000))
}

pub(crate) fn http2(scale: Scale) -> String {
    play(Version::Http2, scale.of(150, 5_000))
}

/// Two configurations that agree in nothing: origins, exposed names, and whether they wait.
fn configurations() -> [CorsLayer; 2] {
    let waiting = policy_fn(|request: &CorsRequest<'_>| {
        let is_second = request.origin().tuple().unwrap().as_str() == SECOND;
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            Verdict::from(is_second)
        })
    });
    [
        CorsLayer::builder()
            .allow_origins([FIRST])
            .expose_headers(["x-first"]),
        CorsLayer::builder()
            .origin_policy(waiting)
            .expose_headers(["x-second"]),
    ]
    .map(|builder| {
        builder
            .denied_requests(DeniedRequests::Refuse)
            .build()
            .unwrap()
    })
}

fn preflight(address: SocketAddr, origin: &str) -> Request<Sent> {
    let mut request = get(address, "/", origin);
    *request.method_mut() = Method::OPTIONS;
    let method = header::ACCESS_CONTROL_REQUEST_METHOD;
    request.headers_mut().insert(method, "GET".parse().unwrap());
    request
}

/// Whether a configuration allowed the origin. Fails if the answer is of neither or of both.
fn is_allowed(answer: &Answer, origin: &str, is_preflight: bool) -> bool {
    let own = if origin == FIRST {
        "x-first"
    } else {
        "x-second"
    };
    let allowed = if is_preflight {
        (204, Some(origin), None)
    } else {
        (200, Some(origin), Some(own))
    };
    let seen = (
        answer.status,
        answer.origin.as_deref(),
        answer.exposed.as_deref(),
    );
    assert!(seen == allowed || seen == (403, None, None), "{answer:?}");
    seen == allowed
}

fn play(version: Version, requests: usize) -> String {
    let [first, second] = configurations();
    let (cors, handle) = first.clone().reloadable();
    let (calls, reloads) = (Calls::default(), Arc::new(AtomicUsize::new(0)));
    let runtime = two_threads();
    let (allowed, refused, forwarded) = runtime.block_on(async {
        let inner = {
            let calls = calls.clone();
            service_fn(move |request: Request<Incoming>| {
                let response = calls.answer(&request);
                async { Ok::<_, Infallible>(response) }
            })
        };
        let address = serve(cors.layer(inner)).await;
        let reloading = {
            let reloads = Arc::clone(&reloads);
            tokio::spawn(async move {
                loop {
                    for configuration in [&second, &first] {
                        handle.reload(configuration.clone()).unwrap();
                        reloads.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                    }
                }
            })
        };
        let clients = (0..CLIENTS).map(|number| {
            tokio::spawn(async move {
                let mut client = Client::connect(version, address).await;
                let (mut allowed, mut refused, mut forwarded) = (0, 0, 0);
                for round in 0..requests {
                    let origin = [FIRST, SECOND][(number + round) % 2];
                    let is_preflight = round % 4 >= 2;
                    let request = if is_preflight {
                        preflight(address, origin)
                    } else {
                        get(address, "/", origin)
                    };
                    let answer = client.ask(request).await.unwrap();
                    if is_allowed(&answer, origin, is_preflight) {
                        allowed += 1;
                        forwarded += usize::from(!is_preflight);
                    } else {
                        refused += 1;
                    }
                }
                (allowed, refused, forwarded)
            })
        });
        let mut sums = (0, 0, 0);
        for client in join_all(clients).await {
            let (allowed, refused, forwarded) = client.unwrap();
            sums = (sums.0 + allowed, sums.1 + refused, sums.2 + forwarded);
        }
        reloading.abort();
        sums
    });
    assert_eq!(
        calls.in_all(),
        forwarded,
        "each allowed request is one call"
    );
    let reloads = reloads.load(Ordering::Relaxed);
    assert!(
        allowed > 0 && refused > 0 && reloads > 1,
        "nothing was reloaded"
    );
    format!(
        "{} requests during {reloads} reloads, {allowed} allowed: each answer of one configuration, \
         each inner call once",
        CLIENTS * requests
    )
}
