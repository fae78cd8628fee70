//! Every form of a layer: ready and waiting, by method, reloadable, its service.

use std::convert::Infallible;

use http::{Method, Request, Response};
use tower::{Layer, service_fn};
use tower_cors::{
    CorsLayer, CorsRequest, DenialKind, OriginPolicy, OriginSet, Verdict, VerdictFuture,
    explain::{Block, CredentialsMode, Explanation, Reading, TakenFor},
    policy::{BearerOr, Decider, PolicyProperties, policy_fn},
    routes::MethodRule,
};

use crate::{APP, block_on, get, preflight, request};

/// A policy that answers like another, but never at once.
#[derive(Debug)]
struct Waiting<P>(P);

impl<P: OriginPolicy> OriginPolicy for Waiting<P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let verdict = self.0.judge(request);
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            verdict.await
        })
    }

    fn properties(&self) -> PolicyProperties {
        self.0.properties()
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        self.0.decider(request)
    }
}

fn explain(layer: &CorsLayer, request: &Request<()>) -> Explanation {
    block_on(layer.explain(request))
}

#[test]
fn a_policy_that_waits_is_explained_like_one_that_does_not() {
    let policy = || OriginSet::parse([APP]).unwrap();
    let build = |builder: tower_cors::CorsLayerBuilder| {
        builder
            .allow_methods(["PUT"])
            .allow_headers(["x-a"])
            .build()
            .unwrap()
    };
    let ready = build(CorsLayer::builder().origin_policy(policy()));
    let waiting = build(CorsLayer::builder().origin_policy(Waiting(policy())));
    for request in [
        get(APP),
        get("https://www.app.example"),
        get("null"),
        preflight(APP, "PUT", "x-a"),
        preflight(APP, "PATCH", "x-b"),
        preflight("http://app.example", "PUT", ""),
    ] {
        let expected = explain(&ready, &request).to_string();
        assert_eq!(explain(&waiting, &request).to_string(), expected);
        assert_eq!(ready.explain_now(&request).unwrap().to_string(), expected);
        // Of `null`, a policy is asked as well.
        assert!(waiting.explain_now(&request).is_none(), "{expected}");
    }
    // Nobody has to be waited for here.
    assert!(waiting.explain_now(&request("GET", &[])).is_some());
    assert!(waiting.explain_now(&get("https://app.example/")).is_some());
}

#[test]
fn the_future_can_go_to_another_thread_and_needs_no_request() {
    let waits = Waiting(OriginSet::parse([APP]).unwrap());
    let layer = CorsLayer::builder().origin_policy(waits).build().unwrap();
    let explaining = {
        // Neither `Send` nor `Sync`.
        let request = get(APP).map(|()| std::rc::Rc::new(()));
        layer.explain(&request)
    };
    drop(layer);
    let explained = std::thread::spawn(move || block_on(explaining))
        .join()
        .unwrap();
    assert!(explained.is_allowed());
}

#[test]
fn each_method_has_its_own_explanation() {
    let set = OriginSet::parse([APP]).unwrap();
    let layer = CorsLayer::by_method()
        .rule([Method::GET], MethodRule::public_any_origin())
        .rule([Method::PUT], MethodRule::trusted_only(Waiting(set)))
        .build()
        .unwrap();
    let of = |request| {
        let explained = explain(&layer, &request);
        let decider = explained.decider().map(Decider::to_string);
        (explained.is_allowed(), decider.unwrap())
    };
    let any = "MethodRule::public_any_origin".to_owned();
    assert_eq!(of(get("https://anybody.test")), (true, any));
    let listed = (true, format!("OriginSet, by {APP}"));
    assert_eq!(of(request("PUT", &[("origin", APP)])), listed);
    assert_eq!(of(preflight(APP, "PUT", "")), listed);
    let closed = (false, "MethodRule::none".to_owned());
    assert_eq!(of(request("DELETE", &[("origin", APP)])), closed);
}

