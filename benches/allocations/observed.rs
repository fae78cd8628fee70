//! What observers of decisions cost, as the guide says it.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use http::{HeaderValue, Request, header::ORIGIN};
use tower::{Layer, Service};
use tower_cors::{CorsLayer, CorsLayerBuilder};

use crate::common::Inner;

const LISTED: &str = "https://app.example.com";
const DENIED: &str = "https://denied.example.com";

pub(crate) fn what_is_allowed_costs_a_hook_nothing() {
    let list = || CorsLayer::builder().allow_origins([LISTED]);
    let hooked = || {
        list().on_decision(|decision| {
            black_box(decision.outcome());
        })
    };
    let shadowed = || list().report_only(list());
    assert_eq!(added(hooked(), LISTED), 0, "a hook");
    assert_eq!(added(hooked(), DENIED), 2, "a hook hears of a denial");
    assert_eq!(added(shadowed(), LISTED), 0, "a list in shadow");
    let recorded = added(list().record_decisions(true), LISTED);
    assert_eq!(recorded, 9, "a decision that is recorded in both maps");
}

/// The allocations beyond those of a layer that nobody observes.
fn added(builder: CorsLayerBuilder, origin: &'static str) -> u64 {
    let plain = CorsLayer::builder().allow_origins([LISTED]);
    allocations(builder, origin) - allocations(plain, origin)
}

fn allocations(builder: CorsLayerBuilder, origin: &'static str) -> u64 {
    let mut service = builder.build().unwrap().layer(Inner::<()>::new(None));
    let mut request = Request::new(());
    let origin = HeaderValue::from_static(origin);
    request.headers_mut().insert(ORIGIN, origin);
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
