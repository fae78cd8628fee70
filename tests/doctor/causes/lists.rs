//! Answers that have Access-Control-Allow-Origin, and something wrong with them.

use axum::Router;

use crate::support::{
    Asked, by_hand, json, reply,
    table::{get, play, put},
};

const ORIGIN: (&str, &str) = ("access-control-allow-origin", "https://app.example.com");

/// The same headers on every answer.
fn constant(headers: &'static [(&'static str, &'static str)]) -> Router {
    by_hand(move |asked: &Asked| {
        if asked.is_preflight() {
            reply(204, headers)
        } else {
            json(headers)
        }
    })
}

fn allow_origin(value: &'static str) -> Router {
    by_hand(move |_| json(&[("access-control-allow-origin", value)]))
}

#[tokio::test]
async fn values_of_allow_origin() {
    play(vec![
        get("twice", constant(&[ORIGIN, ORIGIN]))
            .cause("allow-origin-twice", &["remove", "another layer|proxy"]),
        get(
            "a list",
            allow_origin("https://app.example.com, https://b.example"),
        )
        .ours("allow-origin-list", &["https://app.example.com"]),
        get(
            "a list by blanks",
            allow_origin("https://b.example https://app.example.com"),
        )
        .ours("allow-origin-list", &["https://app.example.com"]),
        get("a pattern", allow_origin("https://*.example.com")).ours(
            "allow-origin-pattern",
            &["allow_origins", "https://*.example.com"],
        ),
        get("a variable that is not set", allow_origin("undefined")).ours(
            "allow-origin-invalid",
            &["undefined", "https://app.example.com"],
        ),
        get("an object", allow_origin("[object Object]"))
            .ours("allow-origin-invalid", &["[object Object]"]),
        get("words", allow_origin("not set")).ours("allow-origin-invalid", &["not set"]),
        get("quotes", allow_origin("\"*\"")).ours(
            "allow-origin-invalid",
            &["quotes", "https://app.example.com"],
        ),
        get("nothing", allow_origin("")).ours("allow-origin-invalid", &["https://app.example.com"]),
        get("somebody else's", allow_origin("https://admin.example.com")).ours(
            "origin-not-listed",
            &["https://app.example.com", "allow_origins"],
        ),
        get("null in place of nothing", allow_origin("null")).ours(
            "origin-not-listed",
            &["https://app.example.com", "allow_origins"],
        ),
        get("a slash", allow_origin("https://app.example.com/"))
            .ours("origin-spelling", &["slash", "https://app.example.com"]),
        get("no scheme", allow_origin("app.example.com")).ours("origin-spelling", &["scheme"]),
        get("a path", allow_origin("https://app.example.com/app"))
            .ours("origin-spelling", &["path"]),
        get("http", allow_origin("http://app.example.com")).ours(
            "origin-scheme",
            &["https://app.example.com", "http://app.example.com"],
        ),
        get("a parent", allow_origin("https://example.com")).ours(
            "origin-subdomain",
            &["https://app.example.com", "https://example.com"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn credentials() {
    const TRUE: (&str, &str) = ("access-control-allow-credentials", "true");
    let get = |name, server| get(name, server).args(&["--credentials"]);
    play(vec![
        get(
            "a wildcard",
            constant(&[("access-control-allow-origin", "*"), TRUE]),
        )
        .ours(
            "wildcard-with-credentials",
            &["https://app.example.com", "allow_credentials"],
        ),
        get("absent", constant(&[ORIGIN])).ours("credentials-not-allowed", &["allow_credentials"]),
        get(
            "false",
            constant(&[ORIGIN, ("access-control-allow-credentials", "false")]),
        )
        .ours("credentials-not-allowed", &["allow_credentials"]),
        get(
            "a capital",
            constant(&[ORIGIN, ("access-control-allow-credentials", "True")]),
        )
        .ours("credentials-spelling", &["true", "once"]),
        get("twice", constant(&[ORIGIN, TRUE, TRUE])).ours("credentials-spelling", &["once"]),
        get(
            "misspelt",
            constant(&[ORIGIN, ("access-control-allow-credential", "true")]),
        )
        .cause("header-misspelt", &["Access-Control-Allow-Credentials"]),
        get(
            "on preflights only",
            by_hand(|asked| {
                if asked.is_preflight() {
                    reply(204, &[ORIGIN, TRUE])
                } else {
                    json(&[ORIGIN])
                }
            }),
        )
        .args(&["--preflight"])
        .ours("credentials-not-allowed", &["request"]),
    ])
    .await;
}

#[tokio::test]
async fn methods_and_headers() {
    const METHODS: (&str, &str) = ("access-control-allow-methods", "GET, PUT");
    const HEADERS: (&str, &str) = ("access-control-allow-headers", "content-type");
    const ANY_METHOD: (&str, &str) = ("access-control-allow-methods", "*");
    const ANY_HEADER: (&str, &str) = ("access-control-allow-headers", "*");
    const TRUE: (&str, &str) = ("access-control-allow-credentials", "true");
    play(vec![
        put(
            "a method",
            constant(&[ORIGIN, ("access-control-allow-methods", "GET"), HEADERS]),
        )
        .ours("method-not-allowed", &["PUT", "allow_methods"]),
        put(
            "its case in the list",
            constant(&[ORIGIN, ("access-control-allow-methods", "put"), HEADERS]),
        )
        .cause("method-case", &["PUT", "list"]),
        get(
            "its case in the page",
            constant(&[ORIGIN, ("access-control-allow-methods", "PATCH")]),
        )
        .args(&["-X", "patch"])
        .verdict("preflight-failed")
        .cause("method-case", &["PATCH", "page"]),
        get(
            "a method in another case, which no list has",
            constant(&[ORIGIN, ("access-control-allow-methods", "GET")]),
        )
        .args(&["-X", "patch"])
        .verdict("preflight-failed")
        .ours(
            "method-not-allowed",
            &["[\\\"PATCH\\\"]", "Write PATCH in the page"],
        ),
        put("a header of answers", constant(&[ORIGIN, METHODS, HEADERS]))
            .args(&["-H", "Access-Control-Allow-Origin: *"])
            .ours(
                "header-not-allowed",
                &["Leave access-control-allow-origin out", "allow_headers"],
            ),
        put("headers", constant(&[ORIGIN, METHODS]))
            .args(&["-H", "X-Request-Id: 7"])
            .ours(
                "header-not-allowed",
                &["x-request-id", "content-type", "allow_headers"],
            ),
        put(
            "no list",
            constant(&[ORIGIN, ("access-control-allow-methods", "GET PUT"), HEADERS]),
        )
        .ours("allow-list-malformed", &["comma"]),
        put(
            "no list of headers",
            constant(&[
                ORIGIN,
                METHODS,
                ("access-control-allow-headers", "content-type; x-id"),
            ]),
        )
        .ours("allow-list-malformed", &["comma"]),
        put("any method", constant(&[ORIGIN, TRUE, ANY_METHOD, HEADERS]))
            .args(&["--credentials"])
            .ours(
                "wildcard-methods-with-credentials",
                &["PUT", "allow_methods"],
            ),
        put("any header", constant(&[ORIGIN, TRUE, METHODS, ANY_HEADER]))
            .args(&["--credentials"])
            .ours(
                "wildcard-headers-with-credentials",
                &["content-type", "allow_headers"],
            ),
        get(
            "authorization by the standard",
            constant(&[ORIGIN, ANY_HEADER]),
        )
        .args(&["-H", "Authorization: Bearer x", "--browser", "standard"])
        .verdict("preflight-failed")
        .ours(
            "authorization-under-wildcard",
            &["authorization", "allow_headers"],
        ),
        put(
            "a misspelt list",
            constant(&[ORIGIN, ("access-control-allow-method", "PUT"), HEADERS]),
        )
        .cause("header-misspelt", &["Access-Control-Allow-Methods"]),
        put(
            "a misspelt list of headers",
            constant(&[
                ORIGIN,
                METHODS,
                ("access-control-allow-header", "content-type"),
            ]),
        )
        .cause("header-misspelt", &["Access-Control-Allow-Headers"]),
        put(
            "the status",
            by_hand(|_| reply(405, &[ORIGIN, METHODS, HEADERS])),
        )
        .cause("preflight-status", &["OPTIONS", "204"]),
        put(
            "a misspelt grant",
            constant(&[("access-control-allow-orgin", "*")]),
        )
        .cause("header-misspelt", &["Access-Control-Allow-Origin"]),
    ])
    .await;
}

#[tokio::test]
async fn what_would_come_up_next_is_said() {
    let server = crate::support::Server::start(by_hand(|_| {
        reply(
            204,
            &[
                ORIGIN,
                ("access-control-allow-methods", "GET"),
                ("vary", "origin"),
            ],
        )
    }))
    .await;
    let report = crate::support::Doctor::new("http://127.0.0.1:8080/items")
        .page("https://app.example.com")
        .args(["-X", "DELETE", "-H", "X-Id: 1"])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(report.cause(), "method-not-allowed");
    assert_eq!(
        report.json()["also"],
        serde_json::json!(["header-not-allowed"])
    );
    assert_eq!(
        report.json()["console"],
        "Method DELETE is not allowed by Access-Control-Allow-Methods in preflight response."
    );
}
