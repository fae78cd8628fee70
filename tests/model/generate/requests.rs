//! Requests, and what the inner service answers.

use super::super::{
    choices::Choices,
    config::{Exchange, Headers, Request, Response},
};

/// Origins that are listed, nearly listed, and not at all; malformed ones; and any bytes.
pub fn origin(choices: &mut Choices) -> String {
    // Half of them are listed often, so that much is granted.
    if choices.once_in(2) {
        let often = [
            "https://a.example",
            "https://app.b.example",
            "https://a.example:8443",
            "https://b.example.",
        ];
        return choices.pick(&often).to_owned();
    }
    choices
        .pick(&[
            "https://a.example",
            "https://app.b.example",
            "https://x.y.b.example",
            "https://b.example",
            "https://evilb.example",
            "http://localhost:3000",
            "http://localhost",
            "https://a.example:8443",
            "http://a.example",
            "null",
            "https://pr-7.preview.app.example",
            "https://pr-.preview.app.example",
            "https://pr-7.8.preview.app.example",
            "https://7-x.app.example:8443",
            "http://127.0.0.1:3000",
            "http://[::1]",
            "https://[2001:db8::1]:8443",
            "https://x.github.io",
            "moz-extension://0f5c8a7e",
            "moz-extension://a..ext",
            "moz-extension://a.ext",
            "app://-",
            "app://",
            "tauri://localhost",
            "https://b.example.",
            "https://a_b.example",
            "https://app.b.example.",
            "https://app.b.example:8443",
            "file://",
            "https://evil.example",
            "https://api.example",
            "https://x.example.com",
            "https://xexample.com",
            // Malformed.
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "NULL",
            "https://a.example https://b.example",
            "https://a.example,https://b.example",
            "",
            " https://a.example",
            "https://..b.example",
            "https://.b.example",
            "https://127.1",
            "http://[0:0:0:0:0:0:0:1]",
        ])
        .to_owned()
}

