//! A configuration that is replaced while requests are in flight.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use http::{Method, Request, Response};
use tokio::sync::Notify;
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, Grant, OriginSet, Verdict, VerdictFuture,
    error::ConfigError,
    policy_fn,
    routes::{MethodRule, MethodRules},
};

use crate::support::service::{get_from, preflight_from};

fn headers(response: &Response<()>) -> Vec<String> {
    let lines = response.headers().iter();
    let mut lines: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

async fn send(layer: &CorsLayer, request: Request<()>) -> (u16, Vec<String>) {
    let inner = service_fn(async |_| Ok::<_, Infallible>(Response::new(())));
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    (response.status().as_u16(), headers(&response))
}

fn first() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(["https://first.example"])
        .expose_headers(["x-first"])
}

fn second() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(["https://second.example"])
        .expose_headers(["x-second"])
        .allow_credentials(true)
}

#[tokio::test]
async fn the_next_request_meets_the_new_configuration() {
    let (layer, handle) = first().build().unwrap().reloadable();
    let granted = |n: &str| {
        vec![
            format!("access-control-allow-origin: https://{n}.example"),
            format!("access-control-expose-headers: x-{n}"),
            "vary: origin".to_owned(),
        ]
    };
    let denied = vec!["vary: origin".to_owned()];
    let sent = send(&layer, get_from("https://first.example")).await;
    assert_eq!(sent, (200, granted("first")));

    // A service that was made before is told, too.
    let inner = service_fn(async |_| Ok::<_, Infallible>(Response::new(())));
    let made_before = layer.layer(inner);
    handle.reload(second()).unwrap();

    let response = made_before
        .oneshot(get_from("https://second.example"))
        .await;
    let mut expected = granted("second");
    expected.insert(0, "access-control-allow-credentials: true".to_owned());
    assert_eq!(headers(&response.unwrap()), expected);
    let sent = send(&layer, get_from("https://first.example")).await;
    assert_eq!(sent, (200, denied));
    let sent = send(&layer, preflight_from("https://first.example", "GET", "")).await;
    assert_eq!(sent.0, 403);
}

#[tokio::test]
async fn a_configuration_with_mistakes_is_refused_with_all_of_them_and_the_old_one_stays() {
    let (layer, handle) = first().build().unwrap().reloadable();
    let errors = handle
        .reload(second().allow_methods(["patch"]).expose_headers(["*"]))
        .unwrap_err();
    let kinds: Vec<_> = errors.into_iter().collect();
    assert!(matches!(
        kinds[..],
        [
            ConfigError::Method { .. },
            ConfigError::ExposeAnyWithCredentials
        ]
    ));
    let (_, lines) = send(&layer, get_from("https://first.example")).await;
    assert!(lines.contains(&"access-control-allow-origin: https://first.example".to_owned()));
}

#[tokio::test]
async fn a_request_that_waits_for_its_verdict_keeps_its_configuration() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let slow = policy_fn(move |_| {
        let gate = Arc::clone(&opened);
        VerdictFuture::new(async move {
            gate.notified().await;
            Verdict::Allow(Grant::new())
        })
    });
    let old = CorsLayer::builder()
        .origin_policy(slow)
        .expose_headers(["x-old"]);
    let (layer, handle) = old.build().unwrap().reloadable();
    let waiting = {
        let layer = layer.clone();
        tokio::spawn(async move { send(&layer, get_from("https://any.example")).await })
    };
    tokio::task::yield_now().await;
    handle.reload(first()).unwrap();
    gate.notify_one();
    let (_, lines) = waiting.await.unwrap();
    let old = [
        "access-control-allow-origin: https://any.example",
        "access-control-expose-headers: x-old",
        "vary: origin",
    ];
    assert_eq!(lines, old);
    let (_, lines) = send(&layer, get_from("https://any.example")).await;
    assert_eq!(lines, ["vary: origin"]);
}

