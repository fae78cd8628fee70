//! What a hook, the handler and outer layers are told of a decision. Nothing of it changes an
//! answer.

use std::sync::{Arc, Mutex};

use http::{Method, Request};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, CorsRequest, DenialKind, DeniedRequests, Grant, OriginPolicy,
    VerdictFuture,
    observe::{Decision, Outcome, RequestKind},
    policy::PolicyProperties,
    policy_fn,
    routes::MethodRule,
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from, request};

/// The decision in short: kind, outcome, reason, and whether credentials are allowed.
fn short(decision: &Decision) -> String {
    let reason = decision.reason().map(|reason| format!(" {reason:?}"));
    let cookies = if decision.allows_credentials() {
        " with cookies"
    } else {
        ""
    };
    let (kind, outcome) = (decision.kind().as_str(), decision.outcome().as_str());
    format!("{kind}: {outcome}{}{cookies}", reason.unwrap_or_default())
}

/// Plays a request with and without observers, and asserts that the answers are the same and that
/// the hook, the handler and the response have one decision.
#[track_caller]
fn decided(subject: impl Fn(&Configure<'_>) -> Subject, request: &Request<()>) -> String {
    let plain = subject(&|cors| cors).send(request);
    assert!(plain.decision.is_none(), "nobody asked for it");

    let heard = Arc::new(Mutex::new(Vec::new()));
    let observed = subject(&|cors| {
        let heard = Arc::clone(&heard);
        cors.record_decisions(true)
            .on_decision(move |decision| heard.lock().unwrap().push(short(decision)))
    });
    let outcome = observed.send(request);
    assert_eq!(
        (outcome.status, &outcome.headers, &outcome.body),
        (plain.status, &plain.headers, &plain.body)
    );
    let kind = |denial: &tower_cors::Denial| denial.kind();
    assert_eq!(
        outcome.denial.as_ref().map(kind),
        plain.denial.as_ref().map(kind)
    );
    let decision = outcome.decision.expect("it is recorded");
    let text = short(&decision);
    match (&outcome.inner, &plain.inner) {
        (Some(parts), Some(plain)) => {
            assert_eq!(parts.headers, plain.headers);
            let of_handler = parts.extensions.get::<Decision>().unwrap();
            assert_eq!(short(of_handler), text);
        }
        (None, None) => {}
        other => panic!("{other:?}"),
    }
    // Once for each layer of the subject.
    let mut heard = std::mem::take(&mut *heard.lock().unwrap());
    assert!((1..=3).contains(&heard.len()), "{heard:?}");
    heard.dedup();
    assert_eq!(heard, [&*text]);
    assert_eq!(decision.origin(), request.headers().get("origin"));
    text
}

type Configure<'a> = dyn Fn(CorsLayerBuilder) -> CorsLayerBuilder + 'a;

#[test]
fn a_list_that_forwards() {
    let subject = |configure: &Configure<'_>| {
        Subject::list(|cors| {
            configure(cors)
                .allow_methods(["PUT"])
                .allow_headers(["x-a"])
                .allow_credentials(true)
        })
    };
    let several = [("origin", LISTED), ("origin", STRANGER)];
    let own = [("origin", STRANGER), ("sec-fetch-site", "same-origin")];
    for (request, expected) in [
        (request("GET", &[]), "not_cors: not_cors"),
        (request("OPTIONS", &[]), "not_cors: not_cors"),
        (get_from(LISTED), "actual: allowed with cookies"),
        (
            request("OPTIONS", &[("origin", LISTED)]),
            "actual: allowed with cookies",
        ),
        (get_from(STRANGER), "actual: forwarded OriginNotAllowed"),
        (get_from("null"), "actual: forwarded OpaqueOrigin"),
        (get_from("HTTPS://a"), "actual: forwarded MalformedOrigin"),
        (request("GET", &several), "actual: forwarded SeveralOrigins"),
        (request("POST", &own), "actual: own_origin"),
        (
            preflight_from(LISTED, "PUT", "x-a"),
            "preflight: allowed with cookies",
        ),
        (
            preflight_from(LISTED, "PATCH", ""),
            "preflight: answered_with_less MethodNotAllowed with cookies",
        ),
        (
            preflight_from(LISTED, "put", ""),
            "preflight: answered_with_less MethodCase with cookies",
        ),
        (
            preflight_from(LISTED, "PUT", "x-b"),
            "preflight: answered_with_less HeaderNotAllowed with cookies",
        ),
        (
            preflight_from(LISTED, "TRACE", ""),
            "preflight: refused MalformedPreflight",
        ),
        (
            preflight_from(STRANGER, "PUT", ""),
            "preflight: refused OriginNotAllowed",
        ),
    ] {
        assert_eq!(decided(subject, &request), expected, "{request:?}");
    }
}