pub fn exchange(choices: &mut Choices) -> Exchange {
    let mut headers = Headers::new();
    let mut add = |name: &str, value: Vec<u8>| headers.push((name.to_owned(), value));
    if !choices.once_in(10) {
        add("origin", value_of(choices, origin));
        if choices.once_in(25) {
            add("origin", origin(choices).into_bytes());
        }
    }
    let is_preflight = choices.once_in(2);
    let method = if is_preflight || choices.once_in(10) {
        "OPTIONS"
    } else {
        choices.pick(&["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
    };
    if is_preflight || choices.once_in(20) {
        add(
            "access-control-request-method",
            value_of(choices, requested_method),
        );
        if choices.once_in(30) {
            add("access-control-request-method", b"PUT".to_vec());
        }
        let lines = match choices.below(16) {
            0..9 => 1,
            9..14 => 0,
            14 => 2,
            _ => 15 + choices.below(3),
        };
        for _ in 0..lines {
            add(
                "access-control-request-headers",
                value_of(choices, requested_headers),
            );
        }
    }
    if choices.once_in(3) {
        add("authorization", value_of(choices, authorization));
        if choices.once_in(15) {
            add("authorization", b"Bearer good".to_vec());
        }
    }
    for (name, odds, values) in [
        ("cookie", 5, &["session=1", ""][..]),
        (
            "sec-fetch-site",
            6,
            &[
                "cross-site",
                "same-origin",
                "none",
                "same-site",
                "Same-Origin",
            ],
        ),
        ("sec-fetch-site", 25, &["cross-site", "same-origin"]),
        (
            "host",
            3,
            &[
                "api.example",
                "a.example",
                "A.example:443",
                "a.example:8443",
                "[::1]",
                "a.example:",
                "a.example:+443",
                "localhost:03000",
                "localhost",
            ],
        ),
        ("host", 30, &["api.example"]),
        ("sec-fetch-mode", 10, &["cors", "navigate"]),
        (
            "content-type",
            4,
            &[
                "application/json",
                "application/grpc",
                "application/grpc-web+proto",
                "Application/gRPC-Web-Text; x=y",
                "application/grpc+thrift",
                "application/grpcish",
            ],
        ),
        ("x-tenant", 10, &["a"]),
    ] {
        if choices.once_in(odds) {
            add(name, choices.pick(values).as_bytes().to_vec());
        }
    }
    let uri = if choices.once_in(8) {
        choices.pick(&[
            "https://a.example/thing",
            "http://localhost:3000/thing",
            "https://api.example/",
        ])
    } else {
        "/thing?a=1"
    };
    Exchange {
        request: Request {
            method: method.to_owned(),
            uri: uri.to_owned(),
            headers,
        },
        inner: inner(choices),
    }
}

/// A value of its kind, and now and then any bytes, or one with a byte changed.
fn value_of(choices: &mut Choices, value: fn(&mut Choices) -> String) -> Vec<u8> {
    let mut bytes = value(choices).into_bytes();
    if choices.once_in(20) && !bytes.is_empty() {
        let at = choices.below(bytes.len().min(256));
        bytes[at] = choices.byte();
    } else if choices.once_in(60) {
        let len = choices.below(40);
        bytes = (0..len).map(|_| choices.byte()).collect();
    }
    bytes
}

fn requested_method(choices: &mut Choices) -> String {
    let all = [
        "PUT", "GET", "DELETE", "POST", "PATCH", "patch", "get", "CHICKEN", "*", "TRACE",
        "connect", "", "A B", "PUT,GET",
    ];
    if choices.once_in(80) {
        "M".repeat(127 + choices.below(3))
    } else if choices.once_in(2) {
        choices.pick(&all).to_owned()
    } else {
        choices.pick(&["PUT", "GET", "DELETE"]).to_owned()
    }
}

fn requested_headers(choices: &mut Choices) -> String {
    let most = if choices.once_in(30) { 200 } else { 4 };
    let names = choices.some(
        &[
            "content-type",
            "authorization",
            "x-a",
            "x-b",
            "X-A",
            "x-c",
            "x_d~",
            "x-zzz",
            "*",
            "",
            "a b",
            "Authorization",
        ],
        most,
    );
    let mut separator = choices.pick(&[",", ",", ",", ", ", " ,\t"]).to_owned();
    // Empty elements are bounded.
    if choices.once_in(40) {
        separator = ",".repeat(16 + choices.below(4));
    }
    let mut line = names.join(&separator);
    if choices.once_in(60) {
        line.push_str(&",".repeat(14 + choices.below(5)));
    }
    line
}

fn authorization(choices: &mut Choices) -> String {
    if choices.once_in(2) {
        return "Bearer good".to_owned();
    }
    choices
        .pick(&[
            "Bearer good",
            "Bearer good",
            "bearer  good ",
            "DPoP good",
            "Bearer expired",
            "Bearer lapsed",
            "Bearer forged",
            "Bearer down",
            "Basic dXNlcg==",
            "",
            "Bearer",
            "Bearer ",
            "Bearer\tgood",
            "good",
            "JWT good",
            "Token eyJ.a.b",
            "Basic x, Bearer good",
            "Bearers good",
            ",Bearer good",
            "Digest a=\"b\", c=d",
        ])
        .to_owned()
}

/// What the inner service answers, which may speak CORS itself.
fn inner(choices: &mut Choices) -> Response {
    let mut headers = Headers::new();
    let lines: &[(&str, usize, &[&str])] = &[
        ("content-type", 3, &["application/json"]),
        (
            "vary",
            3,
            &[
                "accept-encoding",
                "Accept-Encoding",
                "origin",
                "*",
                "Accept, Origin",
                "originx",
                "ORIGIN,access-control-request-method",
                "",
                "authorization, cookie",
                "origin,access-control-request-method,access-control-request-headers",
            ],
        ),
        ("vary", 8, &["accept", "Origin", "*", "cookie ,origin"]),
        (
            "access-control-allow-origin",
            6,
            &["*", "https://evil.example", "null"],
        ),
        ("access-control-allow-credentials", 8, &["true"]),
        ("access-control-allow-methods", 12, &["*"]),
        ("access-control-max-age", 15, &["86400"]),
        ("access-control-allow-private-network", 12, &["true"]),
        (
            "access-control-expose-headers",
            5,
            &["x-inner", "*", "ETag, X-Inner", "x-a,,x-a", "a b, x-i", ""],
        ),
        ("access-control-expose-headers", 15, &["x-second"]),
        (
            "cache-control",
            4,
            &[
                "public, max-age=60",
                "no-store",
                "private=\"set-cookie, x\", max-age=5",
                "ext=\"a",
                "S-MaxAge=5",
                "no-cache=\"a\\\", public\"",
                "",
                "private, Public",
            ],
        ),
        ("cache-control", 12, &["public", "max-age=1", "No-Store"]),
        ("x-inner", 2, &["called"]),
    ];
    for (name, odds, values) in lines {
        if choices.once_in(*odds) {
            headers.push(((*name).to_owned(), choices.pick(values).as_bytes().to_vec()));
        }
    }
    if choices.once_in(60) {
        let name = choices.pick(&["vary", "access-control-expose-headers", "cache-control"]);
        let bytes = (0..choices.below(12)).map(|_| choices.byte()).collect();
        headers.push((name.to_owned(), bytes));
    }
    Response {
        status: [200, 204, 304, 401, 404, 500][choices.below(6)],
        headers,
    }
}
