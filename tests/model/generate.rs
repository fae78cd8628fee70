//! Configurations and requests, out of choices.

use serde_json::{Value, json};

use super::{
    choices::Choices,
    config::{
        Case, Config, Dangerously, Exchange, Form, Headers, Layer, MethodRule, Request, Response,
        Settings, Wait, Who,
    },
    lists::Names,
    policy::{Denial, Grant, Policy, Script, Verdict, allow, deny},
    registry::RegistryEntry,
    token::{Format, Token},
};

pub fn case(choices: &mut Choices) -> Case {
    let config = config(choices);
    let n = 1 + choices.below(48);
    let exchanges = (0..n).map(|_| exchange(choices)).collect();
    Case { config, exchanges }
}

fn config(choices: &mut Choices) -> Config {
    let form = if choices.once_in(5) {
        let n = choices.below(4);
        Form::ByMethod((0..n).map(|_| rule(choices)).collect())
    } else {
        Form::Layer(Box::new(layer(choices)))
    };
    Config {
        form,
        reloaded: choices.once_in(6),
    }
}

fn layer(choices: &mut Choices) -> Layer {
    let policy = match choices.below(8) {
        0 | 1 => {
            let mut entries = entries(choices);
            if choices.once_in(5) {
                entries.push(choices.pick(&["null", "*", "file://"]).to_owned());
            }
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            Policy::List(Names::of(&entries))
        }
        2 if choices.once_in(2) => Policy::Constant(
            choices
                .pick(&["https://a.example", "app://-", "https://*.a.example"])
                .to_owned(),
        ),
        2 => Policy::List(Names::of(&["*"])),
        _ => policy(choices, 2),
    };
    let mut settings = settings(choices);
    // Otherwise nearly every configuration with such a policy would be a mistake.
    if policy.facts().is_broad && !choices.once_in(8) {
        settings.credentials = false;
        settings.refuse = None;
        settings.max_age = settings.max_age.map(|seconds| seconds.min(60));
        (settings.methods.any, settings.headers.any) = (false, false);
    }
    Layer {
        policy,
        settings,
        wait: [Wait::Ready, Wait::Ready, Wait::Yields, Wait::Never][choices.below(4)],
    }
}

fn settings(choices: &mut Choices) -> Settings {
    let credentials = choices.once_in(2);
    Settings {
        credentials,
        methods: methods(choices),
        headers: headers(choices),
        expose: expose(choices, credentials),
        max_age: max_age(choices),
        refuse: [None, None, Some(false), Some(true)][choices.below(4)],
        preflight_status: if choices.once_in(8) { 200 } else { 204 },
        record: [None, None, Some(true), Some(false)][choices.below(4)],
        dangerously: Dangerously {
            null: choices.once_in(2),
            file: choices.once_in(4),
            insecure: choices.once_in(3),
            suffixes: choices.once_in(3),
        },
    }
}

fn max_age(choices: &mut Choices) -> Option<u64> {
    [
        None,
        None,
        Some(0),
        Some(30),
        Some(60),
        Some(600),
        Some(86_400),
    ][choices.below(7)]
}

fn methods(choices: &mut Choices) -> Names {
    let all = ["PUT", "DELETE", "PATCH", "GET", "CHICKEN", "getaway"];
    names(choices, &all, 3)
}

fn headers(choices: &mut Choices) -> Names {
    let all = ["content-type", "authorization", "x-a", "X-B", "x-c", "x_d~"];
    names(choices, &all, 4)
}

fn expose(choices: &mut Choices, credentials: bool) -> Names {
    let all = ["etag", "X-B", "x-a", "location", "grpc-status"];
    let mut names = names(choices, &all, 3);
    names.any &= !credentials || choices.once_in(8);
    names
}

/// Some of these, seldom with a mistake, and any of them now and then.
fn names(choices: &mut Choices, all: &[&str], most: usize) -> Names {
    let mut listed = choices.some(all, most);
    if choices.once_in(60) {
        let wrong = [
            "patch",
            "Cookie",
            "a b",
            "",
            "x-*",
            "CONNECT",
            "access-control-max-age",
        ];
        listed.push(choices.pick(&wrong).to_owned());
    }
    Names {
        any: choices.once_in(3),
        listed,
    }
}

