//! Policies: lists, scripts, tokens, registries, and policies made of others.

use serde_json::{Value, json};

use super::{
    super::{
        choices::Choices,
        lists::Names,
        policy::{Denial, Grant, Policy, Script, Verdict, allow, deny},
        registry::{self, RegistryEntry},
        token::{Format, Token},
    },
    WRONG, expose, headers, methods,
    requests::origin,
};

/// Entries of a list of origins: mostly few, and mostly well-formed.
pub fn entries(choices: &mut Choices) -> Vec<String> {
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
            "https://A.example:443/",
            "Tauri://localhost",
        ];
        entries.push(choices.pick(&wrong).to_owned());
    }
    entries
}

pub fn policy(choices: &mut Choices, depth: usize) -> Policy {
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
                names.listed.retain(|name| !WRONG.contains(&name.as_str()));
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
    let mut patterns = entries(choices);
    // As people write them.
    let odd = [
        "https://A.example",
        "HTTPS://app.example:443",
        "https://*.B.example:443",
        "Http://LOCALHOST:80",
    ];
    if choices.once_in(4) {
        patterns.push(choices.pick(&odd).to_owned());
    }
    // A developers' network, which needs a permission.
    if choices.once_in(8) {
        let ranges = [
            "http://127.0.0.0/8:*",
            "HTTP://192.168.0.0/16",
            "http://10.0.0.0/7",
        ];
        patterns.push(choices.pick(&ranges).to_owned());
    }
    let mut registry: Vec<RegistryEntry> = Vec::new();
    for pattern in patterns {
        let mut scopes = choices.some(&["REDIRECT", "CORS", "IFRAME_EMBED"], 1);
        if !choices.once_in(6) && !scopes.contains(&"CORS".to_owned()) {
            scopes.push("CORS".to_owned());
        }
        let is_secure = pattern.starts_with("https://") && !pattern.contains("github");
        let sent = registry::sent(&pattern);
        let is_there = registry
            .iter()
            .any(|entry| registry::sent(&entry.pattern) == sent);
        if !is_there || choices.once_in(20) {
            registry.push(RegistryEntry {
                scopes,
                is_active: !choices.once_in(5),
                credentials: choices.once_in(2) && (is_secure || choices.once_in(10)),
                allows_insecure: choices.once_in(5)
                    || pattern.contains("/8")
                    || pattern.contains("/16"),
                pattern,
            });
        }
    }
    registry
}
