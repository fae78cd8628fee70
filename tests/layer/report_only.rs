//! A configuration in shadow: it is judged, its differences are told, and the answer is byte for
//! byte the one without it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures_util::FutureExt;
use http::{Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    Any, ConfigErrors, CorsLayer, CorsLayerBuilder, CorsRequest, DenialKind, DeniedRequests,
    OriginPolicy, OriginSet, Verdict, VerdictFuture, config::ReportOnly, observe::Judgement,
    policy_fn, routes::MethodRule,
};

use crate::support::service::{LISTED, STRANGER, get_from, preflight_from, request};

type Judged = Arc<Mutex<Vec<&'static str>>>;

fn list<const N: usize>(origins: [&str; N]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(OriginSet::parse(origins).unwrap())
        .allow_methods(["PUT"])
}

/// The same list as a policy that has to be waited for.
fn slow<const N: usize>(origins: [&str; N]) -> CorsLayerBuilder {
    let set = OriginSet::parse(origins).unwrap();
    let policy = policy_fn(move |request| {
        let verdict = set.judge(request);
        VerdictFuture::new(async {
            tokio::task::yield_now().await;
            verdict.await
        })
    });
    CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods(["PUT"])
}

/// A shadow that tells what came of each request.
fn told(shadow: impl Into<ReportOnly>) -> (ReportOnly, Judged) {
    let judged = Judged::default();
    let told = Arc::clone(&judged);
    let shadow = shadow
        .into()
        .spawn(|task| drop(tokio::spawn(task)))
        .on_judgement(move |judgement| told.lock().unwrap().push(judgement.as_str()));
    (shadow, judged)
}

/// Everything that a client sees of the answer, and whether the inner service was called.
async fn answer(layer: &CorsLayer, request: Request<()>) -> String {
    let called = Arc::new(Mutex::new(0));
    let calls = Arc::clone(&called);
    let inner = service_fn(move |_: Request<()>| {
        *calls.lock().unwrap() += 1;
        let response = Response::builder()
            .header("vary", "accept")
            .header("etag", "1");
        std::future::ready(Ok::<_, Infallible>(response.body("inner").unwrap()))
    });
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    // What runs beside it comes to an end.
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    format!("{response:?} after {} calls", called.lock().unwrap())
}

fn requests() -> Vec<Request<()>> {
    let mut requests = vec![
        request("GET", &[]),
        request("OPTIONS", &[("origin", LISTED)]),
    ];
    for origin in [LISTED, STRANGER, "null", "https://App.example"] {
        requests.push(get_from(origin));
        requests.push(preflight_from(origin, "PUT", ""));
        requests.push(preflight_from(origin, "PATCH", "x-a"));
        requests.push(preflight_from(origin, "TRACE", ""));
    }
    requests
}

#[derive(Debug)]
struct Panics;

impl OriginPolicy for Panics {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        panic!("in shadow")
    }
}

fn panics_later() -> CorsLayerBuilder {
    let policy = policy_fn(|_| VerdictFuture::new(async { panic!("in shadow, later") }));
    CorsLayer::builder().origin_policy(policy)
}

fn never() -> CorsLayerBuilder {
    let policy = policy_fn(|_| VerdictFuture::new(std::future::pending()));
    CorsLayer::builder().origin_policy(policy)
}

#[tokio::test]
async fn the_answer_is_byte_for_byte_the_one_without() {
    let nobody: [&str; 0] = [];
    for live in [
        || list([LISTED]),
        || list([LISTED]).allow_credentials(true).record_denials(true),
        || list([LISTED]).denied_requests(DeniedRequests::Refuse),
        || slow([LISTED]),
        || slow([LISTED]).denied_requests(DeniedRequests::Refuse),
        || CorsLayerBuilder::permissive(),
    ] {
        let plain = live().build().unwrap();
        for shadow in [
            list(nobody),
            list([LISTED, STRANGER]),
            slow(nobody),
            CorsLayerBuilder::permissive(),
            CorsLayer::builder().origin_policy(Panics),
            panics_later(),
            never(),
        ] {
            let (shadow, _) = told(shadow);
            let shadowed = live().report_only(shadow).build().unwrap();
            for request in requests() {
                let text = format!("{request:?} {shadowed:?}");
                let expected = answer(&plain, request.clone()).await;
                assert_eq!(answer(&shadowed, request).await, expected, "{text}");
            }
        }
    }
}

/// What came of these requests.
async fn judged(
    live: CorsLayerBuilder,
    shadow: impl Into<ReportOnly>,
    requests: impl IntoIterator<Item = Request<()>>,
) -> Vec<&'static str> {
    let (shadow, judged) = told(shadow);
    let layer = live.report_only(shadow).build().unwrap();
    for request in requests {
        answer(&layer, request).await;
    }
    let judged = judged.lock().unwrap();
    judged.clone()
}

