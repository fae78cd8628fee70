//! A request through a layer, and its answer as one line.

use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{Request, Response, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::CorsLayer;

use crate::Failure;

pub(crate) fn get<B: Default>(origin: &str) -> Result<Request<B>, Failure> {
    Ok(Request::get("/")
        .header(header::ORIGIN, origin)
        .body(B::default())?)
}

pub(crate) fn preflight(origin: &str, method: &str, names: &str) -> Result<Request<String>, Failure> {
    Ok(Request::options("/")
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, names)
        .body(String::new())?)
}

pub(crate) fn play_on(name: &str, layer: &CorsLayer, request: Request<String>) -> Result<String, Failure> {
    let service = layer.layer(service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new("hello".to_owned()))
    }));
    Ok(line(name, &finish(service.oneshot(request))??))
}

/// The status and every header, in the order of their names.
pub(crate) fn line<B>(name: &str, response: &Response<B>) -> String {
    let mut headers: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| format!(" | {name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    format!("{name}: {}{}", response.status().as_u16(), headers.concat())
}

/// The result of a future that never waits: there is no runtime.
pub(crate) fn finish<F: Future>(future: F) -> Result<F::Output, Failure> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("something waits".into()),
    }
}
