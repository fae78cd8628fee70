//! Lists that have the page's origin in another way: found by asking as its neighbours.

use axum::Router;

use crate::support::{
    Answer, Asked, by_hand, json, reply,
    table::{from, get, play, put},
};

/// A middleware by hand that compares bytes, and says that it knows the protocol.
fn listed(entry: &'static str) -> Router {
    allowed_if(move |origin| origin == entry)
}

fn allowed_if(is_allowed: impl Fn(&str) -> bool + Clone + Send + Sync + 'static) -> Router {
    by_hand(move |asked| answer(asked, &is_allowed))
}

fn answer(asked: &Asked, is_allowed: impl Fn(&str) -> bool) -> Answer {
    let mut headers = vec![
        ("vary", "Origin"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "content-type"),
    ];
    if let Some(origin) = asked.origin().filter(|origin| is_allowed(origin)) {
        headers.push(("access-control-allow-origin", origin));
    }
    if asked.is_preflight() {
        reply(204, &headers)
    } else {
        json(&headers)
    }
}

#[tokio::test]
async fn neighbours_are_found() {
    play(vec![
        get("scheme", listed("http://app.example.com")).ours(
            "origin-scheme",
            &["https://app.example.com", "http://app.example.com"],
        ),
        from(
            "www",
            "https://example.com",
            listed("https://www.example.com"),
        )
        .ours(
            "origin-www",
            &["https://example.com", "https://www.example.com"],
        ),
        from(
            "no www",
            "https://www.example.com",
            listed("https://example.com"),
        )
        .ours("origin-www", &["https://www.example.com"]),
        from(
            "port",
            "http://localhost:5173",
            listed("http://localhost:3000"),
        )
        .ours(
            "origin-port",
            &["http://localhost:5173", "http://localhost:3000"],
        ),
        from(
            "a port too much",
            "https://app.example.com:8443",
            listed("https://app.example.com"),
        )
        .ours("origin-port", &["https://app.example.com:8443"]),
        put("parent", listed("https://example.com")).ours(
            "origin-subdomain",
            &["https://app.example.com", "https://example.com"],
        ),
        from(
            "every subdomain",
            "https://example.com",
            allowed_if(|o| o.ends_with(".example.com")),
        )
        .ours("origin-subdomain", &["https://example.com"]),
        from(
            "loopback",
            "http://127.0.0.1:3000",
            listed("http://localhost:3000"),
        )
        .ours("origin-loopback", &["http://127.0.0.1:3000"]),
        put("slash", listed("https://app.example.com/")).ours("origin-spelling", &["slash"]),
        get("default port", listed("https://app.example.com:443"))
            .ours("origin-spelling", &[":443"]),
        get("scheme missing", listed("app.example.com")).ours("origin-spelling", &["scheme"]),
        get("capitals", listed("https://App.Example.Com")).ours("origin-spelling", &["case"]),
        put("nowhere", listed("https://other.example")).ours(
            "origin-not-listed",
            &["https://app.example.com", "allow_origins"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_page_without_an_origin() {
    play(vec![
        from("signs", "null", listed("https://app.example.com"))
            .cause("origin-null", &["null", "sandbox", "file:"]),
        from("no signs", "null", by_hand(|_| json(&[]))).ours(
            "no-cors",
            &[
                "CorsLayer",
                "Origin: null",
                "http://localhost:3000",
                "sandbox",
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn refusals_by_status() {
    let refuses = |status: u16, signs: bool| {
        by_hand(move |asked: &Asked| {
            let vary = if signs {
                &[("vary", "Origin")][..]
            } else {
                &[]
            };
            if asked.origin().is_some() {
                reply(status, vary)
            } else {
                json(vary)
            }
        })
    };
    play(vec![
        get("403 with signs", refuses(403, true)).ours("origin-not-listed", &["allow_origins"]),
        put("403 without", refuses(403, false)).ours("origin-not-listed", &["allow_origins"]),
        // As Starlette does: the status comes first, and the fix names the list as well.
        put("400 with signs", refuses(400, true)).cause(
            "layer-before-cors",
            &["400", "allow_origins", "https://app.example.com"],
        ),
        get("500 with signs", refuses(500, true)).cause(
            "error-without-headers",
            &["500", "allow_origins", "https://app.example.com"],
        ),
        get("401 with signs", refuses(401, true)).ours("auth-before-cors", &["401"]),
        put("407 with signs", refuses(407, true)).ours("auth-before-cors", &["407"]),
        get("503 with signs", refuses(503, true)).cause("error-without-headers", &["503"]),
        put("502 with signs", refuses(502, true)).cause("gateway-error", &["502", "proxy"]),
        // Signs without any grant show neither that the route is not covered nor that there is no
        // CORS.
        put("405 with signs", refuses(405, true)).cause(
            "unknown",
            &["allow_origins", "OPTIONS", "https://app.example.com"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_answers_strangers_with_its_first_entry() {
    let server = by_hand(|asked| {
        let list = ["https://first.example", "http://app.example.com"];
        let origin = asked
            .origin()
            .filter(|o| list.contains(o))
            .unwrap_or(list[0]);
        json(&[("access-control-allow-origin", origin), ("vary", "Origin")])
    });
    play(vec![
        get("first entry", server).ours("origin-scheme", &["http://app.example.com"]),
    ])
    .await;
}

#[tokio::test]
async fn a_layer_that_leaves_preflights_to_the_framework() {
    let only_get = |entry: &'static str| {
        by_hand(move |asked| {
            if asked.is_preflight() {
                return reply(200, &[("allow", "GET,PUT")]);
            }
            answer(asked, |origin| origin == entry)
        })
    };
    play(vec![
        put("another scheme", only_get("http://app.example.com")).ours("origin-scheme", &["http:"]),
        put("nowhere", only_get("https://other.example"))
            .ours("origin-not-listed", &["allow_origins"]),
    ])
    .await;
}
