//! What tower demands of a middleware: readiness, clones, sizes and auto traits.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    mem::size_of,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_cors::{
    config::{CorsLayerBuilder, ReportOnly},
    error::*,
    fetch_metadata::{
        CrossSiteDenial, CrossSiteDenialKind, FetchMetadata, FetchMetadataLayer,
        FetchMetadataLayerBuilder,
    },
    host::{
        HostCheck, HostDenial, HostDenialKind, HostError, HostErrorReason, HostErrors, HostLayer,
        HostLayerBuilder,
    },
    layer::*,
    lists::*,
    observe::*,
    origin::*,
    policy::*,
    request::*,
    routes::MethodRules,
};

const LISTED: &str = "https://app.example";

/// Panics when it is called without having been polled ready; a clone starts unready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    clones: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::Relaxed);
        Self {
            ready: false,
            clones: Arc::clone(&self.clones),
        }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it is ready");
        ready(Ok(Response::new("inner".to_owned())))
    }
}

fn request(origin: &str) -> Request<()> {
    Request::get("/").header("origin", origin).body(()).unwrap()
}

fn listed() -> CorsLayer {
    CorsLayer::builder()
        .allow_origins([LISTED])
        .build()
        .unwrap()
}

fn waiting() -> CorsLayer {
    let policy = policy_fn(|_| {
        VerdictFuture::new(async {
            tokio::task::yield_now().await;
            Verdict::Allow(Grant::new())
        })
    });
    CorsLayer::builder().origin_policy(policy).build().unwrap()
}

