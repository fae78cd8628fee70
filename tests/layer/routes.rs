//! CORS endpoint by endpoint: a plain tower stack, and axum over real sockets.

use std::convert::Infallible;

use http::{Method, Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, Denial, DenialKind, Grant, Origin, OriginSet, Verdict, VerdictFuture,
    error::{ConfigError, OriginSetting},
    policy_fn,
    routes::MethodRule,
};

use crate::support::service::{preflight_from, request};

const TRUSTED: &str = "https://admin.example";
const STRANGER: &str = "https://evil.example";

fn trusted() -> MethodRule {
    MethodRule::trusted_only(OriginSet::parse([TRUSTED]).unwrap()).allow_credentials(true)
}

/// The same, with a policy that has to be waited for.
fn trusted_later() -> MethodRule {
    let policy = policy_fn(|request| {
        let is_trusted = request
            .origin()
            .tuple()
            .is_some_and(|o| o.as_str() == TRUSTED);
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            if is_trusted {
                Verdict::Allow(Grant::new())
            } else {
                Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
            }
        })
    });
    MethodRule::trusted_only(policy).allow_credentials(true)
}

fn table(trusted: MethodRule) -> CorsLayer {
    CorsLayer::by_method()
        .rule(
            [Method::GET, Method::HEAD],
            MethodRule::public_any_origin().expose_headers(["etag"]),
        )
        .rule([Method::PUT, Method::PATCH], trusted.allow_headers(["x-a"]))
        .rule([Method::POST], MethodRule::bearer_any_origin())
        .build()
        .unwrap()
}

fn send(layer: &CorsLayer, request: Request<()>) -> (u16, Vec<String>) {
    let inner = service_fn(async |_| {
        let response = Response::builder().header("access-control-allow-origin", "inner");
        Ok::<_, Infallible>(response.body(()).unwrap())
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let response = runtime
        .block_on(layer.layer(inner).oneshot(request))
        .unwrap();
    let lines = response.headers().iter();
    let mut lines: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    (response.status().as_u16(), lines)
}

#[track_caller]
fn check(request: Request<()>, status: u16, lines: &[&str]) {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    for rule in [trusted(), trusted_later()] {
        assert_eq!(send(&table(rule), request.clone()), (status, lines.clone()));
    }
}

/// What caches may keep of a URL is the same for all of its methods, and the bearer rule forbids it.
const REFUSED: &[&str] = &[
    "cache-control: no-store",
    "vary: origin,access-control-request-method,access-control-request-headers",
];

#[test]
fn the_requested_method_decides_a_preflight() {
    check(
        preflight_from(STRANGER, "GET", ""),
        204,
        &[
            "access-control-allow-methods: GET,HEAD",
            "access-control-allow-origin: *",
            "cache-control: no-store",
            "vary: access-control-request-method",
        ],
    );
    check(preflight_from(STRANGER, "PUT", ""), 403, REFUSED);
    check(
        preflight_from(TRUSTED, "PATCH", "x-a"),
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-a",
            "access-control-allow-methods: PUT,PATCH",
            "access-control-allow-origin: https://admin.example",
            REFUSED[0],
            REFUSED[1],
        ],
    );
    // A method without a rule is not listed, and method names have a case.
    for method in ["DELETE", "get", "put", "OPTIONS"] {
        check(
            preflight_from(TRUSTED, method, ""),
            204,
            &[
                "access-control-allow-methods: GET,HEAD",
                "access-control-allow-origin: *",
                "cache-control: no-store",
                "vary: access-control-request-method",
            ],
        );
    }
}

/// Browsers send `GET`, `HEAD` and `POST` after any preflight that passes, listed or not.
#[test]
fn no_rule_of_a_sibling_opens_a_safelisted_method() {
    let layer = CorsLayer::by_method()
        .rule([Method::PUT], MethodRule::public_any_origin())
        .build()
        .unwrap();
    for method in ["GET", "HEAD", "POST"] {
        let (status, lines) = send(&layer, preflight_from(TRUSTED, method, "x-a"));
        assert_eq!(
            (status, &*lines[0], lines.len()),
            (
                403,
                "vary: access-control-request-method,access-control-request-headers",
                1
            ),
            "{method}"
        );
    }
}

#[test]
fn a_bearer_route_wants_a_token_and_no_cookie() {
    let bearer = [
        "access-control-allow-headers: authorization",
        "access-control-allow-methods: POST",
        "access-control-allow-origin: https://evil.example",
        "cache-control: no-store",
        "vary: origin,authorization,cookie,access-control-request-method,\
         access-control-request-headers",
    ];
    check(
        preflight_from(STRANGER, "POST", "authorization"),
        204,
        &bearer,
    );
    check(preflight_from(STRANGER, "POST", ""), 403, &bearer[3..]);
    let post = |headers: &[(&str, &str)]| {
        let origin = [("origin", STRANGER)];
        request("POST", &[&origin[..], headers].concat())
    };
    let vary = "vary: origin,authorization,cookie";
    check(
        post(&[("authorization", "Bearer x")]),
        200,
        &["access-control-allow-origin: https://evil.example", vary],
    );
    let refused = &["cache-control: no-store", vary];
    for headers in [
        &[("authorization", "Bearer x"), ("cookie", "a=b")][..],
        &[("cookie", "a=b")],
        &[("authorization", "Basic x")],
        &[],
    ] {
        check(post(headers), 403, refused);
    }
}

#[test]
fn an_actual_request_has_the_rule_of_its_own_method() {
    let from = |method: &str, origin: &str| request(method, &[("origin", origin)]);
    check(
        from("GET", STRANGER),
        200,
        &[
            "access-control-allow-origin: *",
            "access-control-expose-headers: etag",
        ],
    );
    // As without an `Origin`: caches may hand one to the other.
    check(
        request("GET", &[]),
        200,
        &[
            "access-control-allow-origin: *",
            "access-control-expose-headers: etag",
        ],
    );
    check(from("PUT", STRANGER), 200, &["vary: origin"]);
    check(
        from("PUT", TRUSTED),
        200,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://admin.example",
            "vary: origin",
        ],
    );
    check(from("DELETE", TRUSTED), 200, &[]);
}

