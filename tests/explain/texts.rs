//! What people and programs read: whole texts, within 80 columns, without secrets.

use http::{HeaderValue, Request};
use tower_cors::{CorsLayer, config::CorsConfig, routes::MethodRule};

use crate::{APP, block_on, get, preflight, request, rows};

fn layer(file: &str) -> CorsLayer {
    let config: CorsConfig = toml::from_str(file).unwrap();
    config.into_builder().build().unwrap()
}

/// Compares the text with the file `texts/NAME.txt`.
fn assert_text(name: &str, layer: &CorsLayer, request: &Request<()>) {
    let text = block_on(layer.explain(request)).to_string();
    let path = format!(
        "{}/tests/explain/texts/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{path} should be\n{text}");
}

#[test]
fn five_typical_texts() {
    let list = layer(
        "allow_origins = [\"https://app.example\", \"https://*.app.example\"]\n\
         allow_methods = [\"PUT\"]\nallow_headers = [\"content-type\"]",
    );
    assert_text("allowed", &list, &get("https://shop.app.example"));
    assert_text("http", &list, &get("http://app.example"));
    let names = "authorization,content-type,x-a,x-b";
    assert_text("headers", &list, &preflight(APP, "PUT", names));
    assert_text("any", &layer("allow_origins = \"*\""), &get(APP));
    let rules = CorsLayer::by_method().rule([http::Method::GET], MethodRule::public_any_origin());
    let route = rules.build().unwrap();
    assert_text("no_rule", &route, &preflight(APP, "DELETE", ""));
}

#[test]
fn every_line_fits_80_columns() {
    for row in rows::all() {
        let text = block_on(row.setup.build().explain(&row.request)).to_string();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", row.name);
            assert_eq!(line, line.trim_end(), "{}", row.name);
        }
    }
}

#[test]
fn what_a_client_sends_is_escaped_and_within_bounds() {
    let layer = layer("allow_origins = [\"https://app.example\"]");
    let long = [&b"https://a\xff\t\x7f policy: granted "[..], &[b'a'; 9000]].concat();
    let mut hostile = get(APP);
    let origin = hostile.headers_mut().get_mut("origin").unwrap();
    *origin = HeaderValue::from_bytes(
        &long
            .iter()
            .copied()
            .filter(|byte| *byte != 0x7f)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let names: Vec<String> = (0..100).map(|number| format!("x-{number}")).collect();
    for request in [
        hostile,
        preflight(APP, "GET", &names.join(",")),
        preflight(APP, &"A".repeat(4000), ""),
        preflight(APP, "GET", &"a".repeat(1000)),
    ] {
        let text = block_on(layer.explain(&request)).to_string();
        assert!(
            text.is_ascii() && text.len() < 8000,
            "{} {text}",
            text.len()
        );
        let is_broken = |line: &str| line.chars().any(char::is_control);
        assert!(!text.lines().any(is_broken), "{text}");
    }
}

#[test]
fn nothing_secret_is_told() {
    let headers = [
        ("origin", APP),
        ("authorization", "Bearer secret"),
        ("cookie", "session=secret"),
        ("x-a", "secret"),
    ];
    for file in ["allow_origins = []", "allow_origins = \"*\""] {
        let explained = block_on(layer(file).explain(&request("GET", &headers)));
        let json = serde_json::to_string(&explained).unwrap();
        for text in [explained.to_string(), format!("{explained:?}"), json] {
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[test]
fn programs_read_the_same() {
    let layer = layer("allow_origins = [\"https://app.example\"]");
    let explained = block_on(layer.explain(&preflight(APP, "PUT", "x-a")));
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["taken_for"], "a preflight");
    assert_eq!(
        json["rule"],
        "https://fetch.spec.whatwg.org/#cors-preflight-request"
    );
    assert_eq!(json["origin"], "\"https://app.example\"");
    assert_eq!(json["asked_for"]["headers"], serde_json::json!(["x-a"]));
    assert_eq!(json["policy"], "allow_origins");
    assert_eq!(json["entry"], APP);
    assert_eq!(json["denial"], "MethodNotAllowed");
    assert_eq!(json["status"], 204);
    assert_eq!(json["reaches_service"], false);
    assert_eq!(json["headers"][0][1], APP);
    assert_eq!(json["browser"][0]["step"], "CORS-preflight fetch, step 7.5");
    assert_eq!(
        json["browser"][2]["finding"]["rust"],
        ".allow_credentials(true)"
    );
    assert_eq!(json["finding"]["toml"], "allow_methods = [\"PUT\"]");
    assert_eq!(json["is_allowed"], false);
}

#[test]
fn the_code_of_a_fix_keeps_what_is_listed() {
    let layer = layer(
        "allow_origins = [\"https://app.example\"]\nallow_methods = [\"DELETE\"]\nallow_headers = [\"x-a\"]",
    );
    for (request, toml) in [
        (
            preflight(APP, "PUT", ""),
            "allow_methods = [\"DELETE\", \"PUT\"]",
        ),
        (
            preflight(APP, "DELETE", "x-b"),
            "allow_headers = [\"x-a\", \"x-b\"]",
        ),
    ] {
        let explained = block_on(layer.explain(&request));
        let json = serde_json::to_value(&explained).unwrap();
        assert_eq!(json["finding"]["toml"], toml);
    }
}