#[tokio::test]
async fn differences_are_told_ready_and_waiting_alike() {
    let both = [LISTED, STRANGER];
    for (request, to_less, to_more) in [
        (request("GET", &[]), "same", "same"),
        (get_from(LISTED), "same", "same"),
        (get_from(STRANGER), "allows_less", "allows_more"),
        (
            preflight_from(STRANGER, "PUT", ""),
            "allows_less",
            "allows_more",
        ),
        (preflight_from(LISTED, "PATCH", ""), "same", "same"),
        // The page gets nothing either way. The one answer names the method, the other is 403.
        (
            preflight_from(STRANGER, "PATCH", ""),
            "denies_otherwise",
            "denies_otherwise",
        ),
        (get_from("null"), "same", "same"),
    ] {
        for (live, shadow) in [
            (list(both), list([LISTED])),
            (list(both), slow([LISTED])),
            (slow(both), list([LISTED])),
            (slow(both), slow([LISTED])),
        ] {
            assert_eq!(judged(live, shadow, [request.clone()]).await, [to_less]);
        }
        for (live, shadow) in [(list([LISTED]), list(both)), (slow([LISTED]), slow(both))] {
            assert_eq!(judged(live, shadow, [request.clone()]).await, [to_more]);
        }
    }
}

#[tokio::test]
async fn cookies_methods_and_refusals_are_differences() {
    let with_cookies = || list([LISTED]).allow_credentials(true);
    let requests = [get_from(LISTED), preflight_from(LISTED, "PUT", "")];
    assert_eq!(
        judged(with_cookies(), list([LISTED]), requests.clone()).await,
        ["allows_less", "allows_less"]
    );
    assert_eq!(
        judged(list([LISTED]), with_cookies(), requests).await,
        ["allows_more", "allows_more"]
    );
    let no_methods = CorsLayer::builder().allow_origins([LISTED]);
    let put = preflight_from(LISTED, "PUT", "");
    assert_eq!(
        judged(list([LISTED]), no_methods, [put]).await,
        ["allows_less"]
    );
    let refuses = list([LISTED]).denied_requests(DeniedRequests::Refuse);
    assert_eq!(
        judged(list([LISTED]), refuses, [get_from(STRANGER)]).await,
        ["denies_otherwise"]
    );
    // The service's own page needs no header.
    let own = [("origin", STRANGER), ("sec-fetch-site", "same-origin")];
    let lists_own = list([LISTED, STRANGER]).allow_credentials(true);
    assert_eq!(
        judged(lists_own, list([LISTED]), [request("POST", &own)]).await,
        ["same"]
    );
}

#[tokio::test]
async fn both_decisions_are_told_with_their_reasons() {
    let texts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&texts);
    let closing = policy_fn(|_| DenialKind::OriginNotAllowed.because("to be closed in May"));
    let shadow = ReportOnly::from(CorsLayer::builder().origin_policy(closing)).on_judgement(
        move |judgement| {
            let Judgement::Different(difference) = judgement else {
                panic!("{judgement:?}");
            };
            told.lock().unwrap().push(difference.to_string());
        },
    );
    let layer = list([LISTED]).report_only(shadow).build().unwrap();
    answer(&layer, get_from(LISTED)).await;
    assert_eq!(
        *texts.lock().unwrap(),
        [
            "request allowed (origin: \"https://app.example\"); in shadow: request forwarded, its \
             response not for the page: the origin is not allowed: add it to allow_origins, or to \
             what the policy reads (origin: \"https://app.example\") (to be closed in May)"
        ]
    );
}

#[tokio::test]
async fn rules_by_method_are_shadows_and_have_them() {
    let rules = || CorsLayer::by_method().rule([Method::GET], MethodRule::public_any_origin());
    let only = MethodRule::trusted_only(OriginSet::parse([LISTED]).unwrap());
    let tighter = CorsLayer::by_method().rule([Method::GET], only);
    let (shadow, judged) = told(tighter);
    let layer = rules().report_only(shadow).build().unwrap();
    for request in [
        get_from(LISTED),
        get_from(STRANGER),
        request("DELETE", &[("origin", STRANGER)]),
    ] {
        let expected = answer(&rules().build().unwrap(), request.clone()).await;
        assert_eq!(answer(&layer, request).await, expected);
    }
    assert_eq!(*judged.lock().unwrap(), ["same", "allows_less", "same"]);
}

