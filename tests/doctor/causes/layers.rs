//! Answers without Access-Control-Allow-Origin: which layer is missing, or in the way.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::Router;

use crate::support::{
    Asked, Doctor, PAGE, Server, by_hand, granted, json, reply,
    table::{URL, get, play, put},
};

const LISTS: [(&str, &str); 2] = [
    ("access-control-allow-methods", "GET,PUT"),
    ("access-control-allow-headers", "content-type,authorization"),
];

fn html(status: u16, body: &str, headers: &[(&str, &str)]) -> crate::support::Answer {
    let mut answer = reply(status, headers);
    answer
        .headers_mut()
        .insert("content-type", "text/html".parse().unwrap());
    *answer.body_mut() = body.to_owned();
    answer
}

/// The preflight is answered with a status; everything else is granted.
fn preflight(status: u16) -> Router {
    by_hand(move |asked: &Asked| {
        if asked.is_preflight() {
            reply(status, &[])
        } else {
            granted(asked, PAGE, &LISTS)
        }
    })
}

/// The request is answered with a status; the preflight is granted.
fn request(status: u16) -> Router {
    by_hand(move |asked: &Asked| {
        if asked.is_preflight() {
            granted(asked, PAGE, &LISTS)
        } else {
            reply(status, &[])
        }
    })
}

#[tokio::test]
async fn preflights_by_status() {
    let auth = |asked: &Asked, status: u16| {
        if asked.headers.contains_key("authorization") {
            granted(asked, PAGE, &LISTS)
        } else {
            reply(status, &[])
        }
    };
    play(vec![
        put("401", by_hand(move |asked| auth(asked, 401))).ours(
            "auth-before-cors",
            &["authentication", "401", "outside|last"],
        ),
        put(
            "403 for want of a token",
            by_hand(move |asked| auth(asked, 403)),
        )
        .args(&["-H", "Authorization: Bearer x"])
        .ours("auth-before-cors", &["authentication", "403", "outside"]),
        put("403 of a firewall", preflight(403))
            .cause("layer-before-cors", &["403", "proxy|firewall"]),
        put("413", preflight(413)).cause("layer-before-cors", &["413", "body limit"]),
        put("429", preflight(429)).cause("layer-before-cors", &["429", "rate limit"]),
        put("500", preflight(500)).cause("layer-before-cors", &["500", "outside"]),
        put("405", preflight(405)).ours(
            "preflight-not-handled",
            &["OPTIONS", "PUT", "content-type", ".layer("],
        ),
        put("404", preflight(404)).ours("preflight-not-handled", &["OPTIONS"]),
        put("204 of the framework", preflight(204)).ours("preflight-not-handled", &["OPTIONS"]),
        put("502", preflight(502)).cause("gateway-error", &["502", "proxy"]),
        put("503 of an application", preflight(503)).cause("layer-before-cors", &["503"]),
        put("nothing there", by_hand(|_| reply(404, &[]))).cause("not-found", &["/items"]),
        put(
            "no token in a preflight",
            by_hand(|_| reply(401, &[("vary", "origin, authorization")])),
        )
        .ours("token-refused", &["token", "with_preflight"]),
        get("grpc", by_hand(|_| reply(400, &[])))
            .args(&[
                "-H",
                "Content-Type: application/grpc-web+proto",
                "-H",
                "X-Grpc-Web: 1",
                "-X",
                "POST",
            ])
            .verdict("preflight-failed")
            .cause("layer-before-cors", &["400", "GrpcWebLayer"]),
    ])
    .await;
}