#[tokio::test]
async fn a_ready_verdict_does_not_clone_the_inner_service() {
    let strict = Strict::default();
    let clones = Arc::clone(&strict.clones);
    let mut service = listed().layer(strict);
    for origin in [LISTED, "https://evil.example", "null"] {
        let response = service.ready().await.unwrap().call(request(origin)).await;
        assert_eq!(response.unwrap().body(), "inner");
    }
    assert_eq!(clones.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_verdict_to_wait_for_takes_the_ready_service_and_leaves_a_clone() {
    let strict = Strict::default();
    let clones = Arc::clone(&strict.clones);
    let mut service = waiting().layer(strict);
    for calls in 1..4 {
        let first = service.ready().await.unwrap().call(request(LISTED));
        assert_eq!(clones.load(Ordering::Relaxed), calls);
        assert!(
            !service.get_ref().ready,
            "what is left is the unready clone"
        );
        assert_eq!(first.await.unwrap().body(), "inner");
    }
}

#[tokio::test]
async fn requests_that_wait_do_not_wait_for_each_other() {
    let mut service = waiting().layer(Strict::default());
    let first = service.ready().await.unwrap().call(request(LISTED));
    let second = service.ready().await.unwrap().call(request(LISTED));
    assert_eq!(second.await.unwrap().body(), "inner");
    assert_eq!(first.await.unwrap().body(), "inner");
}

#[tokio::test]
async fn works_among_the_layers_of_tower() {
    for cors in [listed(), waiting()] {
        let service = ServiceBuilder::new()
            .buffer(4)
            .layer(cors)
            .concurrency_limit(1)
            .service(Strict::default());
        for _ in 0..3 {
            let response = service.clone().oneshot(request(LISTED)).await.unwrap();
            assert_eq!(response.headers()["access-control-allow-origin"], LISTED);
        }
    }
}

/// A permit of the limit goes with the request that waits, and comes back with its response.
#[tokio::test]
async fn a_waiting_request_keeps_its_permit() {
    let mut service = ServiceBuilder::new()
        .layer(waiting())
        .concurrency_limit(1)
        .service(Strict::default());
    let first = service.ready().await.unwrap().call(request(LISTED));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
    first.await.unwrap();
    service
        .ready()
        .await
        .unwrap()
        .call(request(LISTED))
        .await
        .unwrap();
}

#[test]
fn a_layer_is_one_pointer_and_a_service_one_more() {
    assert_eq!(size_of::<CorsLayer>(), size_of::<usize>());
    assert_eq!(
        size_of::<Cors<Strict>>(),
        size_of::<Strict>() + size_of::<usize>()
    );
}

/// Fails to compile where a public type lacks one of them.
#[test]
fn public_types_can_be_shared_and_shown() {
    fn shared<T: Send + Sync + fmt::Debug>() {}
    fn clone<T: Clone>() {}
    fn send<T: Send + fmt::Debug>() {}
    shared::<(CorsLayer, CorsLayerBuilder, Cors<Strict>)>();
    shared::<(Origin, RequestOrigin, OriginPattern, OriginSet)>();
    shared::<(OriginError, OriginErrorKind, ConfigError, ConfigErrors)>();
    shared::<(BroadPreflightReason, HeaderSetting, HeaderNameErrorReason)>();
    shared::<(MethodErrorReason, DeniedRequests, ConfigList, MaxAge)>();
    shared::<(AllowHeaders, AllowMethods, ExposeHeaders, Terms)>();
    shared::<(Any, Verdict, Grant, Denial, DenialKind, PolicyProperties)>();
    shared::<(Fallback<Any, Any>, WithPreflight<Any, Any>)>();
    shared::<(
        Decision,
        Outcome,
        RequestKind,
        Difference,
        Change,
        Judgement,
    )>();
    shared::<(ReportOnly, MethodRules)>();
    shared::<PolicyFn<fn(&CorsRequest<'_>) -> Verdict>>();
    shared::<(CorsRequest<'_>, Preflight<'_>, RequestedHeaders<'_>)>();
    clone::<(CorsLayer, Cors<Strict>, OriginSet, Grant, Denial)>();
    shared::<(HostLayer, HostLayerBuilder, HostCheck<Strict>)>();
    shared::<(HostDenial, HostDenialKind, HostError, HostErrors)>();
    shared::<(FetchMetadataLayer, FetchMetadataLayerBuilder)>();
    shared::<FetchMetadata<Strict>>();
    shared::<(CrossSiteDenial, CrossSiteDenialKind, HostErrorReason)>();
    clone::<(HostLayer, HostCheck<Strict>, HostDenial, HostErrors)>();
    clone::<(FetchMetadataLayer, FetchMetadata<Strict>, CrossSiteDenial)>();
    send::<tower_cors::host::ResponseFuture<Ready<()>>>();
    send::<tower_cors::fetch_metadata::ResponseFuture<Strict, ()>>();
    send::<VerdictFuture>();
    send::<ResponseFuture<Strict, ()>>();
}

/// The layers beside CORS: the service that was polled ready is the one that is called, also after a
/// verdict that was waited for.
#[tokio::test]
async fn layers_beside_cors_call_the_service_that_is_ready() {
    let check = |policy: PolicyFn<fn(&CorsRequest<'_>) -> VerdictFuture>| {
        let builder = FetchMetadataLayer::builder().origin_policy(policy);
        builder.build().unwrap()
    };
    let ready = check(policy_fn(|_| VerdictFuture::ready(true)));
    let later = check(policy_fn(|_| {
        VerdictFuture::new(async {
            tokio::task::yield_now().await;
            Verdict::from(true)
        })
    }));
    let mut sent = request(LISTED);
    sent.headers_mut()
        .insert("host", "api.example".parse().unwrap());
    for (layer, clones) in [(ready, 0), (later, 1)] {
        let inner = Strict::default();
        let counted = Arc::clone(&inner.clones);
        let mut service = layer.layer(inner);
        for _ in 0..2 {
            let response = service.ready().await.unwrap().call(sent.clone()).await;
            assert_eq!(response.unwrap().body(), "inner");
        }
        assert_eq!(counted.load(Ordering::Relaxed), 2 * clones);
        assert!(format!("{service:?}").starts_with("FetchMetadata { inner: Strict { "));
        let future = service.ready().await.unwrap().call(sent.clone());
        assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
        assert!(!service.get_mut().ready && !service.get_ref().ready);
        assert!(!service.into_inner().ready);
    }

    let hosts = HostLayer::builder().allow_hosts("api.example");
    let mut service = hosts.build().unwrap().layer(Strict::default());
    let response = service.ready().await.unwrap().call(sent.clone()).await;
    assert_eq!(response.unwrap().body(), "inner");
    assert!(format!("{service:?}").starts_with("HostCheck { inner: Strict { "));
    let future = service.ready().await.unwrap().call(sent);
    assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
    assert!(!service.get_mut().ready && !service.get_ref().ready);
    assert!(!service.into_inner().ready);
}
