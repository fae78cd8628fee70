//! What keeps a browser from sending.

use crate::support::{Doctor, PAGE, Report, Server, by_hand, json, reply};

async fn told(doctor: Doctor) -> Report {
    let report = doctor.run().await;
    assert_eq!(report.verdict(), "not-sent", "{}", report.stdout);
    assert_eq!(report.code, 1);
    assert_eq!(
        report.json()["evidence"][0]["step"],
        serde_json::Value::Null
    );
    report
}

#[tokio::test]
async fn nothing_is_sent() {
    for (url, args, cause, advice) in [
        (
            "http://api.example.com/items",
            &[][..],
            "mixed-content",
            "https://api.example.com/items",
        ),
        (
            "ws://api.example.com/",
            &[],
            "mixed-content",
            "wss://api.example.com/",
        ),
        ("https://api.example.com:6000/", &[], "blocked-port", "6000"),
        (
            "https://api.example.com/",
            &["-X", "TRACE"],
            "forbidden-method",
            "TRACE",
        ),
        (
            "https://u:p@api.example.com/",
            &[],
            "url-credentials",
            "Authorization",
        ),
        // The first of several counts.
        (
            "http://u:p@api.example.com:22/",
            &["-X", "track"],
            "forbidden-method",
            "track",
        ),
    ] {
        let report = told(Doctor::new(url).page(PAGE).args(args.iter().copied())).await;
        assert_eq!(report.cause(), cause, "{url}");
        assert!(report.advises(advice), "{url}: {}", report.advice());
        assert_eq!(report.json()["steps"], serde_json::json!([]));
    }
}

#[tokio::test]
async fn a_page_forbids_its_own_connections() {
    let page = Server::start(by_hand(|asked| match asked.path.as_str() {
        "/" => reply(302, &[("location", "/app")]),
        "/app" => {
            let policy = (
                "content-security-policy",
                "connect-src 'self'; default-src *",
            );
            reply(200, &[policy, ("content-type", "text/html")])
        }
        _ => {
            let mut page = reply(200, &[("content-type", "text/html; charset=utf-8")]);
            *page.body_mut() = "<html><head><meta http-equiv=\"Content-Security-Policy\" \
                                content=\"default-src 'self' http://127.0.0.1:9\"></head>"
                .into();
            page
        }
    }))
    .await;
    for path in ["/", "/meta"] {
        let report = told(
            Doctor::new("http://127.0.0.1:8080/items")
                .args(["--page", &format!("http://localhost:3000{path}")])
                .at("localhost:3000", page.address),
        )
        .await;
        assert_eq!(report.cause(), "page-csp");
        assert_eq!(report.json()["page"], "http://localhost:3000");
        assert!(report.advises("connect-src") && report.advises("http://127.0.0.1:8080"));
        assert!(
            report.json()["steps"]
                .as_array()
                .unwrap()
                .iter()
                .all(|s| s["kind"] == "page")
        );
    }
}

#[tokio::test]
async fn a_page_may_be_sandboxed_or_upgrade_its_requests() {
    let page = Server::start(by_hand(|asked| {
        let policy = if asked.path == "/sandbox" {
            "sandbox allow-scripts"
        } else {
            "upgrade-insecure-requests"
        };
        reply(
            200,
            &[
                ("content-security-policy", policy),
                ("content-type", "text/html"),
            ],
        )
    }))
    .await;
    let api = Server::start(by_hand(|_| json(&[("vary", "origin")]))).await;
    let asked = |path: &str, host: &str| {
        Doctor::new(&format!("http://{host}/items"))
            .args(["--page", &format!("http://localhost:3000{path}")])
            .at("localhost:3000", page.address)
            .at(host, api.address)
    };
    let report = asked("/sandbox", "127.0.0.1:8080").run().await;
    assert_eq!(report.json()["page"], "null");
    assert_eq!(report.cause(), "origin-null");
    let report = asked("/", "api.example.com:8080").run().await;
    assert_eq!(report.json()["url"], "https://api.example.com:8080/items");
    assert_eq!(report.cause(), "tls-mismatch");
    // Nobody on the way can read what stays on this machine.
    for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
        let report = asked("/", host).run().await;
        assert_eq!(report.json()["url"], format!("http://{host}/items"));
        assert_eq!(report.cause(), "origin-not-listed", "{host}");
    }
}

#[tokio::test]
async fn a_page_upgrades_where_a_redirect_leads() {
    const ANY: (&str, &str) = ("access-control-allow-origin", "*");
    let page = Server::start(by_hand(|_| {
        reply(
            200,
            &[("content-security-policy", "upgrade-insecure-requests")],
        )
    }))
    .await;
    let api = Server::start(by_hand(|asked| match asked.path.as_str() {
        "/items" => reply(307, &[ANY, ("location", "http://api.example.com:8080/new")]),
        _ => json(&[ANY]),
    }))
    .await;
    let report = Doctor::new("http://127.0.0.1:8080/items")
        .args(["--page", "http://localhost:3000/"])
        .at("localhost:3000", page.address)
        .at("127.0.0.1:8080", api.address)
        .at("api.example.com:8080", api.address)
        .run()
        .await;
    assert_eq!(report.cause(), "tls-mismatch", "{}", report.stdout);
    let steps = report.json()["steps"].as_array().unwrap();
    let urls: Vec<_> = steps.iter().map(|s| &s["request"]["url"]).collect();
    assert_eq!(
        urls,
        [
            "http://localhost:3000/",
            "http://127.0.0.1:8080/items",
            "https://api.example.com:8080/new"
        ]
    );
}

#[tokio::test]
async fn a_page_is_fetched_once_for_all_urls() {
    let page = Server::start(by_hand(|_| {
        reply(200, &[("content-security-policy", "connect-src 'none'")])
    }))
    .await;
    let report = Doctor::new("http://127.0.0.1:8080/a")
        .args([
            "http://127.0.0.1:8080/b",
            "--page",
            "http://localhost:3000/",
        ])
        .at("localhost:3000", page.address)
        .run()
        .await;
    let causes: Vec<_> = report
        .objects
        .iter()
        .map(|object| object["cause"].as_str())
        .collect();
    assert_eq!(causes, [Some("page-csp"), Some("page-csp")]);
    assert_eq!(page.seen().len(), 1);
}