/// Entries of a list of origins: mostly few, and mostly well-formed.
fn entries(choices: &mut Choices) -> Vec<String> {
    let all = [
        "https://a.example",
        "https://*.b.example",
        "http://localhost:*",
        "https://a.example:8443",
        "https://*.a.example:*",
        "https://a.example:*",
        "https://pr-*.preview.app.example",
        "https://*-x.app.example:8443",
        "http://127.0.0.1:3000",
        "http://[::1]",
        "https://[2001:db8::1]:8443",
        "http://a.example",
        "https://*.github.io",
        "moz-extension://*",
        "moz-extension://*.ext",
        "app://-",
        "app://",
        "tauri://localhost",
        "https://b.example.",
        "https://a_b.example",
        "https://*.example.com",
    ];
    let mut entries = choices.some(&all, 5);
    if choices.once_in(40) {
        let wrong = [
            "https://a.example/",
            "https://A.example",
            "a.example",
            "https://a.example:443",
            "https://*",
            "https://-a.example",
            "wss://a.example",
            "https://*.*.a.example",
            "",
            "https://127.1",
        ];
        entries.push(choices.pick(&wrong).to_owned());
    }
    entries
}

fn policy(choices: &mut Choices, depth: usize) -> Policy {
    let boxed = |choices: &mut Choices| Box::new(policy(choices, depth - 1));
    match choices.below(if depth > 0 { 12 } else { 6 }) {
        0 => Policy::Set(entries(choices)),
        1 | 2 => Policy::Script(script(choices)),
        3 => Policy::Token(token(choices)),
        4 => Policy::Registry(registry(choices)),
        5 => match choices.below(3) {
            0 => Policy::DenyPreflights,
            1 => Policy::Optimistic,
            _ => Policy::Any,
        },
        6 | 7 => Policy::BearerOr(boxed(choices)),
        8 | 9 => Policy::Fallback(boxed(choices), boxed(choices)),
        _ => Policy::WithPreflight(boxed(choices), boxed(choices)),
    }
}

fn script(choices: &mut Choices) -> Script {
    let mut verdicts = Vec::new();
    for _ in 0..choices.below(4) {
        verdicts.push((origin(choices), verdict(choices)));
    }
    let otherwise = verdict(choices);
    let is_star = |verdict: &Verdict| matches!(verdict, Verdict::Allow(grant) if grant.any_origin);
    Script {
        // A policy has to say so.
        grants_any_origin: is_star(&otherwise) || verdicts.iter().any(|(_, v)| is_star(v)),
        verdicts,
        otherwise,
        reads: choices.some(&["authorization", "x-tenant", "host", "cookie"], 2),
        no_store: choices.once_in(4),
        private: choices.once_in(4),
        refuse: choices.once_in(2),
    }
}

fn verdict(choices: &mut Choices) -> Verdict {
    match choices.below(8) {
        0 => allow(),
        1 => Verdict::Abstain,
        2 => deny("OriginNotAllowed"),
        3 => Verdict::Deny(Denial {
            kind: ["OriginNotAllowed", "Unavailable", "ExpiredToken"][choices.below(3)],
            readable: choices.once_in(2),
            credentials: None,
        }),
        4 => Verdict::Deny(Denial {
            kind: "ExpiredToken",
            readable: true,
            credentials: Some(choices.once_in(2)),
        }),
        _ => {
            let credentials = [None, Some(false), Some(true)][choices.below(3)];
            let own = |choices: &mut Choices, make: fn(&mut Choices) -> Names| {
                let mut names = make(choices);
                // Mistakes in a grant's lists are the policy author's, and found by them.
                names.listed.retain(|name| {
                    ![
                        "patch",
                        "Cookie",
                        "a b",
                        "",
                        "x-*",
                        "CONNECT",
                        "access-control-max-age",
                    ]
                    .contains(&name.as_str())
                });
                names
            };
            Verdict::Allow(Grant {
                any_origin: choices.once_in(12),
                credentials,
                max_age_cap: [None, None, Some(0), Some(4), Some(5), Some(60)][choices.below(6)],
                methods: choices.once_in(3).then(|| own(choices, methods)),
                headers: choices.once_in(3).then(|| own(choices, headers)),
                expose: choices
                    .once_in(3)
                    .then(|| own(choices, |choices| expose(choices, false))),
            })
        }
    }
}

