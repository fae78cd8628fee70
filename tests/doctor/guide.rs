//! The outputs that the guide shows are what the doctor prints.

use axum::{Router, extract::Request, middleware::Next, response::Response, routing::get};
use http::{HeaderValue, StatusCode, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::support::{Doctor, PAGE, Server, by_hand, json, reply};

const GUIDE: &str = include_str!("../../src/guide/doctor.md");

/// The URL of the guide, which leads to a server of the test.
const URL: &str = "http://localhost:8080/items";

fn listed(origin: &'static str) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list([HeaderValue::from_static(origin)]))
        .allow_methods([http::Method::PUT])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
}

fn items() -> Router {
    Router::new().route(
        "/items",
        get(async || ([(header::CONTENT_TYPE, "application/json")], "[]")).put(async || "{}"),
    )
}

async fn authenticate(request: Request, next: Next) -> Result<Response, StatusCode> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        Ok(next.run(request).await)
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

#[tokio::test]
async fn the_five_outputs_are_real() {
    let cache = by_hand(|asked| match asked.query {
        Some(_) => json(&[("access-control-allow-origin", PAGE), ("server", "nginx")]),
        None => json(&[
            ("access-control-allow-origin", "https://admin.example.com"),
            ("server", "nginx"),
            ("x-cache", "HIT"),
        ]),
    });
    let starts_with = by_hand(|asked| {
        let mut headers = vec![("vary", "Origin")];
        if let Some(origin) = asked.origin().filter(|origin| origin.starts_with(PAGE)) {
            headers.push(("access-control-allow-origin", origin));
            headers.push(("access-control-allow-credentials", "true"));
        }
        if asked.is_get() {
            json(&headers)
        } else {
            reply(405, &headers)
        }
    });
    for (server, args) in [
        (
            items().layer(listed("http://app.example.com")),
            &["-X", "PUT"][..],
        ),
        (
            items()
                .layer(listed(PAGE))
                .layer(axum::middleware::from_fn(authenticate)),
            &["-H", "Authorization: Bearer s3cr3t-t0k3n"],
        ),
        (items().layer(CorsLayer::permissive()), &["--credentials"]),
        (cache, &[]),
        (starts_with, &["--credentials"]),
    ] {
        let server = Server::start(server).await;
        let report = Doctor::new(URL)
            .page(PAGE)
            .args(args.iter().copied())
            .at("localhost:8080", server.address)
            .run_as_it_is()
            .await;
        let words: Vec<String> = args
            .iter()
            .map(|arg| {
                if arg.contains(' ') {
                    format!("'{arg}'")
                } else {
                    (*arg).to_owned()
                }
            })
            .collect();
        let call = ["cors-doctor", URL, "--origin", PAGE].join(" ");
        let call = [&[call], &words[..]].concat().join(" ");
        let shown = format!("```text\n$ {call}\n{}```", without_times(&report.stdout));
        assert!(GUIDE.contains(&shown), "the guide has to show\n{shown}");
    }
}

/// How long an exchange took is another number each time, and so is the query of a probe.
fn without_times(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let query = line.split_once("?doctor=");
        match line.rsplit_once(" (") {
            Some((front, time)) if time.ends_with(" ms)") => lines.push_str(front),
            _ => match query {
                Some((front, _)) => lines.extend([front, "?doctor=1"]),
                None => lines.push_str(line),
            },
        }
        lines.push('\n');
    }
    lines
}
