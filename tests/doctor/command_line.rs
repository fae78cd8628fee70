//! Arguments, several URLs, what browsers copy, and watching.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json as object;

use crate::support::{Doctor, PAGE, Server, by_hand, granted, json, reply, table::URL};

#[tokio::test]
async fn mistakes_send_nothing_and_say_why() {
    let server = Server::start(by_hand(|_| json(&[]))).await;
    let url = format!("http://{}/", server.address);
    let url = url.as_str();
    for args in [
        &[][..],
        &[url],
        &[url, "--origin", "app.example.com"],
        &[url, "--origin", "null", "--bogus"],
        &[url, "--origin", "null", "--har", "/nowhere.har"],
        &["--curl", "wget http://a.example/"],
        &["--curl", &format!("curl {url}")],
    ] {
        let report = Doctor::default().args(args.iter().copied()).run().await;
        assert_eq!(report.code, 2, "{args:?}");
        assert!(report.stdout.is_empty(), "{}", report.stdout);
        assert!(
            report.stderr.starts_with("cors-doctor: "),
            "{}",
            report.stderr
        );
    }
    assert!(server.seen().is_empty());
    for option in ["--help", "--version"] {
        let report = Doctor::default().arg(option).run_as_it_is().await;
        assert!(report.code == 0 && report.stdout.starts_with("cors-doctor"));
    }
}

#[tokio::test]
async fn of_several_urls_the_worst_counts() {
    let server = Server::start(by_hand(|asked| {
        if asked.path == "/good" {
            granted(asked, PAGE, &[])
        } else {
            json(&[])
        }
    }))
    .await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let asked = |urls: &[&str]| {
        Doctor::default()
            .args(urls.iter().copied())
            .page(PAGE)
            .at("127.0.0.1:8080", server.address)
            .at("127.0.0.1:8081", closed)
    };
    let (good, bad) = ("http://127.0.0.1:8080/good", "http://127.0.0.1:8080/bad");
    let none = "http://127.0.0.1:8081/";
    let report = asked(&[good, bad, none]).run().await;
    assert_eq!(report.code, 1);
    let causes: Vec<_> = report.objects.iter().map(|o| o["cause"].as_str()).collect();
    assert_eq!(causes, [None, Some("no-cors"), Some("connection-refused")]);
    assert_eq!(asked(&[good, none]).run().await.code, 3);
    assert_eq!(asked(&[good, good]).run().await.code, 0);
}

#[tokio::test]
async fn what_browsers_copy_is_played() {
    let server = Server::start(by_hand(|asked| {
        granted(
            asked,
            PAGE,
            &[
                ("access-control-allow-methods", "PUT"),
                ("access-control-allow-headers", "content-type, x-id"),
                ("access-control-allow-credentials", "true"),
            ],
        )
    }))
    .await;
    let command = "curl 'http://127.0.0.1:8080/items' -X 'PUT' -H 'content-type: application/json' \
                   -H 'x-id: 7' -H 'origin: https://app.example.com' -H 'user-agent: Mozilla' \
                   -H 'sec-fetch-mode: cors' -b 'a=b' --data-raw '{}' --compressed";
    for doctor in [
        Doctor::default().args(["--curl", command]),
        Doctor::default().args(["--curl", "-"]).stdin(command),
    ] {
        let report = doctor
            .arg("--send")
            .at("127.0.0.1:8080", server.address)
            .run()
            .await;
        assert_eq!(
            (report.verdict(), report.warnings()),
            ("readable", vec![]),
            "{}",
            report.stdout
        );
    }
    let seen = server.seen();
    assert_eq!(
        seen[0].headers["access-control-request-headers"],
        "content-type,x-id"
    );
    assert_eq!(seen[1].method, "PUT");
    assert_eq!(seen[1].headers["cookie"], "a=b");
}

