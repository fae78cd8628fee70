//! A layer beside CORS, the service behind it, and what comes of a request.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};

pub(crate) type Inner = BoxCloneService<Request<()>, Response<String>, Infallible>;

/// The whole answer, and how often the inner service was called.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `name: value`, sorted.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    pub(crate) inner_calls: usize,
}

/// Sends a request to an inner service that answers 200 with these headers and the body `inner`.
/// Returns what is in the extensions of the response, too.
pub(crate) fn play<L, D>(
    layer: &L,
    request: &Request<()>,
    headers: &[(&'static str, &'static str)],
) -> (Answer, Option<D>)
where
    L: Layer<Inner>,
    L::Service: Service<Request<()>, Response = Response<String>, Error = Infallible>,
    D: Clone + Send + Sync + 'static,
{
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let headers = headers.to_vec();
    let inner = service_fn(move |_: Request<()>| {
        counter.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::builder();
        for (name, value) in &headers {
            response = response.header(*name, *value);
        }
        std::future::ready(Ok(response.body("inner".to_owned()).unwrap()))
    });
    let service = layer.layer(BoxCloneService::new(inner));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let Ok(response) = runtime.block_on(service.oneshot(request.clone()));
    let (parts, body) = response.into_parts();
    let lines = parts.headers.iter();
    let mut headers: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let answer = Answer {
        status: parts.status.as_u16(),
        headers,
        body,
        inner_calls: calls.load(Ordering::SeqCst),
    };
    (answer, parts.extensions.get::<D>().cloned())
}

/// The answer of the inner service, with exactly these headers.
pub(crate) fn forwarded(headers: &[&str]) -> Answer {
    Answer {
        status: 200,
        headers: headers.iter().map(|line| (*line).to_owned()).collect(),
        body: "inner".to_owned(),
        inner_calls: 1,
    }
}

/// The answer of the layer, with exactly these headers, no body and no call of the inner service.
pub(crate) fn refused(status: u16, headers: &[&str]) -> Answer {
    Answer {
        status,
        headers: headers.iter().map(|line| (*line).to_owned()).collect(),
        body: String::new(),
        inner_calls: 0,
    }
}