fn token(choices: &mut Choices) -> Token {
    let formats = [
        Format::Delimited(';'),
        Format::Delimited(' '),
        Format::Array,
        Format::Single,
    ];
    let format = formats[choices.below(4)];
    let entries = choices.some(
        &[
            "https://a.example",
            "HTTPS://A.example:443/",
            "https://A.EXAMPLE:443",
            " https://a.example:8443",
            "https://app.b.example",
            "https://*.b.example",
            "http://a.example",
            "null",
            "*",
            "",
            "https://[2001:DB8::1]:8443",
            "https://a.example,https://b.example.",
            "https://evila.example",
        ],
        4,
    );
    let claim: Option<Value> = match (format, choices.below(10)) {
        (_, 8) => None,
        (_, 9) => Some(json!({"a": 1})),
        (Format::Delimited(delimiter), _) => Some(json!(entries.join(&delimiter.to_string()))),
        (Format::Array, _) => Some(json!(entries)),
        (Format::Single, _) => Some(json!(entries.first().cloned().unwrap_or_default())),
    };
    Token {
        format,
        claim,
        abstains: choices.once_in(2),
        private: choices.once_in(3),
    }
}

fn registry(choices: &mut Choices) -> Vec<RegistryEntry> {
    let patterns = entries(choices);
    let mut registry: Vec<RegistryEntry> = Vec::new();
    for pattern in patterns {
        let mut scopes = choices.some(&["REDIRECT", "CORS", "IFRAME_EMBED"], 1);
        if !choices.once_in(6) && !scopes.contains(&"CORS".to_owned()) {
            scopes.push("CORS".to_owned());
        }
        let is_secure = pattern.starts_with("https://") && !pattern.contains("github");
        let is_there = registry.iter().any(|entry| entry.pattern == pattern);
        if !is_there || choices.once_in(20) {
            registry.push(RegistryEntry {
                scopes,
                is_active: !choices.once_in(5),
                credentials: choices.once_in(2) && (is_secure || choices.once_in(10)),
                allows_insecure: choices.once_in(5),
                pattern,
            });
        }
    }
    registry
}

fn rule(choices: &mut Choices) -> MethodRule {
    let who = match choices.below(6) {
        0 => Who::Nobody,
        1 => Who::Anybody,
        2 => Who::Bearers,
        3 | 4 => Who::Trusted(policy(choices, 1)),
        _ => Who::TrustedOrBearers(policy(choices, 1)),
    };
    let credentials = !matches!(who, Who::Anybody) && choices.once_in(3);
    MethodRule {
        methods: choices.some(&["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"], 3),
        who,
        credentials,
        headers: headers(choices),
        expose: expose(choices, credentials),
        max_age: max_age(choices),
        refuse: [None, None, Some(false), Some(true)][choices.below(4)],
    }
}

