//! Asks the server as pages would: the preflight of each protocol's calls, and one call that fails.

use std::{error::Error, process::ExitCode};

use http::Method;
use reqwest::{Client, Response};

pub(crate) const LISTED: &str = "https://app.example.com";
const UNLISTED: &str = "https://evil.example";

/// The calls that clients make: path, method and the headers that take a preflight.
const CALLS: [(&str, &str, &str); 6] = [
    (
        "/echo.v1.EchoService/Say",
        "POST",
        "content-type,grpc-timeout,x-grpc-web,x-user-agent",
    ),
    (
        "/connect/echo.v1.EchoService/Say",
        "POST",
        "connect-protocol-version,connect-timeout-ms,content-type",
    ),
    (
        "/mcp",
        "POST",
        "authorization,content-type,mcp-protocol-version",
    ),
    ("/mcp", "DELETE", "mcp-session-id"),
    ("/graphql", "POST", "authorization,content-type"),
    ("/graphql", "GET", "authorization"),
];

pub(crate) async fn all(server: &str) -> Result<ExitCode, Box<dyn Error>> {
    let client = Client::new();
    let mut wrong = 0;
    let mut row = |what: String, is_right: bool| {
        println!("{what}: {}", if is_right { "ok" } else { "MISMATCH" });
        wrong += usize::from(!is_right);
    };
    for (path, method, headers) in CALLS {
        for origin in [LISTED, UNLISTED] {
            let answer = client
                .request(Method::OPTIONS, format!("{server}{path}"))
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", headers)
                .send()
                .await?;
            let (status, granted) = (
                answer.status(),
                header(&answer, "access-control-allow-origin"),
            );
            let is_right = if origin == LISTED {
                status == 204 && granted == Some(LISTED) && allows(&answer, method, headers)
            } else {
                status == 403 && granted.is_none()
            };
            row(
                format!("{path}, {method} from {origin}: {status}"),
                is_right,
            );
        }
    }
    for origin in [LISTED, UNLISTED] {
        // An empty message, after its flags and its length.
        let call = client.post(format!("{server}/echo.v1.EchoService/Fail"));
        let answer = call
            .header("origin", origin)
            .header("content-type", "application/grpc-web+proto")
            .body([0; 5].as_slice())
            .send()
            .await?;
        let exposed = header(&answer, "access-control-expose-headers");
        let can_read = header(&answer, "access-control-allow-origin") == Some(origin)
            && exposed.is_some_and(|names| names.contains("grpc-status"));
        let status = header(&answer, "grpc-status");
        let is_right = status == Some("5") && can_read == (origin == LISTED);
        row(
            format!("a failing call from {origin}: {status:?}, readable: {can_read}"),
            is_right,
        );
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Whether the answer lets the page send its request.
fn allows(answer: &Response, method: &str, headers: &str) -> bool {
    let lists = |list: &str, wanted: &str| {
        let mut names = header(answer, list).unwrap_or_default().split(',');
        names.any(|name| name.trim().eq_ignore_ascii_case(wanted))
    };
    // `GET` and `POST` need not be listed.
    let is_method_allowed =
        matches!(method, "GET" | "POST") || lists("access-control-allow-methods", method);
    is_method_allowed
        && headers
            .split(',')
            .all(|name| lists("access-control-allow-headers", name))
}
