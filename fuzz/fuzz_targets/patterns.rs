//! Any lists of entries: one by one, as a set, and as a layer's list, they match the origins that the
//! model says.
//!
//! Each line is an entry or an origin, or both. The origins that are asked for are made from the
//! entries, too, because they would rarely match by chance.
#![no_main]

use std::collections::BTreeSet;

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use tower_cors::{CorsLayer, Origin, OriginSet, origin::OriginPattern};
use tower_cors_fuzz::model::{config, entry, origin, play};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let lines: Vec<&str> = text
        .split('\n')
        .take(8)
        .filter(|line| line.len() < 400)
        .collect();
    let patterns: Vec<OriginPattern> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    let set = OriginSet::from_iter(patterns.iter().cloned());
    let layer = CorsLayer::builder()
        .allow_origins(
            patterns
                .iter()
                .map(OriginPattern::as_str)
                .collect::<Vec<_>>(),
        )
        .build()
        .expect("every entry has been parsed");
    for sent in lines.iter().flat_map(|line| asked(line)) {
        let Ok(value) = HeaderValue::from_str(&sent) else {
            continue;
        };
        let origin = Origin::from_header(&value);
        let model = origin::parse(&sent);
        assert_eq!(origin.is_ok(), model.is_some(), "{sent:?}");
        let mut is_listed = false;
        if let (Ok(origin), Some(model)) = (&origin, &model) {
            for pattern in &patterns {
                let matches = entry::matches(pattern.as_str(), model);
                assert_eq!(pattern.matches(origin), matches, "{pattern:?} {origin}");
                is_listed |= matches;
            }
            assert_eq!(set.contains(origin), is_listed, "{patterns:?} {origin}");
        }
        let exchange = config::Exchange {
            request: config::Request::new("GET", &[("origin", &sent)]),
            inner: config::Response {
                status: 200,
                headers: Vec::new(),
            },
        };
        let answer = play::answer(&layer, &exchange).expect("a request that can be sent");
        let granted = answer
            .headers
            .iter()
            .any(|(name, value)| name == "access-control-allow-origin" && value == sent.as_bytes());
        assert_eq!(granted, is_listed, "{patterns:?} {sent}");
    }
});

/// The line itself, and what its wildcards could stand for, or nearly.
fn asked(line: &str) -> BTreeSet<String> {
    let mut asked = vec![line.to_owned()];
    for part in ["", "a", "evil", "a.b", "a.", ".", "-", "A"] {
        asked.push(line.replacen("*.", &format!("{part}."), 1));
        asked.push(line.replacen("*.", part, 1));
        asked.push(line.replacen('*', part, 1));
    }
    let ports = asked.iter().flat_map(|text| {
        let bare = text.strip_suffix(":*").unwrap_or(text);
        [
            bare.to_owned(),
            format!("{bare}:8443"),
            format!("{bare}:443"),
            format!("{bare}."),
        ]
    });
    ports.collect()
}