/// Origins that are listed, nearly listed, and not at all; malformed ones; and any bytes.
fn origin(choices: &mut Choices) -> String {
    choices
        .pick(&[
            "https://a.example",
            "https://app.b.example",
            "https://x.y.b.example",
            "https://b.example",
            "https://evilb.example",
            "http://localhost:3000",
            "http://localhost",
            "https://a.example:8443",
            "http://a.example",
            "null",
            "https://pr-7.preview.app.example",
            "https://pr-.preview.app.example",
            "https://pr-7.8.preview.app.example",
            "https://7-x.app.example:8443",
            "http://127.0.0.1:3000",
            "http://[::1]",
            "https://[2001:db8::1]:8443",
            "https://x.github.io",
            "moz-extension://0f5c8a7e",
            "moz-extension://a..ext",
            "moz-extension://a.ext",
            "app://-",
            "app://",
            "tauri://localhost",
            "https://b.example.",
            "https://a_b.example",
            "https://app.b.example.",
            "https://app.b.example:8443",
            "file://",
            "https://evil.example",
            "https://api.example",
            "https://x.example.com",
            "https://xexample.com",
            // Malformed.
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "NULL",
            "https://a.example https://b.example",
            "https://a.example,https://b.example",
            "",
            " https://a.example",
            "https://..b.example",
            "https://.b.example",
            "https://127.1",
            "http://[0:0:0:0:0:0:0:1]",
        ])
        .to_owned()
}

