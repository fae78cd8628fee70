//! No HTTP answer.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair,
    generate_simple_self_signed,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::support::{Doctor, PAGE, Report, raw, raw_stream, tls, tls_stream};

async fn failed(doctor: Doctor, cause: &str) -> Report {
    let report = doctor.page(PAGE).run().await;
    assert_eq!(
        (report.verdict(), report.cause(), report.code),
        ("network-error", cause, 3),
        "{}",
        report.stdout
    );
    assert!(report.json()["steps"][0]["response"].is_null());
    assert!(report.json()["steps"][0]["error"].is_string());
    report
}

const URL: &str = "http://127.0.0.1:8080/items";

#[tokio::test]
async fn names_and_ports() {
    let report = failed(Doctor::new("https://nowhere.invalid/"), "host-not-found").await;
    assert!(report.advises("nowhere.invalid"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let report = failed(
        Doctor::new(URL).at("127.0.0.1:8080", closed),
        "connection-refused",
    )
    .await;
    assert!(report.advises("8080"));
}

/// The page may fail as well; the fix is about the server that the page calls.
#[tokio::test]
async fn a_page_that_does_not_answer_is_not_the_servers_failure() {
    let closed = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let report = Doctor::new(URL)
        .args(["--page", "http://localhost:3000/"])
        .at("localhost:3000", closed())
        .at("127.0.0.1:8080", closed())
        .run()
        .await;
    assert_eq!(
        (report.verdict(), report.cause(), report.code),
        ("network-error", "connection-refused", 3)
    );
    assert!(
        report.advises("port 8080 of 127.0.0.1") && !report.advises("3000"),
        "{}",
        report.advice()
    );
}

/// Servers of SSH, SMTP or MySQL speak first.
#[tokio::test]
async fn a_server_of_another_protocol_behind_an_https_url() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await;
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
            });
        }
    });
    for (url, advice) in [
        (API, "neither HTTP nor TLS"),
        ("wss://api.example.com/live", "neither HTTP nor TLS"),
        ("http://api.example.com:443/", "does not speak HTTP"),
    ] {
        let doctor = Doctor::new(url)
            .args(["--timeout", "3"])
            .at("api.example.com:443", address);
        let doctor = if url.starts_with("http:") {
            doctor.page("http://app.example.com")
        } else {
            doctor.page(PAGE)
        };
        let report = doctor.run().await;
        assert_eq!(
            (report.verdict(), report.cause()),
            ("network-error", "connection-closed"),
            "{}",
            report.stdout
        );
        assert!(
            report.advises(advice) && report.advises("443"),
            "{url}: {}",
            report.advice()
        );
        let evidence = report.json()["evidence"][0]["text"].as_str().unwrap();
        assert!(evidence.ends_with("it begins with \"SSH-2.0-OpenSSH_\""));
    }
}

#[tokio::test]
async fn connections_that_say_nothing_or_nonsense() {
    let silent = raw("").await;
    let report = failed(
        Doctor::new(URL).at("127.0.0.1:8080", silent),
        "connection-closed",
    )
    .await;
    assert!(report.advises("panic") && report.advises("log"));
    let ssh = raw("SSH-2.0-OpenSSH_9.6\r\n").await;
    let report = failed(
        Doctor::new(URL).at("127.0.0.1:8080", ssh),
        "connection-closed",
    )
    .await;
    assert!(report.advises("HTTP"));
    let hangs = raw_stream(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let doctor = || {
        Doctor::new(URL)
            .args(["--timeout", "0.3"])
            .at("127.0.0.1:8080", hangs)
    };
    let report = failed(doctor(), "timeout").await;
    assert!(report.advises("handler"));
    let report = failed(doctor().args(["-X", "PUT"]), "timeout").await;
    assert!(report.advises("OPTIONS"));
}

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, issuer.pem().as_bytes()).unwrap();
        Self { issuer, file }
    }

    fn certify(&self, params: CertificateParams) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key)
    }

    fn path(&self) -> &str {
        self.file.path().to_str().unwrap()
    }
}

