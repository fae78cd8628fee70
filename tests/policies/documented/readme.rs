//! The README shows what a terminal prints, to the letter.

use std::fs;

use tower_cors::{CorsLayer, DenialKind};

use super::text::shown;

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

#[test]
fn the_mistakes_are_what_a_terminal_prints() {
    let (_, mistakes) = shown!("README.md", {
        let mistakes = CorsLayer::builder()
            .allow_origins(["https://App.example.com/", "https://*.github.io"])
            .allow_credentials(true)
            .allow_methods(["patch"])
            .build()
            .unwrap_err();
    } => mistakes);
    // What Rust prints when `main` returns an error.
    let printed = format!("```text\nError: {mistakes:?}\n```\n");
    assert!(readme().contains(&printed), "{printed}");
}

#[test]
fn the_explanation_is_what_is_printed() {
    let list = CorsLayer::builder().allow_origins(["https://app.example.com"]);
    let request = http::Request::get("/").header("origin", "https://www.app.example.com");
    let explained = list
        .build()
        .unwrap()
        .explain_now(&request.body(()).unwrap());
    let text = explained.unwrap().to_string();
    let (_, from_browser) = text.split_once("\nbrowser ").unwrap();
    let (shown, _) = from_browser.split_once("          in TOML:").unwrap();
    let printed = format!("```text\nbrowser {shown}```\n");
    assert!(readme().contains(&printed), "{printed}");
}

#[test]
fn the_log_has_the_texts_of_the_denials() {
    for (level, outcome, kind) in [
        (
            "DEBUG",
            "request forwarded, its response not for the page",
            DenialKind::OriginNotAllowed,
        ),
        ("INFO", "preflight refused", DenialKind::OriginNotAllowed),
        (
            "DEBUG",
            "preflight answered with less than it asks for",
            DenialKind::MethodNotAllowed,
        ),
    ] {
        let line = format!("\n{level} tower_cors: {outcome}: {kind} kind={kind:?} ");
        assert!(readme().contains(&line), "{line}");
    }
}
