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

#[tokio::test]
async fn logins_of_identity_providers() {
    let login = |name, location| get(name, to(302, location)).cause("redirect-to-login", &["401"]);
    play(vec![
        login(
            "Keycloak",
            "https://id.example/realms/shop/protocol/openid-connect/auth?response_type=code\
             &client_id=web&redirect_uri=https%3A%2F%2Fapi.example%2Fcb&scope=openid&state=1",
        ),
        login(
            "a path that says nothing",
            "https://id.example/auth?client_id=web&response_type=code",
        ),
        login(
            "a pushed request",
            "https://id.example/start?client_id=web&request_uri=urn%3Aietf%3A1",
        ),
        login(
            "Entra",
            "https://id.example/common/oauth2/v2.0/authorize?client_id=1&response_type=code",
        ),
        login("Auth0", "https://id.example/authorize?client_id=1"),
        login("Okta", "https://id.example/oauth2/v1/authorize"),
        login("Cognito", "https://id.example/login?client_id=1"),
        login("SAML", "https://id.example/idp/endpoint?SAMLRequest=fZ"),
        login("WS-Federation", "https://id.example/adfs/ls/?wa=wsignin1.0"),
    ])
    .await;
}

/// The page's own URL may have the words of a login, or words that begin or end like them.
#[tokio::test]
async fn paths_that_are_no_login() {
    let from = |url: &'static str, location: &'static str| {
        let answer = by_hand(move |_| reply(308, &[("location", location)]));
        async move {
            let server = Server::start(answer).await;
            let report = Doctor::new(url)
                .page(PAGE)
                .at("127.0.0.1:8080", server.address)
                .run()
                .await;
            (report.cause().to_owned(), report.advises(location))
        }
    };
    const API: &str = "http://127.0.0.1:8080";
    for (path, location, expected) in [
        ("/espresso", "/espresso/", "redirect-trailing-slash"),
        (
            "/authorized-users",
            "/authorized-users/",
            "redirect-trailing-slash",
        ),
        ("/authorized-users", "/v2/users", "redirect-elsewhere"),
        ("/items", "/espresso", "redirect-elsewhere"),
        ("/api/login", "/api/login/", "redirect-trailing-slash"),
        (
            "/sso/?flow=login",
            "/sso?flow=login",
            "redirect-trailing-slash",
        ),
        (
            "/api/login",
            "https://127.0.0.1/api/login",
            "redirect-to-https",
        ),
        ("/api/login", "/v2/api/login", "redirect-elsewhere"),
        ("/items?q=login", "/v2/items?q=login", "redirect-elsewhere"),
        ("/oauth2/userinfo", "/login", "redirect-to-login"),
    ] {
        let url: &str = Box::leak(format!("{API}{path}").into_boxed_str());
        assert_eq!(
            from(url, location).await,
            (expected.to_owned(), true),
            "{path} -> {location}"
        );
    }
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

#[tokio::test]
async fn the_last_hop_is_named() {
    let moved = |last: fn() -> crate::support::Answer| {
        by_hand(move |asked: &Asked| match asked.path.as_str() {
            "/items" => reply(307, &[ANY, ("location", "/v2/things")]),
            _ => last(),
        })
    };
    let html = || {
        let mut page = reply(200, &[ANY, ("content-type", "text/html")]);
        *page.body_mut() = "<html></html>".into();
        page
    };
    for (last, args, cause) in [
        (
            (|| reply(404, &[])) as fn() -> crate::support::Answer,
            &[][..],
            "not-found",
        ),
        (
            html,
            &["-H", "Accept: application/json"],
            "html-instead-of-api",
        ),
    ] {
        let server = Server::start(moved(last)).await;
        let report = Doctor::new(URL)
            .page(PAGE)
            .args(args.iter().copied())
            .at("127.0.0.1:8080", server.address)
            .run()
            .await;
        assert_eq!(report.cause(), cause);
        let text = report.json()["fix"]["text"].as_str().unwrap();
        assert!(
            text.contains("/v2/things") && !text.contains("/items"),
            "{text}"
        );
    }
    // Another path of the server has a grant.
    let server = Server::start(by_hand(|asked| match asked.path.as_str() {
        "/items" => reply(307, &[ANY, ("location", "/v2/things")]),
        "/v2/things" => json(&[]),
        _ => reply(404, &[ANY]),
    }))
    .await;
    let report = Doctor::new(URL)
        .page(PAGE)
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(report.cause(), "route-not-covered");
    assert!(
        report.advises("route(\\\"/v2/things\\\""),
        "{}",
        report.advice()
    );
}