#[tokio::test]
async fn a_panic_in_shadow_ends_there() {
    let requests = [get_from(LISTED), preflight_from(LISTED, "PUT", "")];
    for shadow in [CorsLayer::builder().origin_policy(Panics), panics_later()] {
        let judged = judged(list([LISTED]), shadow, requests.clone()).await;
        assert_eq!(judged, ["panicked", "panicked"]);
    }
    // What runs tasks may panic too, as where there is no runtime.
    let told = Judged::default();
    let judged = Arc::clone(&told);
    let shadow = ReportOnly::from(slow([LISTED]))
        .spawn(|_| panic!("no runtime"))
        .on_judgement(move |judgement| {
            judged.lock().unwrap().push(judgement.as_str());
            panic!("so does the hook");
        });
    let layer = list([LISTED]).report_only(shadow).build().unwrap();
    let expected = answer(&list([LISTED]).build().unwrap(), get_from(LISTED)).await;
    assert_eq!(answer(&layer, get_from(LISTED)).await, expected);
    assert_eq!(told.lock().unwrap().last(), Some(&"panicked"));
}

#[test]
fn the_answer_is_not_held_up() {
    // A runtime that runs nothing beside the request, and a policy that never answers.
    let judged = Judged::default();
    let told = Arc::clone(&judged);
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let spawned = Arc::clone(&tasks);
    let shadow = ReportOnly::from(never())
        .spawn(move |task| spawned.lock().unwrap().push(task))
        .on_judgement(move |judgement| told.lock().unwrap().push(judgement.as_str()));
    let layer = list([LISTED]).report_only(shadow).build().unwrap();
    let send = || {
        let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("inner")));
        let answer = layer.layer(inner).oneshot(get_from(LISTED));
        let response = answer.now_or_never().expect("it does not wait").unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], LISTED);
    };
    for _ in 0..256 {
        send();
    }
    assert_eq!(tasks.lock().unwrap().len(), 256);
    assert!(judged.lock().unwrap().is_empty(), "all are waited for");
    let mut cx = Context::from_waker(Waker::noop());
    for task in tasks.lock().unwrap().iter_mut() {
        assert_eq!(task.as_mut().poll(&mut cx), Poll::Pending);
    }

    // There is a bound, and places are given back.
    send();
    assert_eq!(tasks.lock().unwrap().len(), 256);
    assert_eq!(*judged.lock().unwrap(), ["skipped"]);
    tasks.lock().unwrap().pop();
    assert_eq!(*judged.lock().unwrap(), ["skipped", "skipped"]);
    send();
    assert_eq!(tasks.lock().unwrap().len(), 256);
    send();
    assert_eq!(tasks.lock().unwrap().len(), 256);
}

#[tokio::test]
async fn what_nothing_runs_is_skipped() {
    let told = Judged::default();
    let judged = Arc::clone(&told);
    let shadow = ReportOnly::from(slow([LISTED]))
        .on_judgement(move |judgement| judged.lock().unwrap().push(judgement.as_str()));
    let layer = list([LISTED]).report_only(shadow).build().unwrap();
    answer(&layer, get_from(LISTED)).await;
    assert_eq!(*told.lock().unwrap(), ["skipped"]);
}

/// Its time-out is its own.
#[tokio::test]
async fn a_late_shadow_is_a_denial() {
    let limit = std::time::Duration::from_millis(1);
    let (shadow, judged) = told(never().verdict_timeout(limit, tokio::time::sleep));
    let layer = list([LISTED]).report_only(shadow).build().unwrap();
    answer(&layer, get_from(LISTED)).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(*judged.lock().unwrap(), ["allows_less"]);
}

#[test]
fn its_mistakes_are_mistakes_of_the_whole() {
    let shadow = CorsLayer::builder()
        .allow_origins(["https://app.example/"])
        .allow_methods(["patch"]);
    let live = CorsLayer::builder()
        .allow_origins(Any)
        .allow_headers(["x a"]);
    let mistakes: ConfigErrors = live.report_only(shadow).build().unwrap_err();
    let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    let of_shadow = texts
        .iter()
        .filter(|text| text.starts_with("report_only: allow_"));
    assert_eq!(of_shadow.count(), 2, "{texts:?}");
}

/// It has the hooks for the time when it is in force.
#[tokio::test]
async fn its_own_observers_are_not_called() {
    let shadow = list([LISTED]).on_decision(|_| panic!("called in shadow"));
    let shadow =
        shadow.report_only(list([STRANGER]).origin_policy(policy_fn(|_| Verdict::Abstain)));
    let judged = judged(list([LISTED]), shadow, [get_from(LISTED)]).await;
    assert_eq!(judged, ["same"]);
}
