//! A set-up for each warning, and for each false alarm that is near.

use axum::Router;

use crate::support::{
    Asked, Doctor, PAGE, Server, by_hand, granted, json, reply,
    table::{SetUp, URL, from, get, play, put},
};

const ANY: (&str, &str) = ("access-control-allow-origin", "*");
const TRUE: (&str, &str) = ("access-control-allow-credentials", "true");

fn readable(name: &'static str, server: Router) -> SetUp {
    get(name, server).verdict("readable")
}

/// Reflects the origins that pass.
fn reflects(
    with_credentials: bool,
    passes: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
) -> Router {
    by_hand(move |asked: &Asked| {
        let mut headers = vec![("vary", "Origin")];
        if let Some(origin) = asked.origin().filter(|origin| passes(origin)) {
            headers.push(("access-control-allow-origin", origin));
            if with_credentials {
                headers.push(TRUE);
            }
        }
        json(&headers)
    })
}

#[tokio::test]
async fn who_is_let_in() {
    play(vec![
        readable("anybody", reflects(false, |o| o != "null")).warns(&["reflects-any-origin"]),
        readable(
            "anybody with credentials",
            reflects(true, |o| o.starts_with("https:")),
        )
        .warns(&["reflects-any-origin-with-credentials"]),
        readable("everything", reflects(true, |_| true)).warns(&[
            "reflects-any-origin-with-credentials",
            "null-allowed",
            "insecure-origin-with-credentials",
        ]),
        readable("a suffix", reflects(false, |o| o.ends_with("example.com")))
            .warns(&["lookalike-allowed"]),
        readable(
            "a dot",
            reflects(false, |o| {
                o.starts_with("https://app") && o.ends_with("example.com")
            }),
        )
        .warns(&["lookalike-allowed"]),
        readable("null", reflects(false, |o| o == PAGE || o == "null")).warns(&["null-allowed"]),
        readable("http", reflects(true, |o| o.ends_with("//app.example.com")))
            .warns(&["insecure-origin-with-credentials"]),
        from(
            "a page over http",
            "http://app.example.com",
            reflects(true, |o| o == "http://app.example.com"),
        )
        .verdict("readable")
        .warns(&["insecure-origin-with-credentials"]),
        from(
            "a page of this machine",
            "http://localhost:3000",
            reflects(true, |o| o == "http://localhost:3000"),
        )
        .verdict("readable"),
        readable(
            "every subdomain",
            reflects(true, |o| {
                o.strip_suffix(".example.com")
                    .is_some_and(|o| o.starts_with("https://"))
            }),
        ),
        // Requests count, not preflights, which may promise more.
        put(
            "generous preflights",
            by_hand(|asked| {
                if asked.is_preflight() {
                    return reply(
                        204,
                        &[
                            ANY,
                            ("access-control-allow-methods", "PUT"),
                            ("access-control-allow-headers", "content-type"),
                        ],
                    );
                }
                granted(asked, PAGE, &[])
            }),
        )
        .verdict("readable"),
    ])
    .await;
}

/// Errors that echo the origin, as a rate limit or a firewall in front of the application may.
#[tokio::test]
async fn errors_to_probes_say_nothing() {
    let errors = |status: u16| {
        by_hand(move |asked: &Asked| {
            let origin = asked.origin().unwrap_or("null");
            let headers = [("access-control-allow-origin", origin), TRUE];
            if origin == PAGE {
                json(&[headers[0], TRUE, ("vary", "Origin")])
            } else {
                reply(status, &headers)
            }
        })
    };
    // Only the error answer allows credentials.
    let http = by_hand(|asked| {
        let origin = ("access-control-allow-origin", "http://app.example.com");
        let lists = ("access-control-allow-headers", "authorization");
        if asked.headers.contains_key("authorization") || asked.is_preflight() {
            reply(204, &[origin, lists])
        } else {
            reply(403, &[origin, TRUE])
        }
    });
    play(vec![
        readable("429", errors(429)),
        readable("403", errors(403)),
        readable("500", errors(500)),
        from("the page itself", "http://app.example.com", http)
            .args(&["-H", "Authorization: Bearer x"])
            .verdict("readable"),
    ])
    .await;
}

#[tokio::test]
async fn what_caches_need_to_know() {
    let list = |more: &'static [(&'static str, &'static str)]| {
        by_hand(move |asked: &Asked| {
            let mut headers = more.to_vec();
            if asked.origin() == Some(PAGE) {
                headers.push(("access-control-allow-origin", PAGE));
            }
            json(&headers)
        })
    };
    let only_with_origin = by_hand(|asked| {
        if asked.origin().is_none() {
            json(&[])
        } else {
            granted(asked, PAGE, &[])
        }
    });
    let limited = by_hand(|asked| match asked.origin() {
        Some(PAGE) => json(&[("access-control-allow-origin", PAGE)]),
        _ => reply(429, &[]),
    });
    play(vec![
        readable("no Vary", list(&[])).warns(&["vary-missing"]),
        readable("not kept", list(&[("cache-control", "private, no-store")])),
        readable("varies on everything", list(&[("vary", "*")])),
        readable(
            "in two lines",
            list(&[("vary", "Accept"), ("vary", "accept-encoding, ORIGIN")]),
        ),
        readable("not without Origin", only_with_origin).warns(&["vary-missing"]),
        readable("a rate limit for probes", limited),
    ])
    .await;
}

