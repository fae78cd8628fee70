//! A service of each kind, driven without a runtime.

use std::{
    convert::Infallible,
    future::Future,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Empty;
use tower::{Layer, Service, layer::layer_fn};
use tower_cors::{CorsLayer, policy_fn};
use tower_http::cors as peer;

#[cfg(feature = "token")]
use super::token;
use super::{
    config::{Config, EXPOSED, HEADERS, MAX_AGE, METHODS, Origins},
    implementation::Implementation,
    inner::Inner,
    minimum::{Minimum, Rules},
    scenario::{Head, Scenario},
};

/// What stands around the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stack {
    /// The services themselves.
    Tower,
    /// A router as `axum::serve` serves it, which finishes its routes once for each connection.
    Axum,
    /// A router as it is called in tests and by servers of one's own, which finishes a route once
    /// for each request.
    Router,
}

impl Stack {
    pub(crate) const ALL: [Self; 3] = [Self::Tower, Self::Axum, Self::Router];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tower => "tower",
            Self::Axum => "axum",
            Self::Router => "router",
        }
    }
}

/// A service to be measured, its types forgotten.
pub(crate) trait Subject {
    /// Makes requests to be served later.
    fn prepare(&mut self, head: &Head, count: usize);
    /// Serves the requests, and drops the responses.
    fn run(&mut self);
    fn answer(&mut self, head: &Head) -> (StatusCode, HeaderMap);
    /// Clones the service, and drops the clones.
    fn clone_and_drop(&self, count: usize);
}

pub(crate) fn subject(
    stack: Stack,
    implementation: Implementation,
    scenario: &Scenario,
) -> Box<dyn Subject> {
    match stack {
        Stack::Tower => tower(implementation, scenario),
        Stack::Axum => {
            let router: Router = router(implementation, scenario).with_state(());
            Box::new(Driven::<Cloned<Router>, Body>::new(Cloned(router)))
        }
        Stack::Router => {
            let router = router(implementation, scenario);
            Box::new(Driven::<Cloned<Router>, Body>::new(Cloned(router)))
        }
    }
}

/// A body of nothing.
type Nothing = Empty<bytes::Bytes>;

/// A bare tower stack around this inner service.
pub(super) fn driven<S, R>(service: S) -> Box<dyn Subject>
where
    S: Service<Request<Nothing>, Response = Response<R>, Error = Infallible> + Clone + 'static,
{
    Box::new(Driven::<_, Nothing>::new(service))
}

fn tower(implementation: Implementation, scenario: &Scenario) -> Box<dyn Subject> {
    let inner = Inner::<Nothing>::new(scenario.inner_vary);
    let config = &scenario.config;
    match implementation {
        Implementation::None => driven(inner),
        Implementation::Minimum => driven(Minimum::new(inner, Arc::new(Rules::new(config)))),
        Implementation::Ours => driven(build_layer(config).layer(inner)),
        Implementation::TowerHttp => driven(build_peer(config, config.entries()).layer(inner)),
    }
}

/// The floor has a layer too, one that does nothing: `Router::layer` costs something by itself.
fn router(implementation: Implementation, scenario: &Scenario) -> Router {
    let config = &scenario.config;
    let inner = Inner::<Body>::new(scenario.inner_vary);
    let handler = any(move |request: Request<Body>| inner.clone().call(request));
    let router = Router::new().route("/orders", handler);
    match implementation {
        Implementation::None => {
            // Not a type without size: what holds nothing is boxed for nothing.
            let held = Arc::new(());
            router.layer(layer_fn(move |inner| {
                black_box(&held);
                inner
            }))
        }
        Implementation::Minimum => {
            let rules = Arc::new(Rules::new(config));
            router.layer(layer_fn(move |inner| {
                Minimum::new(inner, Arc::clone(&rules))
            }))
        }
        Implementation::Ours => router.layer(build_layer(config)),
        Implementation::TowerHttp => router.layer(build_peer(config, config.entries())),
    }
}

