//! Configuration files, served by the example as a process of its own.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use http::HeaderMap;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

const JSON: &str = r#"{
    "allow_origins": ["https://app.example.com", "https://*.example.org"],
    "allow_credentials": true,
    "allow_methods": ["PUT", "DELETE"],
    "allow_headers": ["content-type", "x-id"],
    "expose_headers": ["x-inner"],
    "max_age": 600
}"#;

const TOML: &str = r#"
allow_origins = ["https://app.example.com"]
denied_requests = "refuse"
"#;

#[tokio::test]
async fn a_preflight_is_answered_by_the_layer() {
    let server = Server::start("config.json", JSON).await;
    let preflight = [
        ("origin", "https://a.example.org"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-id"),
    ];
    let answer = server.send("OPTIONS", "/things/1", &preflight).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.body, "");
    is_exactly(
        &answer.headers,
        &[
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-headers", "content-type,x-id"),
            ("access-control-allow-methods", "PUT,DELETE"),
            ("access-control-allow-origin", "https://a.example.org"),
            ("access-control-max-age", "600"),
            (
                "vary",
                "origin,access-control-request-method,access-control-request-headers",
            ),
        ],
    );
}

#[tokio::test]
async fn the_inner_service_says_what_reached_it() {
    let server = Server::start("config.json", JSON).await;
    for (method, path) in [
        ("GET", "/"),
        ("PUT", "/things/1"),
        ("OPTIONS", "/"),
        ("CHICKEN", "/a%20b"),
    ] {
        let target = format!("{path}?q=1");
        let headers = [("origin", "https://app.example.com")];
        let answer = server.send(method, &target, &headers).await;
        assert_eq!(answer.status, 200, "{method}");
        is_exactly(
            &answer.headers,
            &[
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-origin", "https://app.example.com"),
                ("access-control-expose-headers", "x-inner"),
                ("content-type", "application/json"),
                ("vary", "origin"),
                ("x-inner", "called"),
            ],
        );
        let seen: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(seen, json!({"method": method, "path": path}));
    }
    let answer = server.send("HEAD", "/", &[]).await;
    is_exactly(
        &answer.headers,
        &[
            ("content-type", "application/json"),
            ("vary", "origin"),
            ("x-inner", "called"),
        ],
    );
}

#[tokio::test]
async fn toml_is_told_by_the_ending() {
    let server = Server::start("config.toml", TOML).await;
    let allowed = [("origin", "https://app.example.com")];
    assert_eq!(server.send("GET", "/", &allowed).await.status, 200);
    let denied = [("origin", "https://evil.example")];
    let answer = server.send("GET", "/", &denied).await;
    assert_eq!(answer.status, 403);
    is_exactly(&answer.headers, &[("vary", "origin")]);
}

#[tokio::test]
async fn every_mistake_is_a_line() {
    let (status, stdout, stderr) = refused(
        "config.json",
        r#"{
            "allow_origins": ["https://example.com/", "null", "https://a.example\r\nx: y"],
            "allow_credentials": true,
            "allow_methods": ["patch"],
            "allow_headers": ["x y"],
            "expose_headers": "*",
            "max_age": -2
        }"#,
    )
    .await;
    assert_eq!((status, stdout.as_str()), (Some(2), ""));
    let keys: Vec<_> = stderr
        .lines()
        .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        keys,
        [
            r#"allow_origins: "https://example.com/""#,
            r#"allow_origins: "null""#,
            r#"allow_origins: "https://a.example\r\nx"#,
            r#"allow_methods: "patch""#,
            r#"allow_headers: "x y""#,
            r#"expose_headers: "*""#,
            r#"max_age: -2"#,
        ]
    );
}

#[tokio::test]
async fn what_is_no_configuration_is_one_line() {
    for (name, text, expected) in [
        (
            "config.json",
            r#"{"allow_origins": "*", "max_age": "x"}"#,
            "config.json: max_age: invalid type: string \"x\", expected whole seconds, -1 for no \
             caching, or null at line 1 column 37\n",
        ),
        (
            "config.json",
            "",
            "config.json: EOF while parsing a value at line 1 column 0\n",
        ),
        (
            "config.toml",
            "allow_origins = \"*\"\nmax_age = \"x\"\n",
            "config.toml: max_age: invalid type: string \"x\", expected whole seconds, -1 for no \
             caching, or null\n",
        ),
        (
            "config.toml",
            "allow_origins = \"*\"\nmax_age\n",
            "config.toml: key with no value, expected `=` at line 2\n",
        ),
    ] {
        let (status, stdout, stderr) = refused(name, text).await;
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{text}");
        assert!(stderr.ends_with(expected), "{text}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{text}: {stderr}");
    }
}

#[tokio::test]
async fn bad_arguments_are_one_line() {
    for (arguments, expected) in [
        (&[][..], "usage: "),
        (&["no-such-file.json"], "no-such-file.json: "),
        (&["a.json", "b.json"], "unexpected argument \"b.json\""),
        (&["a.json", "--listen", "x"], "cannot parse argument \"x\""),
        (&["a.json", "--port", "1"], "invalid option '--port'"),
    ] {
        let output = command().args(arguments).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty());
        assert!(stderr.starts_with(expected), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

/// The example as a process, which ends with this value.
struct Server {
    address: String,
    _process: Child,
    _directory: tempfile::TempDir,
}

impl Server {
    async fn start(name: &str, config: &str) -> Self {
        let (directory, path) = file(name, config);
        let mut process = command()
            .arg(path)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = process.stdout.take().unwrap();
        let first = BufReader::new(stdout).lines().next_line().await.unwrap();
        let first = first.expect("the example says where it listens");
        let address = first
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the first line is {first:?}"));
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self {
            address: address.to_owned(),
            _process: process,
            _directory: directory,
        }
    }

    async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let socket = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        drop(sender);
        connection.await.unwrap().unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: sorted(&parts.headers),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

struct Answer {
    status: u16,
    headers: Headers,
    body: String,
}

type Headers = Vec<(String, String)>;

fn is_exactly(actual: &Headers, expected: &[(&str, &str)]) {
    let actual: Vec<_> = actual.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(actual, expected);
}

/// All headers but those of the connection.
fn sorted(headers: &HeaderMap) -> Headers {
    let mut sorted: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| name != "date" && name != "content-length")
        .collect();
    sorted.sort();
    sorted
}

async fn refused(name: &str, config: &str) -> (Option<i32>, String, String) {
    let (_directory, path) = file(name, config);
    let output = command().arg(path).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    (directory, path)
}

/// Cargo builds the examples with the tests, beside the directory of the tests themselves.
fn command() -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let example = profile
        .join("examples")
        .join("config_server")
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        example.exists(),
        "{} is missing: build it with `cargo build --example config_server --features serde`",
        example.display()
    );
    Command::new(example)
}