/// Chromium's and Firefox's copies of a WebSocket: no page can set any of these headers.
#[tokio::test]
async fn a_websocket_that_browsers_copy_is_played() {
    let chromium = "curl 'ws://127.0.0.1:8080/live' -H 'Upgrade: websocket' \
                    -H 'Origin: https://app.example.com' -H 'Cache-Control: no-cache' \
                    -H 'Accept-Language: de' -H 'Pragma: no-cache' -H 'Connection: Upgrade' \
                    -H 'Sec-WebSocket-Key: x' -H 'User-Agent: Mozilla' \
                    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Protocol: graphql-ws' \
                    -H 'Sec-WebSocket-Extensions: permessage-deflate'";
    let firefox = "curl 'ws://127.0.0.1:8080/live' --compressed -H 'User-Agent: Mozilla' \
                   -H 'Accept: */*' -H 'Accept-Language: de' -H 'Accept-Encoding: gzip, br' \
                   -H 'Sec-WebSocket-Version: 13' -H 'Origin: https://app.example.com' \
                   -H 'Sec-WebSocket-Protocol: graphql-ws' \
                   -H 'Sec-WebSocket-Extensions: permessage-deflate' \
                   -H 'Sec-WebSocket-Key: x' -H 'Connection: keep-alive, Upgrade' \
                   -H 'Sec-Fetch-Dest: empty' -H 'Pragma: no-cache' \
                   -H 'Cache-Control: no-cache' -H 'Upgrade: websocket'";
    let server = Server::start(by_hand(|_| reply(403, &[]))).await;
    let asked = |command: &str| {
        Doctor::default()
            .args(["--curl", command, "--no-probes"])
            .at("127.0.0.1:8080", server.address)
            .run()
    };
    for command in [chromium, firefox] {
        let report = asked(command).await;
        assert_eq!(report.cause(), "websocket-refused", "{}", report.stdout);
        assert!(
            !report.warnings().contains(&"header-dropped"),
            "{}",
            report.stdout
        );
    }
    for seen in server.seen() {
        assert_eq!(seen.headers["sec-websocket-protocol"], "graphql-ws");
        assert!(!seen.headers.contains_key("accept"));
    }
    let by_hand = asked(&format!("{chromium} -H 'Authorization: x'")).await;
    assert!(by_hand.warnings().contains(&"header-dropped"));
    assert!(by_hand.stdout.contains("authorization"));
}

#[tokio::test]
async fn a_header_without_a_value_is_announced() {
    let server = Server::start(by_hand(|asked| {
        granted(asked, PAGE, &[("access-control-allow-headers", "x-empty")])
    }))
    .await;
    let command =
        format!("curl '{URL}' -H 'origin: {PAGE}' -H 'x-empty;' -H 'x-removed:' -H 'x-nothing; x'");
    let report = Doctor::default()
        .args(["--curl", &command])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(report.verdict(), "readable", "{}", report.stdout);
    let seen = server.seen();
    assert_eq!(seen[0].headers["access-control-request-headers"], "x-empty");
    assert_eq!(seen[1].headers["x-empty"], "");
    assert!(!seen[1].headers.contains_key("x-removed"));
}

/// A page that was made from a blob has the origin of the page that made it.
#[tokio::test]
async fn the_origin_of_a_blob_is_that_of_the_url_inside() {
    let server = Server::start(by_hand(|asked| granted(asked, PAGE, &[]))).await;
    let report = Doctor::new(URL)
        .page("blob:https://app.example.com/1b2c")
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    assert_eq!(
        report.verdict(),
        "readable",
        "{}{}",
        report.stdout,
        report.stderr
    );
    assert_eq!(report.json()["page"], PAGE);
}

#[tokio::test]
async fn the_requests_of_a_har_file_are_played() {
    let server = Server::start(by_hand(|asked| granted(asked, PAGE, &[]))).await;
    let origin = object!({ "name": "Origin", "value": PAGE });
    let entry = |method: &str, url: &str, headers: serde_json::Value| object!({ "request": { "method": method, "url": url, "headers": headers } });
    let har = object!({ "log": { "entries": [
        entry("GET", "https://app.example.com/", object!([])),
        entry("OPTIONS", URL, object!([origin, { "name": "Access-Control-Request-Method", "value": "GET" }])),
        entry("GET", URL, object!([origin])),
        entry("GET", "http://127.0.0.1:8080/other", object!([{ "name": "origin", "value": "https://b.example" }])),
    ] } });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, har.to_string().as_bytes()).unwrap();
    let report = Doctor::default()
        .args(["--har", file.path().to_str().unwrap()])
        .at("127.0.0.1:8080", server.address)
        .run()
        .await;
    let said: Vec<_> = report
        .objects
        .iter()
        .map(|o| (o["url"].as_str().unwrap(), o["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            (URL, "readable"),
            ("http://127.0.0.1:8080/other", "blocked")
        ]
    );
    assert_eq!(report.code, 1);
}