/// This crate's layer.
pub(crate) fn build_layer(config: &Config) -> CorsLayer {
    let builder = CorsLayer::builder()
        .allow_credentials(config.credentials)
        .max_age(Duration::from_secs(MAX_AGE.into()));
    let builder = match config.origins {
        Origins::Any => builder.allow_origins(tower_cors::Any),
        Origins::Policy => builder.origin_policy(policy_fn(|_| true)),
        #[cfg(feature = "token")]
        Origins::Token => {
            let verifier = token::Says::new(&token::claims(&config.entries()));
            builder.origin_policy(token::policy(verifier))
        }
        _ => builder.allow_origins(config.entries()),
    };
    let builder = if config.any_lists {
        builder
            .allow_methods(tower_cors::Any)
            .allow_headers(tower_cors::Any)
    } else {
        builder.allow_methods(METHODS).allow_headers(HEADERS)
    };
    let builder = if config.exposed {
        builder.expose_headers(EXPOSED)
    } else {
        builder
    };
    builder.build().unwrap()
}

/// The peer's layer with the same configuration. It knows no patterns: its documentation gives a
/// predicate as the way.
pub(crate) fn build_peer(config: &Config, entries: Vec<String>) -> peer::CorsLayer {
    let names = |names: &[&str]| -> Vec<HeaderName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    };
    let mut entries = entries.into_iter();
    let values = |entries: &mut dyn Iterator<Item = String>| -> Vec<HeaderValue> {
        entries.map(|text| text.parse().unwrap()).collect()
    };
    let origins = match config.origins {
        Origins::Any => peer::AllowOrigin::any(),
        Origins::Policy => peer::AllowOrigin::predicate(|_, _| true),
        #[cfg(feature = "token")]
        Origins::Token => peer::AllowOrigin::any(),
        Origins::One => peer::AllowOrigin::exact(values(&mut entries).remove(0)),
        Origins::List(_) => peer::AllowOrigin::list(values(&mut entries)),
        Origins::Patterns(_) | Origins::MixedPatterns(_) => {
            let tails: Vec<String> = entries.map(|text| text.replace("https://*", "")).collect();
            peer::AllowOrigin::predicate(move |origin, _| {
                let origin = origin.as_bytes();
                origin.starts_with(b"https://")
                    && tails.iter().any(|tail| origin.ends_with(tail.as_bytes()))
            })
        }
    };
    let layer = peer::CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(config.credentials)
        .max_age(Duration::from_secs(MAX_AGE.into()));
    let layer = if config.any_lists && config.credentials {
        layer
            .allow_methods(peer::AllowMethods::mirror_request())
            .allow_headers(peer::AllowHeaders::mirror_request())
    } else if config.any_lists {
        layer.allow_methods(peer::Any).allow_headers(peer::Any)
    } else {
        let methods: Vec<Method> = METHODS.iter().map(|name| name.parse().unwrap()).collect();
        layer.allow_methods(methods).allow_headers(names(&HEADERS))
    };
    if config.exposed {
        layer.expose_headers(names(&EXPOSED))
    } else {
        layer
    }
}

/// Serves each request with a clone of the service, as axum's server does.
#[derive(Clone)]
struct Cloned<S>(S);

impl<S: Service<R> + Clone, R> Service<R> for Cloned<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let clone = self.0.clone();
        std::mem::replace(&mut self.0, clone).call(request)
    }
}

struct Driven<S, B> {
    service: S,
    requests: Vec<Request<B>>,
}

impl<S, B> Driven<S, B> {
    fn new(service: S) -> Self {
        Self {
            service,
            requests: Vec::new(),
        }
    }
}

impl<S, B, R> Subject for Driven<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
    B: Default,
{
    fn prepare(&mut self, head: &Head, count: usize) {
        self.requests.extend((0..count).map(|_| request(head)));
    }

    fn run(&mut self) {
        for request in self.requests.drain(..) {
            drop(black_box(serve(&mut self.service, request)));
        }
    }

    fn answer(&mut self, head: &Head) -> (StatusCode, HeaderMap) {
        let (parts, _) = serve(&mut self.service, request(head)).into_parts();
        (parts.status, parts.headers)
    }

    fn clone_and_drop(&self, count: usize) {
        for _ in 0..count {
            drop(black_box(self.service.clone()));
        }
    }
}

fn request<B: Default>(head: &Head) -> Request<B> {
    let mut request = Request::new(B::default());
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    request
}

#[inline(never)]
fn serve<S, B, R>(service: &mut S, request: Request<B>) -> Response<R>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(())) = service.poll_ready(&mut cx) else {
        panic!("every service here is ready");
    };
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("nothing here waits"),
    }
}