#[test]
fn malformed_preflights_are_refused_whatever_the_rules() {
    let several = request(
        "OPTIONS",
        &[
            ("origin", TRUSTED),
            ("access-control-request-method", "GET"),
            ("access-control-request-method", "PUT"),
        ],
    );
    check(
        several,
        403,
        &[
            "cache-control: no-store",
            "vary: access-control-request-method",
        ],
    );
    let empty = request(
        "OPTIONS",
        &[("origin", TRUSTED), ("access-control-request-method", "")],
    );
    check(
        empty,
        403,
        &[
            "cache-control: no-store",
            "vary: access-control-request-method",
        ],
    );
}

/// For clients that do not understand 204: whichever rule answers.
#[test]
fn the_status_of_preflights_is_that_of_all_rules() {
    let rules = |status| {
        CorsLayer::by_method()
            .rule([Method::GET], MethodRule::public_any_origin())
            .rule([Method::PUT], trusted())
            .rule([Method::PATCH], trusted_later())
            .preflight_status(status)
    };
    let layer = rules(StatusCode::OK).build().unwrap();
    for (origin, method, status) in [
        (STRANGER, "GET", 200),
        (TRUSTED, "PUT", 200),
        (TRUSTED, "PATCH", 200),
        (TRUSTED, "LOCK", 200),
        (STRANGER, "PUT", 403),
    ] {
        let (answered, lines) = send(&layer, preflight_from(origin, method, ""));
        assert_eq!(answered, status, "{origin} {method} {lines:?}");
    }
    // Once, however many rules there are.
    let errors = rules(StatusCode::FOUND).build().unwrap_err();
    assert_eq!(
        errors.into_iter().collect::<Vec<_>>(),
        [ConfigError::PreflightStatus { status: 302 }]
    );
}

/// What the text of a mistake proposes to call exists where the mistake is made.
#[test]
fn a_rule_has_the_doors_that_its_mistakes_name() {
    let files: OriginSet = ["file://".parse::<Origin>().unwrap()].into_iter().collect();
    let insecure = OriginSet::parse(["http://intranet.example"]).unwrap();
    let suffix = OriginSet::parse(["https://*.github.io"]).unwrap();
    type Door = fn(MethodRule) -> MethodRule;
    let doors: [(&str, OriginSet, Door); 3] = [
        (
            "dangerously_allow_insecure_origins",
            insecure,
            MethodRule::dangerously_allow_insecure_origins,
        ),
        (
            "dangerously_allow_public_suffixes",
            suffix,
            MethodRule::dangerously_allow_public_suffixes,
        ),
        (
            "dangerously_allow_file_origin",
            files,
            MethodRule::dangerously_allow_file_origin,
        ),
    ];
    for (i, (name, set, _)) in doors.iter().enumerate() {
        for rule in [MethodRule::trusted_only, MethodRule::trusted_or_bearer] {
            let rule = rule(set.clone()).allow_credentials(true);
            let build = |rule| CorsLayer::by_method().rule([Method::PUT], rule).build();
            let errors = build(rule.clone()).unwrap_err().to_string();
            assert!(errors.contains(&format!("`{name}`")), "{errors}");
            // Each opens for its own mistake only.
            for (j, (_, _, open)) in doors.iter().enumerate() {
                assert_eq!(build(open(rule.clone())).is_ok(), i == j, "{name} {j}");
            }
        }
    }
}