/// Browsers leave cookies out of HAR files, so the user has to say that the page sends them.
#[tokio::test]
async fn credentials_count_for_a_har_file_and_other_settings_are_refused() {
    let server = Server::start(by_hand(|asked| granted(asked, PAGE, &[]))).await;
    let entry = object!({ "request": {
        "method": "GET", "url": URL, "headers": [{ "name": "Origin", "value": PAGE }],
    } });
    let har = object!({ "log": { "entries": [entry] } });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, har.to_string().as_bytes()).unwrap();
    let doctor = |args: &[&str]| {
        Doctor::default()
            .args(["--har", file.path().to_str().unwrap()])
            .args(args.iter().copied())
            .at("127.0.0.1:8080", server.address)
            .run()
    };
    assert_eq!(doctor(&[]).await.verdict(), "readable");
    for args in [&["--credentials"][..], &["--cookie", "sid=1"]] {
        let report = doctor(args).await;
        assert_eq!(
            (report.verdict(), report.cause()),
            ("blocked", "credentials-not-allowed"),
            "{args:?}"
        );
    }
    let seen = server.seen();
    let sent = seen
        .iter()
        .filter(|seen| seen.headers.contains_key("cookie"));
    assert_eq!(sent.count(), 1);

    for args in [
        &["-X", "PUT"][..],
        &["-H", "X-Id: s3cr3t"],
        &["-d", "s3cr3t"],
        &["-X", "PUT", URL, "--origin", PAGE],
    ] {
        let report = doctor(args).await;
        assert_eq!((report.code, report.stdout.as_str()), (2, ""), "{args:?}");
        assert!(
            report.stderr.contains("--har") && !report.stderr.contains("s3cr3t"),
            "{}",
            report.stderr
        );
    }
    assert_eq!(server.seen().len(), seen.len(), "nothing is sent");
}

#[tokio::test]
async fn watching_ends_when_it_is_mended() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Server::start(by_hand({
        let asked = Arc::clone(&asked);
        move |request| {
            let is_mended = asked.load(Ordering::Relaxed) > 0;
            if is_mended {
                granted(request, PAGE, &[])
            } else {
                reply(500, &[])
            }
        }
    }))
    .await;
    let doctor = Doctor::new(URL)
        .page(PAGE)
        .args(["--watch", "0.2"])
        .at("127.0.0.1:8080", server.address);
    let mend = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        asked.store(1, Ordering::Relaxed);
    };
    let (report, ()) = tokio::join!(doctor.run_as_it_is(), mend);
    assert_eq!(report.code, 0);
    let verdicts: Vec<_> = report
        .stdout
        .lines()
        .filter(|line| line.starts_with(['✔', '✖']))
        .collect();
    assert_eq!(
        verdicts,
        ["✖ blocked: error-without-headers", "✔ readable 200"]
    );
    assert!(
        report
            .stdout
            .contains("Changed: blocked: error-without-headers → readable 200")
    );
}

#[tokio::test]
async fn people_get_lines_that_fit() {
    let server = Server::start(by_hand(|asked| {
        granted(asked, "http://app.example.com", &[])
    }))
    .await;
    let report = Doctor::new(URL)
        .page(PAGE)
        .args(["-X", "PUT", "-H", "Authorization: Bearer s3cr3t-t0k3n"])
        .at("127.0.0.1:8080", server.address)
        .run_as_it_is()
        .await;
    assert_eq!(report.code, 1);
    assert!(
        report
            .stdout
            .starts_with("✖ preflight-failed: origin-scheme\n"),
        "{}",
        report.stdout
    );
    for line in report.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in [
        "──▶ OPTIONS",
        "◀── 204",
        "The console says",
        "Fix",
        "tower-cors",
    ] {
        assert!(report.stdout.contains(part), "{part}: {}", report.stdout);
    }
}
