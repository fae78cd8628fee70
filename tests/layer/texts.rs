//! Every text that a mistake in a configuration or a denial has, for a reviewer to read: does it say
//! what to do now? What a text proposes must itself build.

use std::{fmt::Write, time::Duration};

use http::{StatusCode, header::AUTHORIZATION};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, DenialKind, DeniedRequests, OriginPolicy, OriginSet, Verdict,
    lists::ConfigList,
    policy::{BearerOr, PolicyProperties},
    preflight::Optimistic,
};

/// The texts of all mistakes of a configuration.
fn texts(builder: CorsLayerBuilder) -> String {
    match builder.build() {
        Ok(_) => "it builds".to_owned(),
        Err(mistakes) => mistakes.to_string(),
    }
}

fn origins(entry: &str) -> String {
    texts(CorsLayer::builder().allow_origins([entry]))
}

fn with_credentials(entry: &str) -> String {
    let list = CorsLayer::builder().allow_origins([entry]);
    texts(list.allow_credentials(true))
}

fn list() -> CorsLayerBuilder {
    CorsLayer::builder().allow_origins(["https://app.example"])
}

#[derive(Debug)]
struct ReadsTokens;

impl OriginPolicy for ReadsTokens {
    fn judge(&self, _: &tower_cors::CorsRequest<'_>) -> tower_cors::VerdictFuture {
        Verdict::Abstain.into()
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().reads([AUTHORIZATION])
    }
}

#[test]
fn mistakes_of_a_configuration() {
    let mut all = String::new();
    let mut add = |text: String| writeln!(all, "{text}").unwrap();
    for entry in [
        "",
        "app.example.com",
        "localhost:3000",
        "https://App.example.com/",
        "https://app.example.com:443",
        " https://app.example.com",
        "https://bücher.example",
        "https://user:pw@app.example.com",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://app_example!.com",
        "https://",
        "https://-a.example",
        "https://a..example",
        "https://xn--.example",
        "https://a.example..",
        "https://1.2.3",
        "http://[0:0::1]",
        "https://a.example:0",
        "null",
        "file://",
        "wss://app.example.com",
        "data:text/html,x",
        "\"https://app.example.com\"",
        "https://a.example,https://b.example",
        "a.example b.example",
        "https://a.example,",
        "https://*",
        "http://192.168.*",
        "http://192.168.0.0/16",
        "https://app.*.example.com",
        "https://*.*.example.com",
        "https://*.127.0.0.1",
        "app://*x",
    ] {
        add(origins(entry));
    }
    for entry in [
        "*",
        "http://app.example.com",
        "t3code+http://x.example",
        "https://*.co.uk",
        "https://*.github.io",
        "https://shop-*.vercel.app",
        "moz-extension://*",
        "ws://app.example.com",
        "ws://app.example.com:8080",
        "http://App.example.com/",
        "http://*.GitHub.io",
        "https://*.GitHub.io",
        "localhost:3000",
    ] {
        let list = CorsLayer::builder().allow_origins([entry]);
        if list.allow_credentials(true).build().is_err() {
            add(with_credentials(entry));
        }
    }
    add(texts(CorsLayer::builder()));
    add(texts(
        CorsLayer::builder().allow_origins(["*", "https://a.example"]),
    ));
    add(texts(CorsLayer::builder().allow_origins(
        ConfigList::from_env("NO_SUCH_VARIABLE_HERE"),
    )));
    let set = || OriginSet::parse(["http://a.example", "https://*.github.io"]).unwrap();
    add(texts(list().origin_policy(set())));
    add(texts(
        CorsLayer::builder()
            .origin_policy(set())
            .allow_credentials(true),
    ));
    add(texts(
        CorsLayer::builder()
            .allow_origins(set())
            .dangerously_allow_insecure_origin("http://b.example"),
    ));
    add(texts(
        CorsLayer::builder().always_allow_origin("https://*.a.example"),
    ));
    add(texts(
        CorsLayer::builder()
            .always_allow_origin("https://a.example")
            .denied_requests(DeniedRequests::Refuse),
    ));
    add(texts(
        CorsLayer::builder().origin_policy(BearerOr::new(ReadsTokens)),
    ));
    for method in [
        "patch", "TRACE", "A B", "GET,PUT", "GET|PUT", "GET,", "'GET'", "ANY", "PU*", "",
    ] {
        add(texts(list().allow_methods([method])));
    }
    for name in [
        "cookie",
        "x y",
        "a,b",
        "a;",
        "\"a\"",
        "x-stainless-*",
        "access-control-allow-origin",
        "é",
    ] {
        add(texts(list().allow_headers([name])));
    }
    for name in ["set-cookie", "origin"] {
        add(texts(list().expose_headers([name])));
    }
    add(texts(list().expose_headers(Any).allow_credentials(true)));
    add(texts(list().max_age(Duration::from_secs(1_728_000))));
    add(texts(list().preflight_status(StatusCode::FOUND)));
    add(texts(
        list().report_only(list().preflight_status(StatusCode::FOUND)),
    ));
    let broad = ReadsTokens.with_preflight(Optimistic::new());
    add(texts(
        CorsLayer::builder()
            .origin_policy(broad)
            .denied_requests(DeniedRequests::Forward)
            .allow_credentials(true)
            .allow_methods(Any)
            .allow_headers(Any)
            .max_age(Duration::from_secs(600)),
    ));
    compare(include_str!("texts/mistakes.txt"), &all);
}

#[test]
fn denials() {
    let mut all = String::new();
    for kind in [
        DenialKind::OriginNotAllowed,
        DenialKind::OpaqueOrigin,
        DenialKind::MalformedOrigin,
        DenialKind::SeveralOrigins,
        DenialKind::NoPolicy,
        DenialKind::MalformedPreflight,
        DenialKind::PreflightNotAllowed,
        DenialKind::MethodNotAllowed,
        DenialKind::MethodCase,
        DenialKind::HeaderNotAllowed,
        DenialKind::InvalidToken,
        DenialKind::ExpiredToken,
        DenialKind::Unavailable,
        DenialKind::VerdictTimeout,
    ] {
        writeln!(all, "{kind:?}: {kind}").unwrap();
    }
    compare(include_str!("texts/denials.txt"), &all);
}

/// Tells the first line that differs; the whole text is printed, to be read and taken over.
#[track_caller]
fn compare(expected: &str, actual: &str) {
    for (number, (left, right)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(left, right, "line {}, in\n{actual}", number + 1);
    }
    assert_eq!(
        expected.lines().count(),
        actual.lines().count(),
        "\n{actual}"
    );
}

/// `write "X"` and `as in "X"` propose an entry.
#[test]
fn what_is_proposed_builds() {
    let mut tried = 0;
    for line in include_str!("texts/mistakes.txt").lines() {
        let setting = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next();
        for marker in [": write \"", "as in \"", "did you mean \""] {
            let Some((_, rest)) = line.split_once(marker) else {
                continue;
            };
            let proposal = rest.split('"').next().unwrap();
            let built = match setting {
                // A range is only for this setting.
                Some("allow_origins") if proposal.contains("/16") => {
                    list().dangerously_allow_insecure_origin(proposal).build()
                }
                Some("allow_origins") => CorsLayer::builder()
                    .allow_origins([proposal])
                    .allow_credentials(true)
                    .build(),
                Some("allow_methods") => list().allow_methods([proposal]).build(),
                other => panic!("{other:?} proposes {proposal:?}"),
            };
            assert!(built.is_ok(), "{line}\n{built:?}");
            tried += 1;
        }
    }
    assert!(tried >= 12, "only {tried} proposals were found");
}