#[test]
fn no_answer_is_a_mixture() {
    let (layer, handle) = first().build().unwrap().reloadable();
    let both = |n: &str| {
        CorsLayer::builder()
            .allow_origins(["https://first.example"])
            .expose_headers([format!("x-{n}")])
            .allow_methods([n])
            .build()
            .unwrap()
    };
    let (a, b) = (both("a"), both("b"));
    handle.reload(a.clone()).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                handle.reload(b.clone()).unwrap();
                handle.reload(a.clone()).unwrap();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        // Also when an assertion fails: else the other thread would never end.
        let _over = SetOnDrop(&is_over);
        let mut seen = [0, 0];
        while seen.iter().any(|times| *times < 500) {
            let (status, lines) = runtime.block_on(send(&layer, get_from("https://first.example")));
            assert_eq!(status, 200);
            let is_whole = |n: &str| {
                lines
                    == [
                        "access-control-allow-origin: https://first.example".to_owned(),
                        format!("access-control-expose-headers: x-{n}"),
                        "vary: origin".to_owned(),
                    ]
            };
            assert!(is_whole("a") || is_whole("b"), "{lines:?}");
            seen[usize::from(is_whole("b"))] += 1;
        }
    });
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(feature = "serde")]
#[tokio::test]
async fn a_file_can_be_the_new_configuration() {
    use tower_cors::config::CorsConfig;

    let (layer, handle) = first().build().unwrap().reloadable();
    let config = |text: &str| serde_json::from_str::<CorsConfig>(text).unwrap();
    handle
        .reload(config(r#"{"allow_origins": ["https://filed.example"]}"#))
        .unwrap();
    let (_, lines) = send(&layer, get_from("https://filed.example")).await;
    assert_eq!(
        lines,
        [
            "access-control-allow-origin: https://filed.example",
            "vary: origin"
        ]
    );
    let wrong = config(r#"{"allow_origins": ["filed.example"]}"#);
    assert!(handle.reload(wrong).is_err());
}

fn rules(origin: &str, method: &Method) -> MethodRules {
    let rule = MethodRule::trusted_only(OriginSet::parse([origin]).unwrap());
    CorsLayer::by_method().rule([method.clone()], rule)
}

#[tokio::test]
async fn the_rules_of_a_route_are_replaced_all_at_once() {
    let (first, second) = ("https://first.example", "https://second.example");
    let (layer, handle) = rules(first, &Method::GET).build().unwrap().reloadable();
    let inner = service_fn(async |_| Ok::<_, Infallible>(Response::new(())));
    // Made before the rules change.
    let service = layer.layer(inner);
    let send = async |request| {
        let response = service.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), headers(&response))
    };
    let granted = |origin: &str| {
        let line = format!("access-control-allow-origin: {origin}");
        (200, vec![line, "vary: origin".to_owned()])
    };
    let denied = (200, vec!["vary: origin".to_owned()]);
    assert_eq!(send(get_from(first)).await, granted(first));
    let (status, lines) = send(preflight_from(first, "PUT", "")).await;
    assert_eq!(
        (status, &*lines[0]),
        (204, "access-control-allow-methods: GET")
    );

    let leak = MethodRule::public_any_origin().allow_credentials(true);
    let wrong = CorsLayer::by_method().rule([Method::GET], leak);
    let errors: Vec<_> = handle.reload(wrong).unwrap_err().into_iter().collect();
    assert!(matches!(
        errors[..],
        [ConfigError::AnyOriginWithCredentials { .. }]
    ));
    assert_eq!(send(get_from(first)).await, granted(first));

    handle.reload(rules(second, &Method::PUT)).unwrap();
    // Nothing is left of the rules before: GET has none.
    let (status, lines) = send(get_from(first)).await;
    assert_eq!((status, lines), (200, vec![]));
    assert_eq!(send(preflight_from(second, "PUT", "")).await.0, 204);
    handle
        .reload(rules(second, &Method::GET).build().unwrap())
        .unwrap();
    assert_eq!(send(get_from(second)).await, granted(second));
    assert_eq!(send(get_from(first)).await, denied);
    let (same, _) = handle.current().reloadable();
    assert_eq!(format!("{same:?}"), format!("{layer:?}"));
}

#[tokio::test]
async fn a_request_keeps_the_rules_that_it_began_with() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        policy_fn(move |_| {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            VerdictFuture::new(async move {
                asked.notify_one();
                answer.notified().await;
                Verdict::Allow(Grant::new())
            })
        })
    };
    let rule = MethodRule::trusted_only(slow).expose_headers(["x-first"]);
    let builder = CorsLayer::by_method().rule([Method::GET], rule);
    let (layer, handle) = builder.build().unwrap().reloadable();
    let inner = service_fn(async |_| Ok::<_, Infallible>(Response::new(())));
    let response = tokio::spawn(
        layer
            .layer(inner)
            .oneshot(get_from("https://first.example")),
    );
    asked.notified().await;
    handle
        .reload(rules("https://second.example", &Method::GET))
        .unwrap();
    answer.notify_one();
    let lines = headers(&response.await.unwrap().unwrap());
    assert!(
        lines.contains(&"access-control-expose-headers: x-first".to_owned()),
        "{lines:?}"
    );
}

/// A configuration that held a reloadable layer would follow it, or refer to itself.
#[tokio::test]
async fn a_layer_that_was_made_reloadable_twice_is_replaced_by_its_configuration() {
    let (layer, handle) = first().build().unwrap().reloadable();
    let (again, _) = layer.clone().reloadable();
    let (once_more, other) = again.reloadable();
    handle.reload(once_more.clone()).unwrap();
    let (status, lines) = send(&layer, get_from("https://first.example")).await;
    assert_eq!((status, lines.len()), (200, 3));

    // The second handle is about its own layer only.
    other.reload(second()).unwrap();
    let (_, lines) = send(&once_more, get_from("https://second.example")).await;
    assert!(lines.contains(&"access-control-expose-headers: x-second".to_owned()));
    let (_, lines) = send(&layer, get_from("https://second.example")).await;
    assert_eq!(lines, ["vary: origin"]);
}
