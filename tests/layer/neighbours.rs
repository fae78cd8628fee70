//! What stands next to the cases of the field: every class of them carried a step further, with
//! the complete header map of each answer.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use tower_cors::{ConfigErrors, CorsLayer, Origin, config::CorsConfig};

type Lines<'a> = &'a [(&'a str, &'a str)];

/// The answer of the complete layer.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    called: bool,
}

fn answer(status: u16, called: bool, headers: Lines<'_>) -> Answer {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut headers: Vec<_> = headers.iter().map(own).collect();
    headers.sort();
    Answer {
        status,
        headers,
        called,
    }
}

fn build(config: Value) -> Result<CorsLayer, ConfigErrors> {
    CorsLayer::try_from(serde_json::from_value::<CorsConfig>(config).unwrap())
}

fn play(layer: &CorsLayer, method: &str, headers: Lines<'_>, inner: Lines<'_>) -> Answer {
    let called = Arc::new(AtomicBool::new(false));
    let inner = header_map(inner);
    let seen = Arc::clone(&called);
    let service = service_fn(move |_: Request<()>| {
        seen.store(true, Ordering::Relaxed);
        let mut response = Response::new(());
        *response.headers_mut() = inner.clone();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut request = Request::builder().method(method).uri("/").body(()).unwrap();
    *request.headers_mut() = header_map(headers);
    let response = layer.layer(service).oneshot(request).now_or_never();
    let response = response.expect("nothing waits").unwrap();
    let lines = response.headers().iter();
    let lines: Vec<_> = lines
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let called = called.load(Ordering::Relaxed);
    answer(response.status().as_u16(), called, &lines)
}

fn header_map(lines: Lines<'_>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

const PREFLIGHT_VARY: (&str, &str) = (
    "vary",
    "origin,access-control-request-method,access-control-request-headers",
);
const VARY: (&str, &str) = ("vary", "origin");

/// Each of these origins is near to a listed one, and none of them is it.
#[test]
fn near_misses_get_nothing() {
    for (entry, origins) in [
        (
            "https://p.example:8443",
            &[
                "https://p.example:843",
                "https://p.example:84430",
                "https://p.example:08443",
                "https://p.example:8443.",
                "https://p.example:8443/",
                "https://p.example:8443#",
                "https://p.example:8443,",
                "https://p.example:84 43",
                "https://p.example:0x20fb",
                "https://p.example:8443e0",
                "https://p.example:8443:",
                "https://p.example:443",
                "https://p.example:-1",
                "https://p.example:*",
                "https://p.example:18446744073709560059",
                "https://p.example.:8443",
            ][..],
        ),
        (
            "https://a.example",
            &[
                "https://a.example:443",
                "https://a.example.",
                "https://a.example..",
                "https://a.example:",
                "https://a.example\\",
                "https://a.example&",
                "https://a.example=",
                "https://a.example$",
                "https://a.example!",
                "https://a.example`",
                "HTTPS://a.example",
                "Https://a.example",
                "https://A.example",
                "https://a.Example",
                "https://a%2eexample",
                "https://%61.example",
                "https://a。example",
                "https://ａ.example",
                "https://а.example",
                "https:a.example",
                "https:/a.example",
                "https//a.example",
                "https:\\\\a.example",
                "https:// a.example",
                "a.example",
                "//a.example",
                "ws://a.example",
                "ftp://a.example",
                "file://a.example",
                "file:///a.example",
                "filesystem:https://a.example",
                "blob:https://a.example/x",
                "view-source:https://a.example",
                "httpss://a.example",
                "http+s://a.example",
                "https.://a.example",
                "1https://a.example",
                "https://a.example https://a.example",
                "https://a.example, https://a.example",
                "https://a.example;https://a.example",
                "https://a.example|https://a.example",
                "[\"https://a.example\"]",
                "\"https://a.example\"",
                "<https://a.example>",
                "(https://a.example)",
                "null",
                "Null",
                "NULL",
                " null",
                "null\t",
                "null,null",
                "\"null\"",
                "nil",
                "undefined",
                "None",
                "0",
                "true",
                "about:blank",
                "data:",
                "javascript:alert(1)",
                "*",
                "https://*",
                "https://*.example",
                "self",
                "'self'",
            ],
        ),
        (
            "https://*.b.example",
            &[
                "https://b.example",
                "https://.b.example",
                "https://x..b.example",
                "https://x.b.example.",
                "https://x.b.example:443",
                "https://x.b.example:8443",
                "http://x.b.example",
                "https://x.b.examples",
                "https://x.bb.example",
                "https://xb.example",
                "https://x-b.example",
                "https://x.B.example",
                "https://X.b.example",
                "https://u@x.b.example",
                "https://u:p@x.b.example",
                "https://evil.example/.b.example",
                "https://evil.example#.b.example",
                "https://evil.example\\.b.example",
                "https://evil.example%.b.example",
                "https://[::1].b.example",
                "https://[x.b.example]",
                "https://x\u{85}.b.example",
            ],
        ),
        (
            "http://127.0.0.1:8080",
            &[
                "http://127.0.0.1",
                "http://127.0.0.01:8080",
                "http://127.0.0.1.:8080",
                "http://127.0.1:8080",
                "http://127.0.0.1.1:8080",
                "http://127.0.0.256:8080",
                "http://017700000001:8080",
                "http://0x7f.0x0.0x0.0x1:8080",
                "http://0x7F000001:8080",
                "http://127.0.0.0x1:8080",
                "http://[::ffff:127.0.0.1]:8080",
                "http://[::ffff:7f00:1]:8080",
                "http://127。0。0。1:8080",
                "http://0.0.0.0:8080",
                "http://127.0.0.2:8080",
            ],
        ),
        (
            "http://[2001:db8::1]:3000",
            &[
                "http://[2001:DB8::1]:3000",
                "http://[2001:0db8::1]:3000",
                "http://[2001:db8:0::1]:3000",
                "http://[2001:db8:0:0:0:0:0:1]:3000",
                "http://[2001:db8::0:1]:3000",
                "http://[2001:db8::1%25lo]:3000",
                "http://[2001:db8::1%lo]:3000",
                "http://[2001:db8::1]x:3000",
                "http://[2001:db8::1]]:3000",
                "http://[2001:db8::1:3000",
                "http://2001:db8::1:3000",
                "http://[2001:db8::0.0.0.1]:3000",
                "http://[v1.2001]:3000",
                "http://[]:3000",
                "http://[:]:3000",
                "http://[:::]:3000",
            ],
        ),
    ] {
        let layer = build(json!({"allow_origins": [entry]})).unwrap();
        for origin in origins {
            let origin = ("origin", *origin);
            let actual = play(&layer, "GET", &[origin], &[]);
            assert_eq!(actual, answer(200, true, &[VARY]), "{entry} {origin:?}");
            let acrm = ("access-control-request-method", "GET");
            let preflight = play(&layer, "OPTIONS", &[origin, acrm], &[]);
            let expected = answer(403, false, &[PREFLIGHT_VARY]);
            assert_eq!(preflight, expected, "{entry} {origin:?}");
        }
        // The entry itself is one, so that the misses are near.
        let origin = entry.replace("*.", "x.y.");
        let origin = ("origin", &*origin);
        let granted = play(&layer, "GET", &[origin], &[]);
        let acao = ("access-control-allow-origin", origin.1);
        assert_eq!(granted, answer(200, true, &[VARY, acao]), "{entry}");
    }
}

#[test]
fn what_real_clients_send_is_an_origin() {
    for origin in [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "http://tauri.localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc",
        "safari-web-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc",
        "vscode-webview://0k3d",
        "app://obsidian.md",
        "https://ab--cd.example",
        "https://r3---sn-a.example",
        "https://foo_bar.example",
        "https://xn--bcher-kva.example",
        "https://a.example.",
        "https://localhost.localdomain:65535",
        "http://[::]",
        "http://[1::8]:1",
        "http://[::ffff:7f00:1]",
        "http://255.255.255.255",
    ] {
        assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        let layer = build(json!({"allow_origins": [origin]})).unwrap();
        let granted = play(&layer, "GET", &[("origin", origin)], &[]);
        let acao = ("access-control-allow-origin", origin);
        assert_eq!(granted, answer(200, true, &[VARY, acao]), "{origin}");
    }
}

#[test]
fn preflights() {
    let layer = build(json!({
        "allow_origins": ["https://a.example"],
        "allow_credentials": true,
        "allow_methods": ["PUT"],
        "allow_headers": ["content-type", "x-ok"],
        "max_age": -1,
    }));
    let layer = layer.unwrap();
    let whole = answer(
        204,
        false,
        &[
            ("access-control-allow-origin", "https://a.example"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "content-type,x-ok"),
            ("access-control-max-age", "0"),
            PREFLIGHT_VARY,
        ],
    );
    let bare = answer(403, false, &[PREFLIGHT_VARY]);
    let send = |methods: &[&str], names: &[&str]| {
        let mut headers = vec![("origin", "https://a.example")];
        headers.extend(
            methods
                .iter()
                .map(|m| ("access-control-request-method", *m)),
        );
        headers.extend(names.iter().map(|n| ("access-control-request-headers", *n)));
        play(&layer, "OPTIONS", &headers, &[])
    };
    // Allowed or not, a well-formed one is answered with what is allowed.
    for method in ["PUT", "GET", "put", "PATCH", "OPTIONS", "*", "CHICKEN"] {
        assert_eq!(send(&[method], &[]), whole, "{method}");
    }
    for method in [
        "", " ", " PUT", "PUT,GET", "PUT;", "P\u{e9}", "TRACE", "connect", "Track",
    ] {
        assert_eq!(send(&[method], &[]), bare, "{method}");
    }
    assert_eq!(send(&["PUT", "PUT"], &[]), bare);
    for names in [
        &[""][..],
        &[" "],
        &["x-ok"],
        &["X-OK"],
        &["x-ok,content-type"],
        &["content-type,  x-ok"],
        &["content-type\t,\tx-ok"],
        &["x-ok,x-ok"],
        &["x-ok,"],
        &[",x-ok"],
        &["x-ok,,content-type"],
        &["x-ok", "", "content-type"],
        &["x-evil"],
        &["authorization"],
        &["*"],
        &["cookie"],
    ] {
        assert_eq!(send(&["PUT"], names), whole, "{names:?}");
    }
    for names in [
        "x-ok content-type",
        "x-ok;content-type",
        "x-ok:1",
        "\"x-ok\"",
        "x(ok)",
        "x/ok",
        "x@ok",
        "[x-ok]",
        "x-ok\u{a0}",
    ] {
        assert_eq!(send(&["PUT"], &[names]), bare, "{names}");
    }
    let floods = [
        ",".repeat(1000),
        " ,".repeat(1000),
        "x".repeat(64 * 1024),
        "x-ok,".repeat(10_000),
        format!("x-ok{}", "\t".repeat(64 * 1024)),
    ];
    for flood in &floods {
        assert_eq!(send(&["PUT"], &[flood]), bare, "{}", &flood[..9]);
        assert_eq!(send(&[flood], &[]), bare, "{}", &flood[..9]);
    }
    assert_eq!(send(&["PUT"], &["x-ok"; 1000]), bare);
}

#[test]
fn what_is_no_preflight_reaches_the_inner_service() {
    let layer = build(json!({"allow_origins": ["https://a.example"]})).unwrap();
    let origin = ("origin", "https://a.example");
    let acrm = ("access-control-request-method", "PUT");
    let acrh = ("access-control-request-headers", "x-a");
    let acao = ("access-control-allow-origin", "https://a.example");
    for (method, headers, expected) in [
        ("OPTIONS", &[][..], &[VARY][..]),
        ("OPTIONS", &[acrm, acrh], &[VARY]),
        ("OPTIONS", &[origin], &[VARY, acao]),
        ("OPTIONS", &[origin, acrh], &[VARY, acao]),
        ("Options", &[origin, acrm], &[VARY, acao]),
        ("GET", &[origin, acrm, acrh], &[VARY, acao]),
        ("PUT", &[origin, acrm], &[VARY, acao]),
    ] {
        let actual = play(&layer, method, headers, &[]);
        assert_eq!(actual, answer(200, true, expected), "{method} {headers:?}");
    }
}

#[test]
fn headers_of_the_inner_service() {
    let layer = build(json!({
        "allow_origins": ["https://a.example"],
        "expose_headers": ["x-id"],
    }));
    let layer = layer.unwrap();
    let inner = &[
        ("access-control-allow-origin", "*"),
        ("access-control-allow-origin", "https://evil.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-private-network", "true"),
        ("access-control-expose-headers", "*"),
        ("access-control-max-age", "600"),
        ("vary", "Accept-Encoding, ORIGIN"),
        ("vary", "cookie"),
        ("x-id", "1"),
    ][..];
    let stays = &inner[7..];
    let allowed = [("origin", "https://a.example")];
    let granted = [
        ("access-control-allow-origin", "https://a.example"),
        ("access-control-expose-headers", "x-id"),
    ];
    let expected = answer(200, true, &[&granted[..], stays].concat());
    assert_eq!(play(&layer, "GET", &allowed, inner), expected);
    let denied = [("origin", "https://evil.example")];
    let expected = answer(200, true, stays);
    assert_eq!(play(&layer, "GET", &denied, inner), expected);
    let star = [("vary", "*")];
    let expected = answer(200, true, &star);
    assert_eq!(play(&layer, "GET", &denied, &star), expected);
}

#[test]
fn any_origin_is_the_same_for_all() {
    let layer = build(json!({
        "allow_origins": "*",
        "allow_methods": "*",
        "allow_headers": ["*", "authorization"],
        "expose_headers": "*",
    }));
    let layer = layer.unwrap();
    let acao = ("access-control-allow-origin", "*");
    let expected = answer(200, true, &[acao, ("access-control-expose-headers", "*")]);
    for headers in [
        &[][..],
        &[("origin", "https://a.example")],
        &[("origin", "null")],
        &[("origin", "no origin")],
        &[("origin", "a"), ("origin", "b")],
    ] {
        assert_eq!(play(&layer, "GET", headers, &[]), expected, "{headers:?}");
    }
    let preflight = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "CHICKEN"),
    ];
    let expected = answer(
        204,
        false,
        &[
            acao,
            ("access-control-allow-methods", "*"),
            ("access-control-allow-headers", "*,authorization"),
        ],
    );
    assert_eq!(play(&layer, "OPTIONS", &preflight, &[]), expected);
}

#[test]
fn refusals_spare_the_own_pages() {
    let layer = build(json!({
        "allow_origins": ["https://a.example"],
        "denied_requests": "refuse",
    }));
    let layer = layer.unwrap();
    let own = ("origin", "https://own.example");
    let host = ("host", "own.example");
    let site = |value| ("sec-fetch-site", value);
    for (headers, called) in [
        (&[own][..], false),
        (&[own, host], true),
        (&[own, ("host", "own.example:443")], true),
        (&[own, ("host", "OWN.example")], true),
        (&[own, ("host", "own.example:80")], false),
        (&[own, ("host", "x.own.example")], false),
        (&[own, host, ("host", "own.example")], false),
        (&[own, ("x-forwarded-host", "own.example")], false),
        (&[own, site("same-origin")], true),
        (&[own, site("none")], true),
        (&[own, host, site("same-site")], false),
        (&[own, host, site("cross-site")], false),
        (&[own, site("same-origin"), site("cross-site")], false),
        (&[("origin", "null"), host], false),
        (&[own, own, host], false),
        (
            &[own, ("connection", "Upgrade"), ("upgrade", "websocket")],
            false,
        ),
        (&[], true),
    ] {
        let status = if called { 200 } else { 403 };
        let expected = answer(status, called, &[VARY]);
        for method in ["GET", "POST", "OPTIONS"] {
            let actual = play(&layer, method, headers, &[]);
            assert_eq!(actual, expected, "{method} {headers:?}");
        }
    }
}

#[test]
fn configurations_that_must_not_build() {
    let base = json!({"allow_origins": ["https://a.example"]});
    let with = |key: &str, value: Value| {
        let mut config = base.clone();
        config[key] = value;
        config
    };
    let origins = [
        "https://a.example/",
        "https://a.example:443",
        "http://a.example:80",
        "https://a.example:00443",
        "https://a.example:65536",
        "https://a.example:**",
        "https://a.example:80*",
        "https://A.example",
        "HTTPS://a.example",
        "https://*",
        "https://*:*",
        "https://*.",
        "https://**.a.example",
        "https://*.*.a.example",
        "https://x.*.a.example",
        "https://*a.example",
        "https://a*.example",
        "https://x*.*.a.example",
        "https://x*y*.a.example",
        "http*://a.example",
        "*.a.example",
        "https://*.1",
        "https://*.127.0.0.1",
        "https://[::1",
        "https://[::1]x",
        "https://[::1%25lo]",
        "https://bücher.example",
        "https://a..example",
        "https://a.example..",
        "https://-a.example",
        "https://a.example,https://b.example",
        "https://a.example https://b.example",
        " https://a.example",
        "https://a.example\u{0}",
        "^https://a\\.example$",
        "https://(a|b).example",
        "null",
        "NULL",
        "",
        "file:///x",
        "about:blank",
        "data:x",
    ];
    for origin in origins {
        let errors = build(json!({"allow_origins": [origin]})).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors}");
    }
    for (key, value) in [
        ("allow_methods", json!(["GET,PUT"])),
        ("allow_methods", json!(["connect"])),
        ("allow_methods", json!(["*", "Put"])),
        ("allow_headers", json!(["*", "x,y"])),
        ("allow_headers", json!(["Cookie"])),
        ("allow_headers", json!(["Sec-Fetch-Site"])),
        ("allow_headers", json!(["proxy-x"])),
        ("allow_headers", json!(["x\u{e9}"])),
        ("expose_headers", json!(["Set-Cookie"])),
        ("expose_headers", json!(["x y"])),
        ("max_age", json!(86_401)),
        ("max_age", json!(-2)),
        ("max_age", json!(4_294_967_296_u64)),
        ("max_age", json!(i64::MIN)),
    ] {
        let errors = build(with(key, value.clone())).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors}");
        let is_named = errors.to_string().starts_with(&format!("{key}: "));
        assert!(is_named, "{value}: {errors}");
    }
    for (origins, expose, count) in [
        (json!("*"), json!([]), 1),
        (json!(["https://a.example", "*"]), json!([]), 1),
        (json!(["https://a.example"]), json!("*"), 1),
        (json!(["https://a.example"]), json!(["*", "x-id"]), 1),
        (json!("*"), json!("*"), 2),
        (json!(["http://a.example"]), json!([]), 1),
        (json!(["http://*.com"]), json!([]), 2),
        (json!(["https://*.com", "https://*.co.uk:*"]), json!([]), 2),
        (json!(["https://*.amazonaws.com"]), json!([]), 1),
        (json!(["wss://a.example", "ftp://b.example"]), json!([]), 2),
    ] {
        let errors = build(json!({
            "allow_origins": origins,
            "allow_credentials": true,
            "expose_headers": expose,
        }));
        let errors = errors.unwrap_err();
        assert_eq!(errors.len(), count, "{errors}");
    }
}