#[test]
fn every_mistake_of_every_rule_is_reported() {
    let errors = CorsLayer::by_method()
        .rule(
            [Method::GET],
            MethodRule::public_any_origin().allow_credentials(true),
        )
        .rule([Method::PUT], trusted().allow_headers(["cookie"]))
        .build()
        .unwrap_err();
    let errors: Vec<_> = errors.into_iter().collect();
    assert!(matches!(
        errors[..],
        [
            ConfigError::AnyOriginWithCredentials {
                setting: OriginSetting::MethodRule
            },
            ConfigError::HeaderName { .. }
        ]
    ));
}

#[test]
fn a_later_rule_replaces_an_earlier_one() {
    let layer = CorsLayer::by_method()
        .rule([Method::GET, Method::PUT], MethodRule::public_any_origin())
        .rule([Method::PUT], MethodRule::none())
        .build()
        .unwrap();
    assert_eq!(send(&layer, preflight_from(TRUSTED, "PUT", "")).0, 403);
    let (_, lines) = send(&layer, preflight_from(TRUSTED, "GET", ""));
    assert!(lines.contains(&"access-control-allow-methods: GET".to_owned()));
}

#[test]
fn a_bearer_route_takes_its_token_beside_the_headers_that_are_listed() {
    let trusted = OriginSet::parse([TRUSTED]).unwrap();
    for rule in [
        MethodRule::bearer_any_origin(),
        MethodRule::trusted_or_bearer(trusted),
    ] {
        let layer = CorsLayer::by_method()
            .rule([Method::POST], rule.allow_headers(["content-type"]))
            .build()
            .unwrap();
        let asked = preflight_from(STRANGER, "POST", "authorization,content-type");
        let (status, lines) = send(&layer, asked);
        assert_eq!(status, 204, "{lines:?}");
        assert_eq!(
            lines[0],
            "access-control-allow-headers: authorization,content-type"
        );
        // What is not listed still is not allowed.
        let asked = preflight_from(STRANGER, "POST", "authorization,x-a");
        assert_eq!(send(&layer, asked).1[0], lines[0]);
    }
}

#[cfg(feature = "axum")]
mod in_axum {
    use axum::{Router, routing::get};
    use tower_cors::{OriginPolicy, routes::MethodCorsRouter};

    use super::*;
    use crate::support::sockets::{ask, serve};

    fn app(policy: impl OriginPolicy) -> Router {
        let trusted = MethodRule::trusted_only(policy)
            .allow_credentials(true)
            .allow_headers(["content-type"]);
        let things = MethodCorsRouter::new()
            .get(async || "list", MethodRule::public_any_origin())
            .put(async || "replaced", trusted.clone())
            .patch(async || "changed", trusted)
            .delete(async || "gone", MethodRule::none())
            .build()
            .unwrap();
        Router::new()
            .route("/things/{id}", things)
            .route("/login", get(async || "login"))
    }

    #[tokio::test]
    async fn the_allowed_methods_are_those_of_the_handlers() {
        let at = serve(app(OriginSet::parse([TRUSTED]).unwrap())).await;
        let preflight = |method: &str| {
            format!(
                "OPTIONS /things/1 HTTP/1.1\r\norigin: {TRUSTED}\r\n\
                 access-control-request-method: {method}"
            )
        };
        // `allow` is axum's, with every answer that no handler gives.
        let allow = "allow: GET,HEAD,PUT,PATCH,DELETE";
        let (status, lines, body) = ask(at, &preflight("PUT")).await;
        assert_eq!((status, &*body), (204, ""));
        assert_eq!(
            lines,
            [
                "access-control-allow-credentials: true",
                "access-control-allow-headers: content-type",
                "access-control-allow-methods: PUT,PATCH",
                "access-control-allow-origin: https://admin.example",
                allow,
                "vary: origin,access-control-request-method,access-control-request-headers",
            ]
        );
        let (status, lines, _) = ask(at, &preflight("GET")).await;
        assert_eq!(status, 204);
        assert_eq!(
            lines,
            [
                "access-control-allow-methods: GET,HEAD",
                "access-control-allow-origin: *",
                allow,
                "vary: access-control-request-method",
            ]
        );
        let (status, lines, _) = ask(at, &preflight("DELETE")).await;
        assert_eq!(status, 403, "a rule for nobody");
        assert_eq!(
            lines,
            [
                allow,
                "content-length: 0",
                "vary: access-control-request-method,access-control-request-headers",
            ]
        );
        // There is no handler, so the console should name the method and not the origin.
        let (status, lines, _) = ask(at, &preflight("POST")).await;
        assert_eq!(status, 204);
        assert_eq!(lines[0], "access-control-allow-methods: GET,HEAD");
    }

