//! `DeniedRequests::Refuse`: denied requests never reach the inner service.

use http::Request;
use tower_cors::DeniedRequests;

use crate::support::service::{LISTED, STRANGER, Subject, get_from, request};

fn subject() -> Subject {
    Subject::list(|cors| cors.denied_requests(DeniedRequests::Refuse))
}

const FORWARDED: [&str; 2] = ["vary: origin", "x-inner: called"];

#[test]
fn a_denied_origin_gets_403_and_the_inner_service_is_not_called() {
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
        for origin in [STRANGER, "null", "", "https://app.example/"] {
            let outcome = subject().send(&request(method, &[("origin", origin)]));
            outcome.assert_layer(403, &["vary: origin"]);
        }
    }
    let several = request("GET", &[("origin", LISTED), ("origin", LISTED)]);
    subject()
        .send(&several)
        .assert_layer(403, &["vary: origin"]);
}

#[test]
fn an_allowed_origin_and_requests_without_one_pass() {
    let outcome = subject().send(&get_from(LISTED));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://app.example",
            "vary: origin",
            "x-inner: called",
        ],
    );
    let outcome = subject().send(&request("POST", &[]));
    outcome.assert_inner(200, &FORWARDED);
}

/// Browsers send `Origin` with a POST to the own origin too.
#[test]
fn the_own_pages_are_exempt_by_sec_fetch_site() {
    for site in ["same-origin", "none"] {
        let lines = [("origin", STRANGER), ("sec-fetch-site", site)];
        let outcome = subject().send(&request("POST", &lines));
        outcome.assert_inner(200, &FORWARDED);
    }
    for site in ["same-site", "cross-site", "Same-Origin", ""] {
        let lines = [
            ("origin", STRANGER),
            ("host", "evil.example"),
            ("sec-fetch-site", site),
        ];
        let outcome = subject().send(&request("POST", &lines));
        outcome.assert_layer(403, &["vary: origin"]);
    }
}

#[test]
fn else_the_own_pages_are_exempt_by_host() {
    for (host, exempt) in [
        ("evil.example", true),
        ("evil.example:443", true),
        ("EVIL.example", true),
        ("evil.example:8443", false),
        ("app.example", false),
        ("sub.evil.example", false),
    ] {
        let lines = [("origin", STRANGER), ("host", host)];
        let outcome = subject().send(&request("POST", &lines));
        if exempt {
            outcome.assert_inner(200, &FORWARDED)
        } else {
            outcome.assert_layer(403, &["vary: origin"])
        }
    }
}

#[test]
fn the_exempt_get_no_grant_of_the_inner_service() {
    let lines = [("origin", STRANGER), ("sec-fetch-site", "same-origin")];
    let inner = [
        ("access-control-allow-origin", STRANGER),
        ("x-inner", "called"),
    ];
    let outcome = subject().send_to(&request("POST", &lines), &inner);
    outcome.assert_inner(200, &FORWARDED);
}

/// Nothing was denied to them, so that an operator must not read that it was.
#[test]
fn the_exempt_leave_no_denial() {
    for denied_requests in [DeniedRequests::Forward, DeniedRequests::Refuse] {
        let subject =
            Subject::list(|cors| cors.denied_requests(denied_requests).record_denials(true));
        for (name, value) in [("sec-fetch-site", "same-origin"), ("host", "evil.example")] {
            let outcome = subject.send(&request("POST", &[("origin", STRANGER), (name, value)]));
            outcome.assert_inner(200, &FORWARDED);
            assert!(outcome.denial.is_none(), "{denied_requests:?}, {name}");
        }
        let outcome = subject.send(&request(
            "POST",
            &[("origin", STRANGER), ("host", "app.example")],
        ));
        assert!(outcome.denial.is_some(), "{denied_requests:?}");
    }
}

#[test]
fn forwarded_hosts_do_not_count() {
    let lines = [
        ("origin", STRANGER),
        ("host", "app.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    let outcome = subject().send(&request("POST", &lines));
    outcome.assert_layer(403, &["vary: origin"]);
}

#[test]
fn an_opaque_origin_is_exempt_only_by_sec_fetch_site() {
    let lines = [("origin", "null"), ("host", "app.example")];
    let outcome = subject().send(&request("POST", &lines));
    outcome.assert_layer(403, &["vary: origin"]);
    let lines = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    let outcome = subject().send(&request("POST", &lines));
    outcome.assert_inner(200, &FORWARDED);
}

/// CORS itself does not cover them.
#[test]
fn websocket_handshakes_are_refused_like_any_request() {
    let handshake = |origin: &str| {
        Request::get("/chat")
            .header("host", "api.example")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("origin", origin)
            .body(())
            .unwrap()
    };
    let outcome = subject().send(&handshake(STRANGER));
    outcome.assert_layer(403, &["vary: origin"]);
    let outcome = subject().send(&handshake(LISTED));
    assert!(outcome.inner.is_some());
    let outcome = subject().send(&handshake("https://api.example"));
    outcome.assert_inner(200, &FORWARDED);
}

/// WebKit leaves `Sec-Fetch-Site` out after a redirect, Chromium in WebSocket handshakes, and all
/// browsers over plain HTTP: a page can get there, so that its absence proves nothing.
#[test]
fn a_request_without_fetch_metadata_is_refused_too() {
    let subject = Subject::list(|cors| cors.denied_requests(DeniedRequests::Refuse));
    for method in ["GET", "POST", "OPTIONS"] {
        for origin in [STRANGER, "null", "https://app.example/"] {
            let host = ("host", "api.example");
            for lines in [
                &[("origin", origin)][..],
                &[("origin", origin), host],
                &[("origin", origin), host, ("upgrade", "websocket")],
                &[("origin", origin), host, ("sec-fetch-site", "cross-site")],
                &[("origin", origin), host, ("sec-fetch-site", "")],
            ] {
                let outcome = subject.send(&request(method, lines));
                outcome.assert_layer(403, &["vary: origin"]);
            }
        }
    }
}