#[tokio::test]
async fn headers_that_pass_today() {
    let preflights = |headers: &'static [(&'static str, &'static str)]| {
        by_hand(move |asked: &Asked| {
            let mut all = vec![
                ANY,
                ("access-control-allow-methods", "PUT"),
                ("access-control-allow-headers", "*"),
            ];
            all.extend(headers);
            if asked.is_preflight() {
                reply(204, &all)
            } else {
                json(&[ANY])
            }
        })
    };
    let put = |name, server| put(name, server).verdict("readable");
    let with_credentials = |headers: &'static [(&'static str, &'static str)]| {
        by_hand(move |asked: &Asked| {
            let mut all = vec![TRUE];
            all.extend(headers);
            granted(asked, PAGE, &all)
        })
    };
    let include = |name, server| readable(name, server).args(&["--credentials"]);
    play(vec![
        put(
            "two days",
            preflights(&[("access-control-max-age", "172800")]),
        )
        .warns(&["max-age-capped"]),
        put("a day", preflights(&[("access-control-max-age", "86400")])),
        put(
            "no keeping",
            preflights(&[("access-control-max-age", "-1")]),
        ),
        put("a unit", preflights(&[("access-control-max-age", "600s")]))
            .warns(&["max-age-malformed"]),
        put(
            "two ages",
            preflights(&[
                ("access-control-max-age", "60"),
                ("access-control-max-age", "60"),
            ]),
        )
        .warns(&["max-age-malformed"]),
        put("a token", preflights(&[]))
            .args(&["-H", "Authorization: Bearer x"])
            .warns(&["authorization-under-wildcard"]),
        put(
            "misspelt",
            preflights(&[("access-control-allow-header", "x")]),
        )
        .warns(&["header-misspelt"]),
        readable("wildcard", by_hand(|_| json(&[ANY, TRUE])))
            .warns(&["wildcard-with-allow-credentials"]),
        include(
            "expose",
            with_credentials(&[("access-control-expose-headers", "*")]),
        )
        .warns(&["expose-wildcard-with-credentials"]),
        include(
            "a cookie",
            with_credentials(&[("set-cookie", "id=1; HttpOnly")]),
        )
        .warns(&["cookie-same-site"]),
        include(
            "a cookie for others",
            with_credentials(&[("set-cookie", "id=1; samesite=none; secure")]),
        ),
        readable(
            "a cookie that is not used",
            by_hand(|_| json(&[ANY, ("set-cookie", "id=1")])),
        ),
        readable("an error", by_hand(|_| reply(404, &[ANY]))).warns(&["error-status"]),
        readable("a header", by_hand(|_| json(&[ANY])))
            .args(&["-H", "Referer: https://x.example/"])
            .warns(&["header-dropped"]),
        readable("a header of WebSockets", by_hand(|_| json(&[ANY])))
            .args(&["-H", "Sec-WebSocket-Protocol: x"])
            .warns(&["header-dropped"]),
    ])
    .await;
}

#[tokio::test]
async fn servers_of_this_machine_and_pages_of_the_internet() {
    let server = Server::start(by_hand(|_| json(&[ANY]))).await;
    let url = format!("http://{}/", server.address);
    for (page, expected) in [
        ("https://203.0.113.7", &["local-network"][..]),
        ("http://localhost:3000", &[]),
        ("http://192.168.1.7", &[]),
        // A name of the internet that does not resolve.
        (
            "https://app.cors-doctor-has-no-such-domain.com",
            &["local-network"],
        ),
        // Names of private networks, and names that are reserved for documentation.
        ("http://intranet", &[]),
        ("http://printer.local", &[]),
        ("https://wiki.corp.internal", &[]),
        ("https://app.example.com", &[]),
        ("https://app.test", &[]),
    ] {
        let report = Doctor::new(&url).page(page).run().await;
        assert_eq!(report.verdict(), "readable");
        assert_eq!(report.warnings(), expected, "{page}");
    }
    // A name that leads elsewhere in this call says nothing about where browsers would go.
    let elsewhere =
        Doctor::new("http://api.example.com:8080/").at("api.example.com:8080", server.address);
    let report = elsewhere.page("http://203.0.113.7").run().await;
    assert_eq!((report.verdict(), report.warnings()), ("readable", vec![]));
}

#[tokio::test]
async fn a_warning_counts_with_strict() {
    let server = Server::start(by_hand(|_| reply(404, &[ANY]))).await;
    let doctor = || {
        Doctor::new(URL)
            .page(PAGE)
            .at("127.0.0.1:8080", server.address)
    };
    assert_eq!(doctor().run().await.code, 0);
    let strict = doctor().arg("--strict").run().await;
    assert_eq!(strict.code, 1);
    assert!(strict.json()["fix"].is_null());
    assert!(
        strict.json()["warnings"][0]["steps"]
            .as_array()
            .is_some_and(|steps| *steps == [1])
    );
}
