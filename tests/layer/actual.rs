//! Actual requests, forwarded with or without the headers of the protocol.

use tower_cors::{CorsLayer, CorsLayerBuilder};

use crate::support::service::{Broken, LISTED, STRANGER, Subject, get_from, request};

fn plain(cors: CorsLayerBuilder) -> CorsLayerBuilder {
    cors
}

const GRANTED: [&str; 3] = [
    "access-control-allow-origin: https://app.example",
    "vary: origin",
    "x-inner: called",
];
const FORWARDED: [&str; 2] = ["vary: origin", "x-inner: called"];

#[test]
fn an_allowed_origin_gets_the_response_with_the_headers() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PURGE"] {
        let outcome = Subject::list(plain).send(&request(method, &[("origin", LISTED)]));
        outcome.assert_inner(200, &GRANTED);
    }
    let subject = Subject::list(|cors| {
        cors.allow_credentials(true)
            .expose_headers(["Location", "ETag"])
    });
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: etag,location",
            "vary: origin",
            "x-inner: called",
        ],
    );
}

#[test]
fn a_plain_options_is_an_actual_request() {
    let outcome = Subject::list(plain).send(&request("OPTIONS", &[("origin", LISTED)]));
    outcome.assert_inner(200, &GRANTED);
    let outcome = Subject::list(plain).send(&request("OPTIONS", &[("origin", STRANGER)]));
    outcome.assert_inner(200, &FORWARDED);
}

#[test]
fn a_denied_origin_is_forwarded_without_them() {
    for origin in [
        STRANGER,
        "null",
        "",
        "https://app.example/",
        "https://app.example:443",
        "https://app.example https://evil.example",
        "https://app.example.evil.example",
        "https://app.example:8443",
    ] {
        let outcome = Subject::list(plain).send(&get_from(origin));
        outcome.assert_inner(200, &FORWARDED);
        assert!(outcome.denial.is_none(), "a plain list records nothing");
    }
}

#[test]
fn several_origin_lines_are_denied_even_if_they_agree() {
    for second in [LISTED, STRANGER] {
        let lines = [("origin", LISTED), ("origin", second)];
        let outcome = Subject::list(plain).send(&request("GET", &lines));
        outcome.assert_inner(200, &FORWARDED);
    }
}

#[test]
fn bytes_that_are_no_text_are_denied() {
    let request = http::Request::builder()
        .header("origin", &b"https://app.example\xff"[..])
        .body(())
        .unwrap();
    let outcome = Subject::list(plain).send(&request);
    outcome.assert_inner(200, &FORWARDED);
}

#[test]
fn the_request_reaches_the_inner_service_as_it_was_sent() {
    let sent = request("PUT", &[("origin", LISTED), ("x-a", "1")]);
    let outcome = Subject::list(plain).send(&sent);
    let inner = outcome.inner.unwrap();
    assert_eq!(inner.method, "PUT");
    assert_eq!(inner.uri, "/thing?secret=1");
    assert_eq!(inner.headers, *sent.headers());
}

#[test]
fn a_denied_origin_gets_no_grant_of_the_inner_service_either() {
    let inner = [
        ("access-control-allow-origin", STRANGER),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-headers", "*"),
        ("access-control-allow-private-network", "true"),
        ("access-control-allow-whatever-comes", "true"),
        ("access-control-expose-headers", "*"),
        ("access-control-max-age", "1"),
        ("x-inner", "called"),
    ];
    let outcome = Subject::list(plain).send_to(&get_from(STRANGER), &inner);
    outcome.assert_inner(200, &FORWARDED);
}

#[test]
fn our_headers_replace_those_of_the_inner_service() {
    let inner = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-origin", STRANGER),
        ("access-control-allow-origin", LISTED),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-total"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-private-network", "true"),
        ("x-inner", "called"),
    ];
    let outcome = Subject::list(plain).send_to(&get_from(LISTED), &inner);
    // A handler knows which headers it sets for the page to read; nothing else of it counts.
    let exposed = "access-control-expose-headers: x-total";
    outcome.assert_inner(200, &[GRANTED[0], exposed, GRANTED[1], GRANTED[2]]);
    let any = CorsLayer::builder().allow_origins(["*"]).build().unwrap();
    let outcome = Subject::layer(any).send_to(&get_from(LISTED), &inner);
    outcome.assert_inner(
        200,
        &["access-control-allow-origin: *", exposed, "x-inner: called"],
    );
}

/// Or pages could not read them.
#[test]
fn error_responses_get_the_headers() {
    for status in [400, 401, 404, 500, 503] {
        let inner = [("x-inner", "called")];
        let outcome = Subject::list(plain).send_to_status(&get_from(LISTED), status, &inner);
        outcome.assert_inner(status, &GRANTED);
        let outcome = Subject::list(plain).send_to_status(&get_from(STRANGER), status, &inner);
        outcome.assert_inner(status, &FORWARDED);
    }
}

#[test]
fn an_error_of_the_inner_service_passes_through_unchanged() {
    for request in [get_from(LISTED), get_from(STRANGER), request("GET", &[])] {
        let result = Subject::list(plain).send_to_broken(&request);
        assert_eq!(result.err(), Some(Broken("out of order")));
    }
}

#[test]
fn null_is_denied_unless_it_is_asked_for_by_name() {
    let null = CorsLayer::builder()
        .allow_origins([LISTED, "null"])
        .dangerously_allow_null_origin();
    let subject = Subject::layer(null.build().unwrap());
    let outcome = subject.send(&get_from("null"));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: null",
            "vary: origin",
            "x-inner: called",
        ],
    );
    for not_null in ["Null", "null null", STRANGER] {
        let outcome = subject.send(&get_from(not_null));
        outcome.assert_inner(200, &FORWARDED);
    }
    subject.send(&get_from(LISTED)).assert_inner(200, &GRANTED);
}
