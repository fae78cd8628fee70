//! Responses whose map of headers has no room left, which any lookup that reserves first enlarges.

use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response,
    header::{ORIGIN, VARY},
};
use tower::{Layer, Service, service_fn};

use crate::common::{Config, Origins, build_layer};

/// An origin that is denied gets nothing, and the inner service says already that it varies.
pub(crate) fn nothing_is_allocated_where_nothing_is_added() {
    let layer = build_layer(&Config::new(Origins::List(10)));
    for vary in ["origin", "*", "accept-encoding", "Accept-Encoding, Origin"] {
        for count in [6, 12] {
            let full = full_map(count, vary);
            assert_eq!(full.len(), full.capacity(), "{count}");
            // The first clone of a name makes it one that is shared.
            drop(full.clone());
            let inner = service_fn(|_: Request<()>| {
                let mut response = Response::new(());
                *response.headers_mut() = full.clone();
                ready(Ok::<_, Infallible>(response))
            });
            let bare = allocations(inner);
            let ours = allocations(layer.layer(inner));
            assert_eq!(ours, bare, "{count} headers, Vary: {vary}");
        }
    }
}

fn full_map(count: usize, vary: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(count);
    headers.insert(VARY, HeaderValue::from_static(vary));
    for i in 1..count {
        let name: HeaderName = format!("x-{i}").parse().unwrap();
        headers.insert(name, HeaderValue::from_static("1"));
    }
    headers
}

fn allocations<S>(mut service: S) -> u64
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    let mut request = Request::new(());
    let denied = HeaderValue::from_static("https://denied.example.com");
    request.headers_mut().insert(ORIGIN, denied);
    let mut request = Some(request);
    let mut cx = Context::from_waker(Waker::noop());
    let info = measure(|| {
        let future = pin!(service.call(request.take().unwrap()));
        let Poll::Ready(Ok(response)) = future.poll(&mut cx) else {
            panic!("nothing here waits");
        };
        drop(response);
    });
    info.count_total
}
