//! Answers that the page reads, and what it may miss in them.

use crate::support::{
    Doctor, PAGE, Server, by_hand, json, reply,
    table::{URL, from, get, play, put},
};

const ANY: (&str, &str) = ("access-control-allow-origin", "*");

#[tokio::test]
async fn something_is_missing() {
    let html = by_hand(|_| {
        let mut page = reply(200, &[ANY, ("content-type", "text/html")]);
        *page.body_mut() = "<html></html>".into();
        page
    });
    let with = |headers: &'static [(&'static str, &'static str)]| by_hand(move |_| json(headers));
    let reads = |name, server| {
        get(name, server)
            .args(&["--reads", "X-Total-Count"])
            .verdict("readable")
    };
    play(vec![
        get("a page", html)
            .args(&["-H", "Accept: application/json"])
            .verdict("readable")
            .cause("html-instead-of-api", &["HTML", "/items"]),
        reads("not exposed", with(&[ANY, ("x-total-count", "3")]))
            .ours("header-not-exposed", &["x-total-count", "expose_headers"]),
        reads(
            "misspelt",
            with(&[
                ANY,
                ("x-total-count", "3"),
                ("access-control-expose-header", "x-total-count"),
            ]),
        )
        .cause("header-misspelt", &["Access-Control-Expose-Headers"]),
        reads(
            "a malformed list",
            with(&[
                ANY,
                ("x-total-count", "3"),
                ("access-control-expose-headers", "a b"),
            ]),
        )
        .ours("header-not-exposed", &["x-total-count"]),
        reads(
            "exposed",
            with(&[
                ANY,
                ("x-total-count", "3"),
                ("access-control-expose-headers", "X-Total-Count"),
            ]),
        ),
        reads(
            "by a wildcard",
            with(&[
                ANY,
                ("x-total-count", "3"),
                ("access-control-expose-headers", "*"),
            ]),
        ),
        reads("not there at all", with(&[ANY])),
    ])
    .await;
}

#[tokio::test]
async fn nothing_is_wrong() {
    let healthy = || {
        by_hand(|asked| {
            crate::support::granted(
                asked,
                PAGE,
                &[
                    ("access-control-allow-methods", "PUT"),
                    ("access-control-allow-headers", "content-type"),
                    ("access-control-max-age", "7200"),
                ],
            )
        })
    };
    play(vec![
        get("a correct list", healthy()).verdict("readable"),
        put("a correct preflight", healthy()).verdict("readable"),
        get("everybody", by_hand(|_| json(&[ANY]))).verdict("readable"),
        from(
            "its own page",
            "http://127.0.0.1:8080",
            by_hand(|_| json(&[])),
        )
        .verdict("readable"),
        get(
            "one constant origin",
            by_hand(|_| json(&[("access-control-allow-origin", PAGE)])),
        )
        .verdict("readable"),
    ])
    .await;
}

#[tokio::test]
async fn a_request_is_sent_only_when_asked_for() {
    let server = Server::start(by_hand(|asked| {
        crate::support::granted(asked, PAGE, &[("access-control-allow-methods", "DELETE")])
    }))
    .await;
    let doctor = || {
        Doctor::new(URL)
            .page(PAGE)
            .at("127.0.0.1:8080", server.address)
    };
    let report = doctor().args(["-X", "DELETE"]).run().await;
    assert_eq!(
        (report.verdict(), report.cause(), report.code),
        ("not-tried", "", 4)
    );
    assert!(report.json()["fix"].is_null() && report.json()["status"].is_null());
    assert!(server.seen().iter().all(|seen| seen.method != "DELETE"));

    let report = doctor().args(["-d", "x"]).run().await;
    assert_eq!(report.verdict(), "not-tried");
    let report = doctor().args(["-X", "DELETE", "--send"]).run().await;
    assert_eq!((report.verdict(), report.code), ("readable", 0));
    assert_eq!(report.json()["status"], 200);
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.method == "DELETE")
            .count(),
        1
    );
}