pub fn exchange(choices: &mut Choices) -> Exchange {
    let mut headers = Headers::new();
    let mut add = |name: &str, value: Vec<u8>| headers.push((name.to_owned(), value));
    if !choices.once_in(10) {
        add("origin", value_of(choices, origin));
        if choices.once_in(25) {
            add("origin", origin(choices).into_bytes());
        }
    }
    let is_preflight = choices.once_in(2);
    let method = if is_preflight || choices.once_in(10) {
        "OPTIONS"
    } else {
        choices.pick(&["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
    };
    if is_preflight || choices.once_in(20) {
        add(
            "access-control-request-method",
            value_of(choices, requested_method),
        );
        if choices.once_in(30) {
            add("access-control-request-method", b"PUT".to_vec());
        }
        let lines = match choices.below(16) {
            0..9 => 1,
            9..14 => 0,
            14 => 2,
            _ => 15 + choices.below(3),
        };
        for _ in 0..lines {
            add(
                "access-control-request-headers",
                value_of(choices, requested_headers),
            );
        }
    }
    if choices.once_in(3) {
        add("authorization", value_of(choices, authorization));
        if choices.once_in(15) {
            add("authorization", b"Bearer good".to_vec());
        }
    }
    for (name, odds, values) in [
        ("cookie", 5, &["session=1", ""][..]),
        (
            "sec-fetch-site",
            6,
            &[
                "cross-site",
                "same-origin",
                "none",
                "same-site",
                "Same-Origin",
            ],
        ),
        ("sec-fetch-site", 25, &["cross-site", "same-origin"]),
        (
            "host",
            3,
            &[
                "api.example",
                "a.example",
                "A.example:443",
                "a.example:8443",
                "[::1]",
                "a.example:",
                "a.example:+443",
                "localhost:03000",
                "localhost",
            ],
        ),
        ("host", 30, &["api.example"]),
        ("sec-fetch-mode", 10, &["cors", "navigate"]),
        (
            "content-type",
            4,
            &[
                "application/json",
                "application/grpc",
                "application/grpc-web+proto",
                "Application/gRPC-Web-Text; x=y",
                "application/grpc+thrift",
                "application/grpcish",
            ],
        ),
        ("x-tenant", 10, &["a"]),
    ] {
        if choices.once_in(odds) {
            add(name, choices.pick(values).as_bytes().to_vec());
        }
    }
    let uri = if choices.once_in(8) {
        choices.pick(&[
            "https://a.example/thing",
            "http://localhost:3000/thing",
            "https://api.example/",
        ])
    } else {
        "/thing?a=1"
    };
    Exchange {
        request: Request {
            method: method.to_owned(),
            uri: uri.to_owned(),
            headers,
        },
        inner: inner(choices),
    }
}

/// A value of its kind, and now and then any bytes, or one with a byte changed.
fn value_of(choices: &mut Choices, value: fn(&mut Choices) -> String) -> Vec<u8> {
    let mut bytes = value(choices).into_bytes();
    if choices.once_in(20) && !bytes.is_empty() {
        let at = choices.below(bytes.len().min(256));
        bytes[at] = choices.byte();
    } else if choices.once_in(60) {
        let len = choices.below(40);
        bytes = (0..len).map(|_| choices.byte()).collect();
    }
    bytes
}

fn requested_method(choices: &mut Choices) -> String {
    let all = [
        "PUT", "GET", "DELETE", "POST", "PATCH", "patch", "get", "CHICKEN", "*", "TRACE",
        "connect", "", "A B", "PUT,GET",
    ];
    if choices.once_in(80) {
        "M".repeat(127 + choices.below(3))
    } else if choices.once_in(2) {
        choices.pick(&all).to_owned()
    } else {
        choices.pick(&["PUT", "GET", "DELETE"]).to_owned()
    }
}

fn requested_headers(choices: &mut Choices) -> String {
    let most = if choices.once_in(30) { 200 } else { 4 };
    let names = choices.some(
        &[
            "content-type",
            "authorization",
            "x-a",
            "x-b",
            "X-A",
            "x-c",
            "x_d~",
            "x-zzz",
            "*",
            "",
            "a b",
            "Authorization",
        ],
        most,
    );
    let separator = choices.pick(&[",", ",", ",", ", ", " ,\t"]);
    let mut line = names.join(separator);
    if choices.once_in(60) {
        line.push_str(&",".repeat(14 + choices.below(5)));
    }
    line
}

fn authorization(choices: &mut Choices) -> String {
    choices
        .pick(&[
            "Bearer good",
            "Bearer good",
            "bearer  good ",
            "DPoP good",
            "Bearer expired",
            "Bearer lapsed",
            "Bearer forged",
            "Bearer down",
            "Basic dXNlcg==",
            "",
            "Bearer",
            "Bearer ",
            "Bearer\tgood",
            "good",
            "JWT good",
            "Token eyJ.a.b",
            "Basic x, Bearer good",
            "Bearers good",
            ",Bearer good",
            "Digest a=\"b\", c=d",
        ])
        .to_owned()
}

/// What the inner service answers, which may speak CORS itself.
fn inner(choices: &mut Choices) -> Response {
    let mut headers = Headers::new();
    let lines: &[(&str, usize, &[&str])] = &[
        ("content-type", 3, &["application/json"]),
        (
            "vary",
            3,
            &[
                "accept-encoding",
                "Accept-Encoding",
                "origin",
                "*",
                "Accept, Origin",
                "originx",
                "ORIGIN,access-control-request-method",
                "",
                "authorization, cookie",
                "origin,access-control-request-method,access-control-request-headers",
            ],
        ),
        ("vary", 8, &["accept", "Origin", "*", "cookie ,origin"]),
        (
            "access-control-allow-origin",
            6,
            &["*", "https://evil.example", "null"],
        ),
        ("access-control-allow-credentials", 8, &["true"]),
        ("access-control-allow-methods", 12, &["*"]),
        ("access-control-max-age", 15, &["86400"]),
        ("access-control-allow-private-network", 12, &["true"]),
        (
            "access-control-expose-headers",
            5,
            &["x-inner", "*", "ETag, X-Inner", "x-a,,x-a", "a b, x-i", ""],
        ),
        ("access-control-expose-headers", 15, &["x-second"]),
        (
            "cache-control",
            4,
            &[
                "public, max-age=60",
                "no-store",
                "private=\"set-cookie, x\", max-age=5",
                "ext=\"a",
                "S-MaxAge=5",
                "no-cache=\"a\\\", public\"",
                "",
                "private, Public",
            ],
        ),
        ("cache-control", 12, &["public", "max-age=1", "No-Store"]),
        ("x-inner", 2, &["called"]),
    ];
    for (name, odds, values) in lines {
        if choices.once_in(*odds) {
            headers.push(((*name).to_owned(), choices.pick(values).as_bytes().to_vec()));
        }
    }
    if choices.once_in(60) {
        let name = choices.pick(&["vary", "access-control-expose-headers", "cache-control"]);
        let bytes = (0..choices.below(12)).map(|_| choices.byte()).collect();
        headers.push((name.to_owned(), bytes));
    }
    Response {
        status: [200, 204, 304, 401, 404, 500][choices.below(6)],
        headers,
    }
}
