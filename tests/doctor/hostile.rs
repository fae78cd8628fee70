//! Servers that mean harm: bounded, escaped, an exit code.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::support::{Doctor, PAGE, Server, by_hand, raw, raw_stream, reply, table::URL};

async fn ends(address: std::net::SocketAddr) -> crate::support::Report {
    let start = Instant::now();
    let report = Doctor::new(URL)
        .page(PAGE)
        .args(["--timeout", "1", "-H", "Accept: application/json"])
        .at("127.0.0.1:8080", address)
        .run()
        .await;
    assert!(
        start.elapsed() < Duration::from_secs(50),
        "{:?}",
        start.elapsed()
    );
    assert!((0..=4).contains(&report.code));
    report
}

#[tokio::test]
async fn heads_without_end() {
    let endless = raw_stream(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"x-more: and more and more and more\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    assert_eq!(ends(endless).await.verdict(), "network-error");
    let line = raw_stream(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    assert_eq!(ends(line).await.verdict(), "network-error");
    let informational = raw_stream(|mut stream| async move {
        let hints = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000);
        while stream.write_all(&hints).await.is_ok() {}
    })
    .await;
    assert_eq!(ends(informational).await.verdict(), "network-error");
}

#[tokio::test]
async fn slow_lines_and_large_bodies() {
    let slow = raw_stream(|mut stream| async move {
        for byte in b"HTTP/1.1 200 OK\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(ends(slow).await.cause(), "timeout");
    let large = raw_stream(|mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-type: text/html\r\n\
                    content-length: 10000000000\r\n\r\n<html>";
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    })
    .await;
    let report = ends(large).await;
    assert_eq!(
        (report.verdict(), report.cause()),
        ("readable", "html-instead-of-api")
    );
    assert!(report.stdout.len() < 100_000);
    let events = raw_stream(|mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\n\
                    content-type: text/event-stream\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let start = Instant::now();
    assert_eq!(ends(events).await.verdict(), "readable");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn garbage_and_bytes_for_terminals() {
    let garbage: Vec<u8> = (0..4096_u32).map(|i| (i * 7919 % 256) as u8).collect();
    assert_eq!(ends(raw(garbage).await).await.cause(), "connection-closed");
    for bytes in [
        &b"HTTP/1.1 200\r\n"[..],
        b"HTTP/1.1 999 \xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: \xff\x80://\r\naccess-control-allow-origin: *\r\n\r\n",
        b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: \xe2\x80\xae\xff\r\nvary: \xff\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ] {
        ends(raw(bytes).await).await;
    }
    let colours = raw(
        &b"HTTP/1.1 200 OK\r\nserver: nginx \xc2\x9b31m\r\nvary: origin\r\ncontent-type: \
                         text/html\r\n\r\n<\x1b]0;title\x07\x1b[31m"[..],
    )
    .await;
    let doctor = Doctor::new(URL).page(PAGE).at("127.0.0.1:8080", colours);
    for report in [doctor.clone().run().await, doctor.run_as_it_is().await] {
        let is_harmless = |c: char| !c.is_control() || c == '\n';
        assert!(
            report.stdout.chars().all(is_harmless),
            "{:?}",
            report.stdout
        );
    }
}

#[tokio::test]
async fn loops_of_redirects() {
    let server = Server::start(by_hand(|asked| {
        let next = format!("{}x", asked.path);
        reply(
            302,
            &[("location", &next), ("access-control-allow-origin", "*")],
        )
    }))
    .await;
    let report = ends(server.address).await;
    assert_eq!(
        (report.verdict(), report.cause()),
        ("blocked", "redirect-elsewhere")
    );
    assert_eq!(server.seen().len(), 21);
}

/// A server that closes with bytes unread, which resets the connection.
#[tokio::test]
async fn connections_that_are_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.readable().await;
            drop(stream);
        }
    });
    assert_eq!(ends(address).await.cause(), "connection-closed");
}