#[tokio::test]
async fn requests_by_status() {
    let send = |name, status| put(name, request(status)).verdict("blocked");
    play(vec![
        send("403 behind a passed preflight", 403).cause("error-without-headers", &["403", "CSRF"]),
        send("413", 413).cause("error-without-headers", &["413", "body limit"]),
        send("429", 429).cause("error-without-headers", &["429", "rate limit"]),
        send("500", 500).cause(
            "error-without-headers",
            &["500", "CatchPanicLayer", "always"],
        ),
        send("504", 504).cause("error-without-headers", &["504", "timeout"]),
        send("401", 401).ours("auth-before-cors", &["401", "authentication"]),
        send("404", 404).cause("not-found", &["/items"]),
        send("200", 200).ours("headers-only-on-preflight", &[".layer(", "handlers"]),
        get(
            "403 to what is no GET",
            by_hand(|asked| {
                if asked.is_get() {
                    granted(asked, PAGE, &[])
                } else {
                    reply(403, &[])
                }
            }),
        )
        .args(&["-d", "a=1", "--send"])
        .ours(
            "origin-not-listed",
            &["CSRF", "https://app.example.com", "allow_origins"],
        ),
        get("304", by_hand(|_| reply(304, &[]))).cause("not-modified-without-headers", &["304"]),
        get(
            "503 with a page",
            by_hand(|_| html(503, "<html>no server</html>", &[])),
        )
        .cause("gateway-error", &["503", "proxy"]),
        get(
            "401 that depends on a token",
            by_hand(|_| reply(401, &[("vary", "origin, authorization")])),
        )
        .ours("token-refused", &["token"]),
        get(
            "404 for want of a slash",
            by_hand(|asked| {
                if asked.path == "/items/" {
                    json(&[("access-control-allow-origin", "*")])
                } else {
                    reply(404, &[])
                }
            }),
        )
        .cause("not-found", &["slash", "/items/"]),
        get("403 to everybody", by_hand(|_| reply(403, &[]))).ours("auth-before-cors", &["403"]),
    ])
    .await;
}

#[tokio::test]
async fn layers_that_are_elsewhere() {
    let disagree = by_hand(|asked| {
        if asked.is_preflight() {
            reply(204, &[("vary", "origin"), LISTS[0], LISTS[1]])
        } else {
            granted(asked, PAGE, &[])
        }
    });
    let reverse = by_hand(|asked| {
        if asked.is_preflight() {
            granted(asked, PAGE, &LISTS)
        } else {
            json(&[("vary", "origin")])
        }
    });
    let by_method = by_hand(|asked| {
        let put = asked.header("access-control-request-method") == Some("PUT");
        if put || !asked.is_preflight() {
            reply(204, &[])
        } else {
            granted(asked, PAGE, &LISTS)
        }
    });
    let by_header = by_hand(|asked| {
        let names = asked
            .header("access-control-request-headers")
            .unwrap_or_default();
        let vary = ("vary", "Origin, Access-Control-Request-Headers");
        if names.contains("content-type") {
            reply(204, &[vary])
        } else {
            granted(asked, PAGE, &[vary])
        }
    });
    let asks_for_type = |asked: &Asked| {
        let names = asked.header("access-control-request-headers");
        names.is_some_and(|names| names.contains("content-type"))
    };
    let by_header_silently = by_hand(move |asked| {
        if asks_for_type(asked) {
            reply(204, &[])
        } else {
            granted(asked, PAGE, &[])
        }
    });
    let by_header_alone = by_hand(move |asked| {
        if asks_for_type(asked) {
            reply(204, &[("vary", "Origin")])
        } else if asked.is_preflight() {
            granted(asked, PAGE, &[])
        } else {
            reply(401, &[])
        }
    });
    let signs_elsewhere = by_hand(|asked| {
        if asked.path == "/items" {
            json(&[])
        } else {
            json(&[("vary", "Origin")])
        }
    });
    let signs_here = by_hand(|asked| {
        if asked.path != "/items" {
            granted(asked, PAGE, &[])
        } else if asked.is_preflight() {
            reply(405, &[("vary", "Origin")])
        } else {
            json(&[])
        }
    });
    let fallback = by_hand(|asked| {
        if asked.path == "/items" {
            json(&[])
        } else {
            granted(asked, PAGE, &[])
        }
    });
    let only_options = by_hand(|asked| {
        if asked.is_preflight() {
            granted(asked, PAGE, &LISTS)
        } else {
            json(&[])
        }
    });
    play(vec![
        put("preflights refuse", disagree).cause("layers-disagree", &["https://app.example.com"]),
        put("requests refuse", reverse)
            .verdict("blocked")
            .cause("layers-disagree", &["https://app.example.com"]),
        put("another method", by_method).ours("method-not-allowed", &["PUT", "allow_methods"]),
        put("a refusal for a header", by_header).cause(
            "layers-disagree",
            &["content-type", "allow_headers", "https://app.example.com"],
        ),
        put("a refusal for a header without a sign", by_header_silently).ours(
            "preflight-not-handled",
            &["OPTIONS", "content-type", "allow_headers"],
        ),
        put(
            "a refusal for a header where GET is closed",
            by_header_alone,
        )
        .ours("header-not-allowed", &["content-type"]),
        put("signs elsewhere alone", signs_elsewhere).cause(
            "unknown",
            &["allow_origins", "https://app.example.com", "route"],
        ),
        put("405, and a grant elsewhere", signs_here).ours("route-not-covered", &[".layer("]),
        get("another path", fallback).ours("route-not-covered", &[".layer(", "after"]),
        get("only OPTIONS, though nobody asked it", only_options)
            .ours("headers-only-on-preflight", &[".layer("]),
        put("no CORS", by_hand(|_| json(&[])))
            .ours("no-cors", &["CorsLayer", "https://app.example.com"]),
        put(
            "no OPTIONS",
            by_hand(|asked| {
                if asked.is_get() {
                    json(&[])
                } else {
                    reply(405, &[])
                }
            }),
        )
        .ours("no-cors", &["CorsLayer"]),
        get("no CORS for gRPC", by_hand(|_| json(&[])))
            .args(&[
                "-H",
                "Content-Type: application/grpc-web+proto",
                "-X",
                "POST",
            ])
            .verdict("preflight-failed")
            .ours("no-cors", &["CorsLayer", "GrpcWebLayer", "inside"]),
    ])
    .await;
}