const API: &str = "https://api.example.com/items";

#[tokio::test]
async fn certificates() {
    let authority = Authority::new();
    let names = || CertificateParams::new(vec!["api.example.com".to_owned()]).unwrap();
    let (good, key) = authority.certify(names());
    let good = tls(&good, &key).await;
    let at = |address| Doctor::new(API).at("api.example.com:443", address);
    let report = at(good)
        .args(["--cacert", authority.path()])
        .page(PAGE)
        .run()
        .await;
    assert_eq!(
        (report.verdict(), report.warnings()),
        ("readable", vec![]),
        "{}",
        report.stdout
    );
    let headers = report.json()["steps"][0]["response"]["headers"].to_string();
    assert!(headers.contains("HTTP/2.0"), "{headers}");

    let report = failed(at(good), "certificate").await;
    assert!(report.advises("authority"));
    let report = at(good).arg("-k").page(PAGE).run().await;
    assert_eq!(
        (report.verdict(), report.warnings()),
        ("readable", vec!["certificate-not-checked"])
    );

    let (other, key) =
        authority.certify(CertificateParams::new(vec!["b.example".to_owned()]).unwrap());
    let other = tls(&other, &key).await;
    let report = failed(
        at(other).args(["--cacert", authority.path()]),
        "certificate",
    )
    .await;
    assert!(report.advises("name"));

    let mut old = names();
    old.not_before = rcgen::date_time_ymd(2020, 1, 1);
    old.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let (old, key) = authority.certify(old);
    let old = tls(&old, &key).await;
    let report = failed(at(old).args(["--cacert", authority.path()]), "certificate").await;
    assert!(report.advises("expired"));
}

#[tokio::test]
async fn a_certificate_that_signs_itself_can_be_trusted() {
    let own = generate_simple_self_signed(vec!["api.example.com".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, own.cert.pem().as_bytes()).unwrap();
    let address = tls(own.cert.der(), &own.signing_key).await;
    let report = Doctor::new(API)
        .page(PAGE)
        .args(["--cacert", file.path().to_str().unwrap()])
        .at("api.example.com:443", address)
        .run()
        .await;
    assert_eq!(report.verdict(), "readable", "{}", report.stdout);
}

#[tokio::test]
async fn the_wrong_scheme() {
    let own = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let secure = tls(own.cert.der(), &own.signing_key).await;
    let report = failed(
        Doctor::new(URL).at("127.0.0.1:8080", secure),
        "tls-mismatch",
    )
    .await;
    assert!(report.advises("https://127.0.0.1:8080/items"));
    let plain = crate::support::Server::start(axum::Router::new()).await;
    let doctor = Doctor::new("https://127.0.0.1:8080/items").at("127.0.0.1:8080", plain.address);
    let report = failed(doctor, "tls-mismatch").await;
    assert!(report.advises("http://127.0.0.1:8080/items"));
}

/// h2, and then a reset of the stream, of the connection, or frames that are none.
#[tokio::test]
async fn h2_that_is_reset() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const RESET: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    const GO_AWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
    const NONSENSE: &[u8] = &[255; 64];
    let own = generate_simple_self_signed(vec!["api.example.com".to_owned()]).unwrap();
    for frame in [RESET, GO_AWAY, NONSENSE] {
        let address = tls_stream(
            own.cert.der(),
            &own.signing_key,
            move |mut stream| async move {
                let mut preface = [0; 1024];
                let _ = stream.read(&mut preface).await;
                let _ = stream.write_all(&[SETTINGS, frame].concat()).await;
                let _ = stream.read(&mut preface).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            },
        )
        .await;
        let doctor = Doctor::new(API)
            .args(["-k", "--timeout", "3"])
            .at("api.example.com:443", address);
        let report = failed(doctor, "connection-closed").await;
        assert_eq!(report.warnings(), ["certificate-not-checked"]);
    }
}