#[test]
fn what_is_in_force_now_is_explained() {
    let build = |origin: &str| CorsLayer::builder().allow_origins([origin]);
    let (layer, handle) = build(APP).build().unwrap().reloadable();
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let service = layer.layer(inner);
    let other = "https://other.example";
    assert!(explain(&layer, &get(APP)).is_allowed());
    assert!(!block_on(service.explain(&get(other))).is_allowed());
    handle.reload(build(other)).unwrap();
    assert!(!explain(&layer, &get(APP)).is_allowed());
    assert!(block_on(service.explain(&get(other))).is_allowed());
    handle
        .reload(CorsLayer::by_method().rule([Method::GET], MethodRule::none()))
        .unwrap();
    let (parts, ()) = get(other).into_parts();
    let explained = block_on(layer.explain_parts(&parts));
    assert_eq!(explained.decider().unwrap().name(), "MethodRule::none");
}

#[test]
fn who_decides() {
    let set = || OriginSet::parse([APP, "https://*.app.example"]).unwrap();
    let by = |policy: Box<dyn OriginPolicy>, request: &Request<()>| {
        let layer = CorsLayer::builder().origin_policy(policy).build().unwrap();
        explain(&layer, request).decider().unwrap().to_string()
    };
    let abstains = || policy_fn(|_| Verdict::Abstain);
    let bearer = request(
        "GET",
        &[("origin", "https://x.test"), ("authorization", "Bearer x")],
    );
    let below = get("https://shop.app.example");
    assert_eq!(
        by(Box::new(set()), &below),
        "OriginSet, by https://*.app.example"
    );
    assert_eq!(by(Box::new(set()), &get("https://x.test")), "OriginSet");
    assert_eq!(by(Box::new(abstains()), &below), "PolicyFn");
    let second = abstains().fallback(set());
    assert_eq!(
        by(Box::new(second), &get(APP)),
        format!("OriginSet, by {APP}")
    );
    let first = set().fallback(abstains());
    assert_eq!(
        by(Box::new(first), &get(APP)),
        format!("OriginSet, by {APP}")
    );
    let unknown = Waiting(abstains()).fallback(set());
    assert_eq!(by(Box::new(unknown), &get(APP)), "PolicyFn, else OriginSet");
    let preflights = set().with_preflight(abstains());
    assert_eq!(
        by(Box::new(preflights), &preflight(APP, "PUT", "")),
        "PolicyFn"
    );
    let either = || Box::new(BearerOr::new(set()));
    assert_eq!(
        by(either(), &bearer),
        "BearerOr, by a bearer token without cookies"
    );
    assert_eq!(by(either(), &get(APP)), format!("OriginSet, by {APP}"));
    let list = CorsLayer::builder().allow_origins([APP]).build().unwrap();
    let decider = |request| explain(&list, &request).decider().map(Decider::to_string);
    assert_eq!(decider(get(APP)), Some(format!("allow_origins, by {APP}")));
    assert_eq!(
        decider(get("https://x.test")),
        Some("allow_origins".to_owned())
    );
    assert_eq!(decider(request("GET", &[])), None);
    assert_eq!(decider(get("x")), None);
}

#[test]
fn what_requests_are_taken_for() {
    use TakenFor as T;
    let layer = CorsLayer::builder().allow_origins([APP]).build().unwrap();
    let origin = ("origin", APP);
    for (headers, method, expected) in [
        (&[][..], "GET", T::NotCors),
        (&[origin], "GET", T::Simple),
        (
            &[origin, ("user-agent", "x"), ("x-forwarded-for", "::1")],
            "POST",
            T::Simple,
        ),
        (&[origin, ("content-type", "text/plain")], "POST", T::Simple),
        (
            &[origin, ("content-type", "application/json")],
            "POST",
            T::Preflighted,
        ),
        (
            &[origin, ("authorization", "Bearer x")],
            "GET",
            T::Preflighted,
        ),
        (&[origin, ("x-a", "1")], "GET", T::Preflighted),
        (&[origin], "PUT", T::Preflighted),
        (&[origin], "OPTIONS", T::Preflighted),
        (&[origin, ("host", "app.example")], "POST", T::SameOrigin),
        (
            &[origin, ("sec-fetch-site", "same-origin")],
            "PUT",
            T::SameOrigin,
        ),
        (
            &[origin, ("access-control-request-method", "PUT")],
            "OPTIONS",
            T::Preflight,
        ),
        (
            &[("access-control-request-method", "PUT")],
            "OPTIONS",
            T::NotCors,
        ),
        (
            &[origin, ("access-control-request-method", "TRACE")],
            "OPTIONS",
            T::MalformedPreflight,
        ),
        (&[origin, origin], "GET", T::SeveralOrigins),
        (&[("origin", "x")], "GET", T::MalformedOrigin),
    ] {
        let explained = explain(&layer, &request(method, headers));
        assert_eq!(explained.taken_for(), expected, "{method} {headers:?}");
        assert!(expected.rule().starts_with("https://"));
    }
}

