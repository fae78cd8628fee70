//! Requests without `Origin`: not CORS requests.

use http::Method;
use tower_cors::{
    Any, CorsLayer, CorsRequest, DenialKind, OriginPolicy, Verdict, VerdictFuture,
    policy::PolicyProperties, policy_fn, routes::MethodRule,
};

use crate::support::service::{STRANGER, Subject, get_from, preflight_from, request};

#[test]
fn a_list_adds_vary_only() {
    let subject = Subject::list(|cors| cors.allow_credentials(true).expose_headers(["ETag"]));
    for method in ["GET", "POST", "OPTIONS"] {
        let outcome = subject.send(&request(method, &[]));
        outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
    }
}

#[test]
fn it_takes_an_origin_to_be_a_preflight() {
    let subject = Subject::list(|cors| cors);
    let request = request("OPTIONS", &[("access-control-request-method", "PUT")]);
    let outcome = subject.send(&request);
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}

#[test]
fn headers_of_the_inner_service_are_its_own_affair() {
    let subject = Subject::list(|cors| cors);
    let inner = [("access-control-allow-origin", "https://other.example")];
    let outcome = subject.send_to(&request("GET", &[]), &inner);
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://other.example",
            "vary: origin",
        ],
    );
}

#[test]
fn any_origin_sends_its_star_and_exposed_headers_always_and_without_vary() {
    let layer = CorsLayer::builder()
        .allow_origins(Any)
        .expose_headers(["ETag", "Location"]);
    let subject = Subject::layer(layer.build().unwrap());
    for request in [
        request("GET", &[]),
        get_from(STRANGER),
        get_from("null"),
        get_from("not an origin"),
        request("OPTIONS", &[("origin", STRANGER)]),
        request("OPTIONS", &[("access-control-request-method", "PUT")]),
    ] {
        let outcome = subject.send(&request);
        outcome.assert_inner(
            200,
            &[
                "access-control-allow-origin: *",
                "access-control-expose-headers: etag,location",
                "x-inner: called",
            ],
        );
    }
}

#[test]
fn any_origin_answers_preflights_alike_for_all_and_without_vary() {
    let layer = CorsLayer::builder()
        .allow_origins(Any)
        .allow_methods(["PUT"])
        .allow_headers(["x-a"]);
    let subject = Subject::layer(layer.build().unwrap());
    for origin in [STRANGER, "null", "not an origin"] {
        let outcome = subject.send(&preflight_from(origin, "PUT", "x-a"));
        outcome.assert_layer(
            204,
            &[
                "access-control-allow-headers: x-a",
                "access-control-allow-methods: PUT",
                "access-control-allow-origin: *",
            ],
        );
    }
    let outcome = subject.send(&preflight_from(STRANGER, "TRACE", ""));
    outcome.assert_layer(403, &[]);
}

#[test]
fn permissive_is_any_of_everything_without_credentials() {
    let subject = Subject::layer(CorsLayer::permissive());
    let outcome = subject.send(&preflight_from(STRANGER, "PURGE", "x-whatever"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-headers: *",
            "access-control-allow-methods: *",
            "access-control-allow-origin: *",
        ],
    );
    let outcome = subject.send(&get_from(STRANGER));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: *",
            "access-control-expose-headers: *",
            "x-inner: called",
        ],
    );
}

#[test]
fn nobody_is_asked() {
    let policy = policy_fn(|_| -> Verdict { panic!("there is no origin to judge") });
    let subject = Subject::policy(policy, |cors| cors);
    let outcome = subject.send(&request("GET", &[]));
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}

/// Without a `Vary`, a cache may give the answer to any page.
#[test]
fn where_nobody_is_admitted_the_handler_grants_nothing_either() {
    let rules = CorsLayer::by_method().rule([Method::PUT], MethodRule::public_any_origin());
    let subject = Subject::layer(rules.build().unwrap());
    let inner = [
        ("access-control-allow-origin", "*"),
        ("cache-control", "public"),
    ];
    for request in [request("GET", &[]), get_from(STRANGER)] {
        let outcome = subject.send_to(&request, &inner);
        outcome.assert_inner(200, &["cache-control: public"]);
    }
}

/// A policy around another one may take its properties, and deny some of its origins.
#[test]
fn a_policy_around_any_is_asked() {
    #[derive(Debug)]
    struct Except<P>(P);

    impl<P: OriginPolicy> OriginPolicy for Except<P> {
        fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
            match request.origin().tuple() {
                Some(origin) if origin.as_str() == STRANGER => DenialKind::OriginNotAllowed.into(),
                _ => self.0.judge(request),
            }
        }

        fn properties(&self) -> PolicyProperties {
            self.0.properties()
        }
    }

    let layer = || CorsLayer::builder().origin_policy(Except(Any)).build();
    let by_method = || {
        let rule = MethodRule::trusted_only(Except(Any));
        CorsLayer::by_method().rule([Method::GET], rule).build()
    };
    for layer in [layer().unwrap(), by_method().unwrap()] {
        let subject = Subject::layer(layer);
        let outcome = subject.send(&get_from(STRANGER));
        outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
        assert_eq!(
            subject.send(&preflight_from(STRANGER, "GET", "")).status,
            403
        );
        let outcome = subject.send(&get_from("https://a.example"));
        assert_eq!(outcome.header("access-control-allow-origin"), Some("*"));
    }
}
