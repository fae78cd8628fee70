//! Any header values, through complete layers: at most one grant, and only of what was sent.
#![no_main]

use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{
    HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        HOST, ORIGIN, VARY,
    },
};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service, service_fn};
use tower_cors::{Any, CorsLayer, CorsLayerBuilder, DeniedRequests};

fuzz_target!(|bytes: &[u8]| {
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    for layer in [
        listed(),
        listed().denied_requests(DeniedRequests::Refuse),
        any(),
    ] {
        play(
            layer.build().expect("a configuration without mistakes"),
            &lines,
        );
    }
});

fn listed() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins([
            "https://a.example",
            "https://*.b.example",
            "http://localhost:*",
        ])
        .allow_credentials(true)
        .allow_methods(Any)
        .allow_headers(Any)
}

fn any() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(Any)
        .allow_methods(["PUT"])
}

fn play(layer: CorsLayer, lines: &[&[u8]]) {
    let names = [
        ORIGIN,
        ACCESS_CONTROL_REQUEST_METHOD,
        ACCESS_CONTROL_REQUEST_HEADERS,
        HOST,
        VARY,
    ];
    let mut request = Request::new(());
    *request.method_mut() = Method::OPTIONS;
    for (i, line) in lines.iter().take(40).enumerate() {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            request
                .headers_mut()
                .append(names[i % names.len()].clone(), value);
        }
    }
    let sent = request.headers().get(ORIGIN).cloned();
    let inner = service_fn(|request: Request<()>| async move {
        let mut response = Response::new(());
        *response.headers_mut() = request.into_parts().0.headers;
        Ok::<_, Infallible>(response)
    });
    let mut service = layer.layer(inner);
    let Poll::Ready(Ok(response)) =
        pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("a list is ready, and so is the inner service");
    };
    let mut granted = response
        .headers()
        .get_all(ACCESS_CONTROL_ALLOW_ORIGIN)
        .iter();
    if let Some(value) = granted.next() {
        assert!(value == "*" || Some(value) == sent.as_ref());
        assert!(granted.next().is_none());
    }
}