#[test]
fn a_list_that_refuses() {
    let subject = |configure: &Configure<'_>| {
        Subject::list(|cors| configure(cors).denied_requests(DeniedRequests::Refuse))
    };
    let own = [("origin", STRANGER), ("sec-fetch-site", "same-origin")];
    for (request, expected) in [
        (get_from(LISTED), "actual: allowed"),
        (get_from(STRANGER), "actual: refused OriginNotAllowed"),
        (request("POST", &own), "actual: own_origin"),
        (
            preflight_from(STRANGER, "PUT", ""),
            "preflight: refused OriginNotAllowed",
        ),
    ] {
        assert_eq!(decided(subject, &request), expected, "{request:?}");
    }
}

/// Their policy is not asked.
#[test]
fn an_answer_that_is_the_same_for_all() {
    let any = |configure: &Configure<'_>| Subject::new(|cors| configure(cors.allow_origins(Any)));
    let one = |configure: &Configure<'_>| {
        Subject::new(|cors| configure(cors.always_allow_origin(LISTED)))
    };
    for (request, of_any, of_one) in [
        (
            request("GET", &[]),
            "not_cors: not_cors",
            "not_cors: not_cors",
        ),
        (get_from(LISTED), "actual: allowed", "actual: allowed"),
        (
            get_from(STRANGER),
            "actual: allowed",
            "actual: another_origin",
        ),
        (
            preflight_from(STRANGER, "GET", ""),
            "preflight: allowed",
            "preflight: another_origin",
        ),
        (
            preflight_from(LISTED, "PUT", ""),
            "preflight: answered_with_less MethodNotAllowed",
            "preflight: answered_with_less MethodNotAllowed",
        ),
        (
            preflight_from(LISTED, "TRACE", ""),
            "preflight: refused MalformedPreflight",
            "preflight: refused MalformedPreflight",
        ),
    ] {
        assert_eq!(decided(any, &request), of_any, "{request:?}");
        assert_eq!(decided(one, &request), of_one, "{request:?}");
    }
}

#[test]
fn a_policy_with_grants_and_denials_of_its_own() {
    let answer = |request: &CorsRequest<'_>| match request.uri().path() {
        "/thing" => VerdictFuture::from(Grant::new().allow_credentials(true)),
        _ => DenialKind::Unavailable.because("the store is down").into(),
    };
    let subject = |configure: &Configure<'_>| {
        Subject::policy(policy_fn(answer), |cors| {
            configure(cors).denied_requests(DeniedRequests::Refuse)
        })
    };
    assert_eq!(
        decided(subject, &get_from(LISTED)),
        "actual: allowed with cookies"
    );
    assert_eq!(
        decided(subject, &preflight_from(LISTED, "GET", "")),
        "preflight: allowed with cookies"
    );
    let mut other = get_from(LISTED);
    *other.uri_mut() = "/other".parse().unwrap();
    assert_eq!(decided(subject, &other), "actual: refused Unavailable");
}

#[test]
fn the_handler_gets_what_the_policy_attaches_and_the_decision() {
    let policy = policy_fn(|_| Grant::new().attach(Arc::new("found")));
    let subject = Subject::policy(policy, |cors| cors.record_decisions(true));
    let parts = subject.send(&get_from(LISTED)).inner.unwrap();
    assert_eq!(**parts.extensions.get::<Arc<&str>>().unwrap(), "found");
    let decision = parts.extensions.get::<Decision>().unwrap();
    assert_eq!(decision.outcome(), Outcome::Allowed);
}

