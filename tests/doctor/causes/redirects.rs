use axum::Router;

use crate::support::{
    Asked, Doctor, PAGE, Server, by_hand, json, reply,
    table::{URL, get, play, put},
};

/// Every request is sent elsewhere.
fn to(status: u16, location: &'static str) -> Router {
    by_hand(move |asked| {
        if asked.path == "/welcome" {
            let mut page = reply(200, &[("content-type", "text/html")]);
            *page.body_mut() = "<input type=password>".into();
            return page;
        }
        reply(status, &[("location", location)])
    })
}

#[tokio::test]
async fn redirects_that_fail() {
    play(vec![
        put("to a login", to(302, "/login?next=/items")).cause("redirect-to-login", &["401"]),
        get(
            "to a sign-on",
            to(302, "https://id.example/oauth2/authorize"),
        )
        .cause("redirect-to-login", &["401"]),
        get("to a password field", to(303, "/welcome")).cause("redirect-to-login", &["401"]),
        put("to TLS", to(308, "https://127.0.0.1:8443/items"))
            .cause("redirect-to-https", &["https://127.0.0.1:8443/items"]),
        put("to a slash", to(308, "/items/"))
            .cause("redirect-trailing-slash", &["/items/", "slash"]),
        get("elsewhere", to(301, "/v2/items"))
            .cause("redirect-elsewhere", &["http://127.0.0.1:8080/v2/items"]),
    ])
    .await;
}

const ANY: (&str, &str) = ("access-control-allow-origin", "*");

#[tokio::test]
async fn redirects_are_followed_and_judged() {
    let followed = by_hand(|asked: &Asked| match asked.path.as_str() {
        "/items" => reply(307, &[ANY, ("location", "/new")]),
        _ => json(&[ANY]),
    });
    let loops = by_hand(|_| reply(302, &[ANY, ("location", "/items")]));
    let insecure = by_hand(|_| reply(302, &[ANY, ("location", "http://api.example.com/")]));
    let with_user = by_hand(|_| {
        reply(
            302,
            &[ANY, ("location", "http://u:p4ssw0rd@127.0.0.1:8080/")],
        )
    });
    let no_url = by_hand(|_| reply(302, &[ANY, ("location", "mailto:a@b.example")]));
    play(vec![
        get("readable", followed)
            .verdict("readable")
            .warns(&["redirect"]),
        get("a loop", loops).cause("redirect-elsewhere", &["http://127.0.0.1:8080/items"]),
        get("to mixed content", insecure).cause("mixed-content", &["https://api.example.com"]),
        get("to a user", with_user).cause("redirect-elsewhere", &[]),
        get("to a letter", no_url).cause("redirect-elsewhere", &[]),
    ])
    .await;
}

#[tokio::test]
async fn the_browsers_rules_hold_behind_a_redirect() {
    let target = Server::start(by_hand(|asked| {
        if asked.is_preflight() {
            return reply(204, &[ANY, ("access-control-allow-headers", "*")]);
        }
        json(&[ANY])
    }))
    .await;
    let first = Server::start(by_hand(|asked| {
        if asked.is_preflight() {
            return reply(204, &[ANY, ("access-control-allow-headers", "*")]);
        }
        reply(307, &[ANY, ("location", "http://localhost:8081/items")])
    }))
    .await;
    let report = Doctor::new(URL)
        .page(PAGE)
        .args(["-H", "Authorization: Bearer abcdefgh", "-H", "X-Id: 7"])
        .at("127.0.0.1:8080", first.address)
        .at("localhost:8081", target.address)
        .run()
        .await;
    assert_eq!(report.verdict(), "readable", "{}", report.stdout);
    let seen = target.seen();
    let kinds: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(kinds, ["OPTIONS", "GET"]);
    for seen in &seen {
        assert_eq!(seen.headers["origin"], "null");
        assert!(!seen.headers.contains_key("authorization"));
    }
    assert_eq!(seen[0].headers["access-control-request-headers"], "x-id");
    assert_eq!(seen[1].headers["x-id"], "7");
}
