//! Preflights: never for the inner service; refused, answered with the whole lists, or malformed.

use std::time::Duration;

use http::{Request, StatusCode};
use tower_cors::request::RequestedHeaders;

use crate::support::service::{LISTED, STRANGER, Subject, preflight_from, request};

const VARY: &str = "vary: origin,access-control-request-method,access-control-request-headers";

fn subject() -> Subject {
    Subject::list(|cors| {
        cors.allow_methods(["PUT", "DELETE"])
            .allow_headers(["X-B", "x-a"])
            .expose_headers(["ETag"])
            .max_age(Duration::from_secs(600))
    })
}

const ALLOWED: [&str; 5] = [
    "access-control-allow-headers: x-a,x-b",
    "access-control-allow-methods: PUT,DELETE",
    "access-control-allow-origin: https://app.example",
    "access-control-max-age: 600",
    VARY,
];

#[test]
fn an_allowed_origin_gets_the_whole_lists_and_no_body() {
    for (method, headers) in [
        ("PUT", "x-a"),
        ("DELETE", ""),
        ("PUT", "x-a,x-b"),
        ("PUT", "X-B , x-a,,X-A"),
        // Safelisted methods need not be listed.
        ("GET", "x-a"),
        ("HEAD", ""),
        ("POST", ""),
    ] {
        let outcome = subject().send(&preflight_from(LISTED, method, headers));
        outcome.assert_layer(204, &ALLOWED);
    }
}

/// The browser's console then names the method or the header, and not the origin.
#[test]
fn what_is_not_allowed_is_answered_with_what_is() {
    for (method, headers) in [
        ("PATCH", ""),
        ("put", ""),
        ("PUT", "x-c"),
        ("PUT", "x-a,authorization"),
    ] {
        let outcome = subject().send(&preflight_from(LISTED, method, headers));
        outcome.assert_layer(204, &ALLOWED);
    }
}

#[test]
fn a_refused_origin_gets_a_bare_403() {
    for origin in [
        STRANGER,
        "null",
        "https://app.example/",
        "https://app.example:443",
        "https://APP.example",
        "https://app.example, https://evil.example",
        "https://sub.app.example",
        "http://app.example",
        "*",
        "",
    ] {
        let outcome = subject().send(&preflight_from(origin, "PUT", "x-a"));
        outcome.assert_layer(403, &[VARY]);
    }
}

#[test]
fn several_origin_lines_are_refused_even_if_they_agree() {
    let lines = [
        ("origin", LISTED),
        ("origin", LISTED),
        ("access-control-request-method", "PUT"),
    ];
    let outcome = subject().send(&request("OPTIONS", &lines));
    outcome.assert_layer(403, &[VARY]);
}

#[test]
fn malformed_preflights_of_an_allowed_origin_get_the_bare_403() {
    let long = "a".repeat(RequestedHeaders::MAX_LEN + 1);
    let commas = ",".repeat(RequestedHeaders::MAX_EMPTY + 1);
    let rows: [(&str, &str, &str); 14] = [
        ("an empty method", "", ""),
        ("a method that is no token", "P UT", ""),
        ("two methods in a line", "PUT, DELETE", ""),
        ("a forbidden method", "CONNECT", ""),
        ("a forbidden method", "TRACE", ""),
        ("a forbidden method in another case", "trAck", ""),
        ("a name that is no token", "PUT", "x a"),
        ("a quoted name", "PUT", "\"x-a\""),
        ("another separator", "PUT", "x-a;x-b"),
        ("an assignment", "PUT", "x-a=1"),
        ("a colon", "PUT", "x-a:x-b"),
        ("a name beyond the bound", "PUT", &long),
        ("too many empty elements", "PUT", &commas),
        ("white space within a later name", "PUT", "x-a,x b"),
    ];
    for (what, method, headers) in rows {
        let outcome = subject().send(&preflight_from(LISTED, method, headers));
        assert_eq!(outcome.status, 403, "{what}");
        outcome.assert_layer(403, &[VARY]);
    }
}

#[test]
fn several_methods_or_too_many_lines_are_malformed() {
    let several = [
        ("origin", LISTED),
        ("access-control-request-method", "PUT"),
        ("access-control-request-method", "PUT"),
    ];
    let outcome = subject().send(&request("OPTIONS", &several));
    outcome.assert_layer(403, &[VARY]);

    let mut lines = vec![("origin", LISTED), ("access-control-request-method", "PUT")];
    lines.extend([("access-control-request-headers", "x-a"); RequestedHeaders::MAX_LINES]);
    let outcome = subject().send(&request("OPTIONS", &lines));
    outcome.assert_layer(204, &ALLOWED);
    lines.push(("access-control-request-headers", "x-a"));
    let outcome = subject().send(&request("OPTIONS", &lines));
    outcome.assert_layer(403, &[VARY]);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for (name, other) in [
        ("origin", "access-control-request-headers"),
        ("access-control-request-headers", "origin"),
        ("access-control-request-method", "x-other"),
    ] {
        let mut request = Request::builder()
            .method("OPTIONS")
            .uri("/")
            .header(name, &b"\xff\x80"[..]);
        if other == "origin" || name == "access-control-request-method" {
            request = request.header("origin", LISTED);
        }
        if name != "access-control-request-method" {
            request = request.header("access-control-request-method", "PUT");
        }
        let outcome = subject().send(&request.body(()).unwrap());
        outcome.assert_layer(403, &[VARY]);
    }
}

/// An absent list on an ok answer would grant the requested method.
#[test]
fn an_empty_list_of_methods_is_written_out() {
    let subject = Subject::list(|cors| cors);
    for method in ["GET", "PUT"] {
        let outcome = subject.send(&preflight_from(LISTED, method, "x-a"));
        outcome.assert_layer(
            204,
            &[
                "access-control-allow-methods: GET,HEAD,POST",
                "access-control-allow-origin: https://app.example",
                VARY,
            ],
        );
    }
}

#[test]
fn the_status_of_an_answer_is_configurable_that_of_a_refusal_is_not() {
    let subject = Subject::list(|cors| cors.preflight_status(StatusCode::OK));
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(
        200,
        &[
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    let outcome = subject.send(&preflight_from(STRANGER, "PUT", ""));
    outcome.assert_layer(403, &[VARY]);
}

#[test]
fn a_method_in_another_case_is_no_preflight() {
    let lines = [("origin", LISTED), ("access-control-request-method", "PUT")];
    let outcome = subject().send(&request("options", &lines));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: etag",
            "vary: origin",
            "x-inner: called",
        ],
    );
}

#[test]
fn a_max_age_of_zero_is_sent() {
    let subject = Subject::list(|cors| cors.max_age(Duration::ZERO));
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-origin: https://app.example",
            "access-control-max-age: 0",
            VARY,
        ],
    );
}