#[test]
fn an_error_of_the_inner_service_is_passed_on() {
    let subject = Subject::list(|cors| cors.record_decisions(true));
    for origin in [LISTED, STRANGER] {
        let error = subject.send_to_broken(&get_from(origin)).err().unwrap();
        assert_eq!(error.to_string(), "out of order");
    }
}

#[test]
fn a_text_is_one_escaped_line() {
    let subject = Subject::list(|cors| cors.record_decisions(true));
    let text = |request: &Request<()>| subject.send(request).decision.unwrap().to_string();
    assert_eq!(
        text(&get_from(LISTED)),
        "request allowed (origin: \"https://app.example\")"
    );
    assert_eq!(text(&request("GET", &[])), "request not a CORS request");
    assert_eq!(
        text(&preflight_from(STRANGER, "PUT", "")),
        "preflight refused: the origin is not allowed: add it to allow_origins, or to what the \
         policy reads (origin: \"https://evil.example\")"
    );
    let long = [&b"https://a\xff\t tower_cors: "[..], &[b'a'; 9000]].concat();
    let sent = http::Request::builder().header("origin", long);
    let decision = subject.send(&sent.body(()).unwrap()).decision.unwrap();
    assert!(decision.origin().is_none(), "longer than any origin");
    let text = decision.to_string();
    assert!(text.is_ascii() && !text.contains(|c: char| c.is_control()) && text.len() < 1000);
}

#[test]
fn rules_by_method_share_the_observers() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&heard);
    let only = MethodRule::trusted_only(tower_cors::OriginSet::parse([LISTED]).unwrap());
    let layer = CorsLayer::by_method()
        .rule([Method::GET], MethodRule::public_any_origin())
        .rule([Method::PUT], only)
        .record_decisions(true)
        .on_decision(move |decision| hook.lock().unwrap().push(short(decision)))
        .build()
        .unwrap();
    let subject = Subject::layer(layer);
    for request in [
        get_from(STRANGER),
        preflight_from(STRANGER, "PUT", ""),
        preflight_from(STRANGER, "DELETE", ""),
        request("DELETE", &[("origin", LISTED)]),
    ] {
        assert!(subject.send(&request).decision.is_some());
    }
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "actual: allowed",
            "preflight: refused OriginNotAllowed",
            "preflight: answered_with_less MethodNotAllowed",
            "actual: forwarded OriginNotAllowed",
        ]
    );
}

/// A verdict that is too late is a decision, too.
#[test]
fn a_late_verdict() {
    #[derive(Debug)]
    struct Never;

    impl OriginPolicy for Never {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::new(std::future::pending())
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new()
        }
    }

    let limit = std::time::Duration::from_millis(1);
    let subject = Subject::new(|cors| {
        cors.origin_policy(Never)
            .verdict_timeout(limit, tokio::time::sleep)
            .record_decisions(true)
    });
    let decision = subject.send(&get_from(LISTED)).decision.unwrap();
    assert_eq!(decision.kind(), RequestKind::Actual);
    assert_eq!(decision.outcome(), Outcome::Refused);
    assert_eq!(decision.reason(), Some(DenialKind::VerdictTimeout));
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_handler_of_axum_takes_it_as_an_argument() {
    use axum::{Router, body::Body, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn must(decision: Decision) -> String {
        short(&decision)
    }
    async fn may(decision: Option<Decision>) -> String {
        decision.as_ref().map_or_else(|| "none".to_owned(), short)
    }
    let bare = Router::new()
        .route("/must", get(must))
        .route("/may", get(may));
    let layer = |records| {
        let list = CorsLayer::builder().allow_origins([LISTED]);
        list.record_decisions(records).build().unwrap()
    };
    for (app, path, expected) in [
        (
            bare.clone().layer(layer(true)),
            "/must",
            (200, "actual: allowed"),
        ),
        (
            bare.clone().layer(layer(true)),
            "/may",
            (200, "actual: allowed"),
        ),
        (bare.clone().layer(layer(false)), "/must", (500, "")),
        (bare.clone().layer(layer(false)), "/may", (200, "none")),
        (bare, "/must", (500, "")),
    ] {
        let request = Request::get(path)
            .header("origin", LISTED)
            .body(Body::empty());
        let response = app.oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!((status, &*body), expected, "{path}");
    }
}