#[tokio::test]
async fn pages_in_place_of_an_api() {
    let sign_in = "<html><form><input type=\"password\"></form></html>";
    play(vec![
        put(
            "to a preflight",
            by_hand(|_| html(200, "<!doctype html><p>", &[])),
        )
        .cause("html-instead-of-api", &["HTML", "/items"]),
        get("to JSON", by_hand(move |_| html(200, sign_in, &[])))
            .args(&["-H", "Accept: application/json"])
            .cause("html-instead-of-api", &["HTML", "/items", "signing in"]),
        // Express answers OPTIONS like this.
        put(
            "a text that is labelled so",
            by_hand(|asked| {
                if asked.is_get() {
                    json(&[])
                } else {
                    html(200, "GET,HEAD,PUT", &[])
                }
            }),
        )
        .ours("no-cors", &["CorsLayer"]),
    ])
    .await;
}

#[tokio::test]
async fn servers_that_answer_now_so_and_now_so() {
    let count = Arc::new(AtomicUsize::new(0));
    let replicas = by_hand(move |asked| {
        let is_new = count.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        granted(
            asked,
            if is_new { PAGE } else { "https://old.example" },
            &[],
        )
    });
    let static_origin = Arc::new(AtomicUsize::new(0));
    let exact = by_hand(move |_| {
        let is_new = static_origin.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        json(&[(
            "access-control-allow-origin",
            if is_new { PAGE } else { "https://old.example" },
        )])
    });
    // The second probe meets a rate limit, which is not another configuration.
    let probes = Arc::new(AtomicUsize::new(0));
    let limited = by_hand(move |asked| {
        if asked.headers.contains_key("authorization") {
            return reply(400, &[]);
        }
        if asked.is_get() && probes.fetch_add(1, Ordering::Relaxed) > 0 {
            return reply(429, &[]);
        }
        granted(asked, PAGE, &LISTS)
    });
    let cache = by_hand(|asked| match asked.query {
        Some(_) => granted(asked, PAGE, &[]),
        None => json(&[("x-cache", "HIT")]),
    });
    play(vec![
        get("replicas", replicas).cause("replicas-disagree", &["replicas"]),
        get("replicas with one origin each", exact).cause("replicas-disagree", &["replicas"]),
        get("a rate limit", limited)
            .args(&["-H", "Authorization: Bearer x"])
            .cause("error-without-headers", &["400"]),
        get("a cache", cache).cause("cache-mixes-origins", &["Vary", "Origin", "cache"]),
    ])
    .await;
}

#[tokio::test]
async fn a_proxy_that_takes_headers_out() {
    let behind = Server::start(by_hand(|asked| granted(asked, PAGE, &LISTS))).await;
    let upstream = format!("http://{}/items", behind.address);
    play(vec![
        put("answers", by_hand(|_| json(&[])))
            .args(&["--upstream", &upstream])
            .cause(
                "proxy-changes-headers",
                &["proxy", "access-control-allow-origin"],
            ),
    ])
    .await;
    assert!(!behind.seen().is_empty());
}

#[tokio::test]
async fn without_probes_nothing_else_is_sent() {
    let server = Server::start(by_hand(|_| json(&[]))).await;
    let report = Doctor::new(URL)
        .page(PAGE)
        .arg("--no-probes")
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!((report.verdict(), report.cause()), ("blocked", "unknown"));
    assert_eq!(server.seen().len(), 1);
}