#[test]
fn what_a_browser_does_in_each_mode() {
    let any = CorsLayer::permissive();
    let listed = |credentials| {
        let list = CorsLayer::builder().allow_origins([APP]);
        list.allow_credentials(credentials).build().unwrap()
    };
    let blocked = Reading::Blocked;
    let no_origin = blocked(Block::NoAllowOrigin);
    for (layer, request, without, include) in [
        (
            &any,
            get(APP),
            Reading::Allowed,
            blocked(Block::AnyOriginWithCredentials),
        ),
        (
            &listed(false),
            get(APP),
            Reading::Allowed,
            blocked(Block::NoAllowCredentials),
        ),
        (&listed(true), get(APP), Reading::Allowed, Reading::Allowed),
        (&listed(true), get("https://x.test"), no_origin, no_origin),
        (
            &listed(true),
            request("GET", &[]),
            Reading::NotChecked,
            Reading::NotChecked,
        ),
        (
            &listed(true),
            preflight(APP, "GET", ""),
            Reading::Allowed,
            Reading::Allowed,
        ),
        (
            &listed(true),
            preflight(APP, "PUT", ""),
            blocked(Block::Method),
            blocked(Block::Method),
        ),
        (
            &any,
            preflight(APP, "PUT", "authorization"),
            blocked(Block::Authorization),
            blocked(Block::AnyOriginWithCredentials),
        ),
        (
            &listed(false),
            preflight(APP, "GET", "x-a"),
            blocked(Block::Header),
            blocked(Block::NoAllowCredentials),
        ),
    ] {
        let explained = explain(layer, &request);
        for mode in [CredentialsMode::Omit, CredentialsMode::SameOrigin] {
            assert_eq!(explained.reading(mode), without, "{explained}");
        }
        assert_eq!(
            explained.reading(CredentialsMode::Include),
            include,
            "{explained}"
        );
    }
}

/// What is right here, and what goes wrong elsewhere.
#[test]
fn notes_name_other_layers() {
    let layer = CorsLayer::builder().allow_origins([APP]).build().unwrap();
    let notes = |content_type: &str| {
        let headers = [("origin", APP), ("content-type", content_type)];
        let explained = explain(&layer, &request("POST", &headers));
        explained.notes().collect::<Vec<_>>()
    };
    let elsewhere = "if the browser still misses a header";
    assert!(notes("text/plain")[0].starts_with(elsewhere));
    let web = notes("application/grpc-web+proto");
    assert!(web[0].contains("expose_headers([\"grpc-status\", \"grpc-message\"])"));
    assert!(web[1].starts_with(elsewhere));
    let translated = notes("application/grpc");
    assert!(translated[0].contains("GrpcWebLayer stands outside this layer"));

    let exposing = CorsLayer::builder()
        .allow_origins([APP])
        .expose_headers(["grpc-status"]);
    let headers = [("origin", APP), ("content-type", "application/grpc-web")];
    let explained = explain(&exposing.build().unwrap(), &request("POST", &headers));
    assert_eq!(explained.notes().count(), 1);
    let refused = explain(&layer, &get("https://x.test"));
    assert_eq!(refused.notes().count(), 0);
}

/// The layer's own answer, where the page may read a refusal.
#[test]
fn a_readable_refusal_is_refused_and_read() {
    let expired =
        policy_fn(|_| Verdict::from(tower_cors::Denial::new(DenialKind::ExpiredToken).readable()));
    let layer = CorsLayer::builder()
        .origin_policy(expired)
        .denied_requests(tower_cors::DeniedRequests::Refuse)
        .build()
        .unwrap();
    let explained = explain(&layer, &get(APP));
    assert_eq!(explained.status().unwrap(), 401);
    assert!(!explained.is_allowed() && !explained.reaches_service());
    assert_eq!(explained.reading(CredentialsMode::Omit), Reading::Allowed);
    assert_eq!(
        explained.finding().unwrap().cause(),
        "the token has expired"
    );
}