    #[tokio::test]
    async fn handlers_answer_by_their_own_rules() {
        let at = serve(app(OriginSet::parse([TRUSTED]).unwrap())).await;
        let from = |method: &str, path: &str, origin: &str| {
            format!("{method} {path} HTTP/1.1\r\norigin: {origin}\r\ncontent-length: 0")
        };
        let text = "content-type: text/plain; charset=utf-8";
        let (status, lines, body) = ask(at, &from("GET", "/things/1", STRANGER)).await;
        assert_eq!((status, &*body), (200, "list"));
        assert_eq!(
            lines,
            ["access-control-allow-origin: *", "content-length: 4", text]
        );

        let (status, lines, body) = ask(at, &from("PUT", "/things/1", TRUSTED)).await;
        assert_eq!((status, &*body), (200, "replaced"));
        assert_eq!(
            lines,
            [
                "access-control-allow-credentials: true",
                "access-control-allow-origin: https://admin.example",
                "content-length: 8",
                text,
                "vary: origin",
            ]
        );
        let (status, lines, _) = ask(at, &from("DELETE", "/things/1", TRUSTED)).await;
        assert_eq!(status, 200);
        assert_eq!(lines, ["content-length: 4", text]);

        // CORS is opt-in: a route without rules has none.
        let (status, lines, _) = ask(at, &from("GET", "/login", TRUSTED)).await;
        assert_eq!(status, 200);
        assert_eq!(lines, ["content-length: 5", text]);
    }

    #[tokio::test]
    async fn a_layer_goes_around_handlers_that_axum_has_already() {
        let layer = CorsLayer::by_method()
            .rule([Method::GET], trusted())
            .build()
            .unwrap();
        let at = serve(Router::new().route("/", get(async || "ok").layer(layer))).await;
        let (status, lines, _) = ask(
            at,
            &format!(
                "OPTIONS / HTTP/1.1\r\norigin: {TRUSTED}\r\naccess-control-request-method: GET"
            ),
        )
        .await;
        assert_eq!(status, 204);
        assert!(
            lines.contains(&"access-control-allow-methods: GET".to_owned()),
            "{lines:?}"
        );
    }

    #[tokio::test]
    async fn a_handler_of_head_has_its_own_rule() {
        let public = MethodRule::public_any_origin;
        let closed = MethodRule::none;
        for (router, get_allows) in [
            (
                MethodCorsRouter::new()
                    .get(async || "get", public())
                    .head(async || "head", closed()),
                "GET",
            ),
            (
                MethodCorsRouter::new()
                    .head(async || "head", closed())
                    .get(async || "get", public()),
                "GET",
            ),
            (
                MethodCorsRouter::new().get(async || "get", public()),
                "GET,HEAD",
            ),
        ] {
            let has_own = get_allows == "GET";
            let at = serve(Router::new().route("/", router.build().unwrap())).await;
            let preflight = |method: &str| {
                format!(
                    "OPTIONS / HTTP/1.1\r\norigin: {STRANGER}\r\n\
                     access-control-request-method: {method}"
                )
            };
            let (status, lines, _) = ask(at, &preflight("GET")).await;
            assert_eq!(status, 204);
            let allowed = format!("access-control-allow-methods: {get_allows}");
            assert!(lines.contains(&allowed), "{lines:?}");
            let (status, _, _) = ask(at, &preflight("HEAD")).await;
            assert_eq!(status, if has_own { 403 } else { 204 });
            let head = format!("HEAD / HTTP/1.1\r\norigin: {STRANGER}");
            let (_, lines, _) = ask(at, &head).await;
            let is_granted = lines.contains(&"access-control-allow-origin: *".to_owned());
            assert_eq!(is_granted, !has_own, "{lines:?}");
        }
    }
}
