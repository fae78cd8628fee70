//! What goes over the wire, and what does not come out.

use http::Method;

use crate::support::{Doctor, PAGE, Server, by_hand, granted, json, reply, table::URL};

const SECRETS: [&str; 5] = [
    "s3cr3t-t0k3n",
    "c00kie-value",
    "p4ssw0rd",
    "k3y-0f-api",
    "s3t-by-server",
];

#[tokio::test]
async fn a_preflight_is_the_browsers_and_comes_first() {
    let server = Server::start(by_hand(|asked| {
        granted(
            asked,
            PAGE,
            &[
                ("access-control-allow-methods", "PUT"),
                (
                    "access-control-allow-headers",
                    "authorization,content-type,x-b",
                ),
                ("access-control-allow-credentials", "true"),
            ],
        )
    }))
    .await;
    let report = Doctor::new(URL)
        .page("https://app.example.com/some/page")
        .args([
            "-X",
            "put",
            "-H",
            "X-B: 1",
            "-H",
            "Authorization: Bearer x",
            "-H",
            "Accept: a/b",
        ])
        .args([
            "-H",
            "content-type: application/json",
            "-d",
            "{}",
            "--cookie",
            "a=b; c=d",
            "--send",
        ])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(report.verdict(), "readable", "{}", report.stdout);
    let seen = server.seen();
    let get = |i: usize, name: &str| {
        seen[i]
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(seen[0].method, Method::OPTIONS);
    for (name, value) in [
        ("accept", Some("*/*")),
        ("origin", Some(PAGE)),
        ("host", Some("127.0.0.1:8080")),
        ("access-control-request-method", Some("PUT")),
        (
            "access-control-request-headers",
            Some("authorization,content-type,x-b"),
        ),
        ("sec-fetch-site", Some("cross-site")),
        ("sec-fetch-mode", Some("cors")),
        ("sec-fetch-dest", Some("empty")),
        ("cookie", None),
        ("authorization", None),
        ("content-type", None),
    ] {
        assert_eq!(get(0, name).as_deref(), value, "{name}");
    }
    assert_eq!(seen[1].method, Method::PUT);
    assert_eq!(get(1, "cookie").as_deref(), Some("a=b; c=d"));
    assert_eq!(get(1, "authorization").as_deref(), Some("Bearer x"));
    assert_eq!(get(1, "accept").as_deref(), Some("a/b"));
    // All others are probes, as somebody unknown.
    for probe in &seen[2..] {
        assert!(matches!(
            probe.method,
            Method::GET | Method::HEAD | Method::OPTIONS
        ));
        assert!(!probe.headers.contains_key("cookie"));
        assert!(!probe.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn a_simple_request_has_no_preflight_and_empty_lists_no_header() {
    let server = Server::start(by_hand(|_| json(&[("access-control-allow-origin", "*")]))).await;
    let doctor = || {
        Doctor::new(URL)
            .page(PAGE)
            .arg("--no-probes")
            .at("127.0.0.1:8080", server.address)
    };
    doctor().run().await;
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].method, Method::GET);
    doctor().args(["--preflight", "-d", "x"]).run().await;
    let preflight = &server.seen()[1];
    assert_eq!(preflight.method, Method::OPTIONS);
    assert_eq!(preflight.headers["access-control-request-method"], "POST");
    assert!(
        !preflight
            .headers
            .contains_key("access-control-request-headers")
    );
}

#[tokio::test]
async fn the_own_page_sends_no_preflight() {
    let server = Server::start(by_hand(|_| json(&[]))).await;
    let report = Doctor::new(URL)
        .page("http://127.0.0.1:8080")
        .args(["-X", "DELETE", "--send"])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!((report.verdict(), report.warnings()), ("readable", vec![]));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["sec-fetch-site"], "same-origin");
    assert_eq!(seen[0].headers["origin"], "http://127.0.0.1:8080");
}

#[tokio::test]
async fn there_are_never_more_than_forty_probes() {
    // Refuses in a way that leaves every question open.
    let server = Server::start(by_hand(|asked| {
        if asked.is_preflight() {
            reply(204, &[("vary", "Origin")])
        } else {
            json(&[("vary", "Origin")])
        }
    }))
    .await;
    let report = Doctor::new(URL)
        .page("https://www.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.xn--bcher-kva.example")
        .args([
            "-X", "PUT", "-H", "A: 1", "-H", "B: 1", "-H", "C: 1", "-H", "D: 1",
        ])
        .args(["--upstream", "http://127.0.0.1:8080/other"])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(report.cause(), "origin-not-listed");
    let probes = server.seen().len() - 1;
    assert!((30..=40).contains(&probes), "{probes}");
}

#[tokio::test]
async fn secrets_do_not_come_out() {
    let server = Server::start(by_hand(|asked| {
        let echo = asked.header("authorization").unwrap_or("none").to_owned();
        let mut answer = json(&[
            ("access-control-allow-origin", "https://other.example"),
            ("x-echo", &echo),
            ("set-cookie", "sid=s3t-by-server; Path=/"),
            ("location", "https://user:p4ssw0rd@b.example/"),
        ]);
        *answer.body_mut() = format!("{echo} {:?}", asked.header("cookie"));
        if asked.is_preflight() {
            reply(
                204,
                &[
                    ("access-control-allow-origin", PAGE),
                    ("access-control-allow-credentials", "true"),
                    ("access-control-allow-headers", "authorization, x-api-key"),
                ],
            )
        } else {
            answer
        }
    }))
    .await;
    let doctor = || {
        Doctor::new(URL)
            .page(PAGE)
            .args([
                "-H",
                "Authorization: Bearer s3cr3t-t0k3n",
                "-H",
                "X-Api-Key: k3y-0f-api",
            ])
            .args(["--cookie", "sid=c00kie-value"])
            .at("127.0.0.1:8080", server.address)
    };
    for report in [doctor().run().await, doctor().run_as_it_is().await] {
        for secret in SECRETS {
            assert!(
                !report.stdout.contains(secret),
                "{secret}: {}",
                report.stdout
            );
            assert!(
                !report.stderr.contains(secret),
                "{secret}: {}",
                report.stderr
            );
        }
        assert!(
            report.stdout.contains("<hidden, 19 bytes>"),
            "{}",
            report.stdout
        );
    }
    let report = doctor().arg("--show-secrets").run().await;
    assert!(report.stdout.contains("s3cr3t-t0k3n") && report.stdout.contains("s3t-by-server"));

    let with_user = "https://user:p4ssw0rd@127.0.0.1:8080/";
    for report in [
        Doctor::new(with_user).page(PAGE).run().await,
        Doctor::new(with_user).page(PAGE).run_as_it_is().await,
        Doctor::new(with_user)
            .page("nonsense://")
            .run_as_it_is()
            .await,
        Doctor::new("http://127.0.0.1/")
            .page("file://user:p4ssw0rd@x/")
            .run_as_it_is()
            .await,
    ] {
        assert!(!report.stdout.contains("p4ssw0rd"), "{}", report.stdout);
        assert!(!report.stderr.contains("p4ssw0rd"), "{}", report.stderr);
    }
}

#[tokio::test]
async fn no_part_of_an_echo_and_no_short_secret_comes_out() {
    let server = Server::start(by_hand(|asked| {
        let cookies = asked.header("cookie").unwrap_or_default().to_owned();
        let echo = format!("q7z;{}", asked.header("authorization").unwrap_or_default());
        let headers = [
            ("access-control-allow-origin", "q7z"),
            ("access-control-allow-headers", "authorization"),
            ("vary", "Origin"),
            ("server", cookies.as_str()),
            ("x-echo", echo.as_str()),
            ("set-cookie", "n4m3l3ss-s3cr3t"),
            ("content-language", "n4m3l3ss-s3cr3t"),
            ("location", "//user:p4ss@b.example/"),
        ];
        let mut answer = json(&headers);
        *answer.body_mut() = format!("{}{echo} {cookies}", "-".repeat(180));
        if asked.is_preflight() {
            granted(
                asked,
                PAGE,
                &[headers[1], ("access-control-allow-credentials", "true")],
            )
        } else {
            answer
        }
    }))
    .await;
    let doctor = Doctor::new(URL)
        .page(PAGE)
        .args(["-H", "Authorization: Bearer s3cr3t-t0k3n-of-the-user"])
        .args(["--cookie", "a=q7z; b4r3"])
        .at("127.0.0.1:8080", server.address);
    for report in [doctor.clone().run().await, doctor.run_as_it_is().await] {
        for secret in ["s3cr3t", "q7z", "b4r3", "n4m3", "p4ss"] {
            assert!(
                !report.stdout.contains(secret),
                "{secret}: {}",
                report.stdout
            );
        }
    }
}

#[tokio::test]
async fn only_one_probe_may_carry_what_the_page_sends() {
    let server = Server::start(by_hand(|_| reply(403, &[]))).await;
    Doctor::new(URL)
        .page(PAGE)
        .args([
            "-H",
            "Authorization: Bearer s3cr3t-t0k3n",
            "--cookie",
            "a=b",
        ])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    let carrying: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|seen| {
            seen.headers.contains_key("authorization") || seen.headers.contains_key("cookie")
        })
        .map(|seen| seen.method)
        .collect();
    assert_eq!(carrying, [Method::OPTIONS]);
}
