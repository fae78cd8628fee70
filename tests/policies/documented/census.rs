//! What documentation shows is found in its text, so that a new policy cannot be forgotten.

use tower_cors::CorsLayer;

use super::{
    Documented, played,
    text::{Shown, code_of, files},
};

/// How the code of a policy begins.
const BEGINNINGS: [&str; 5] = [
    "OriginPolicyfor",
    "policy_fn(",
    "UrlKey::new(",
    "MethodRule::trusted_only(",
    "MethodRule::trusted_or_bearer(",
];

/// Policies that are shown and not played here.
const ELSEWHERE: [(&str, &str); 12] = [
    // Its store knows no project, so it lets nobody in: it shows how lookups are counted.
    ("src/guide/observing.md", "UrlKey::new(|url|url.path()"),
    // It never answers, which is what it shows.
    ("src/config/builder.rs", "policy_fn(|_|VerdictFuture::new("),
    // It waits, which is what it shows, and lets nobody in.
    (
        "src/layer/explain.rs",
        "policy_fn(async|_|Verdict::from(false));",
    ),
    // A combinator of any two policies, which allows only what both allow.
    ("src/request/cors_request.rs", "OriginPolicyforBoth<A,B>{"),
    // Played in Chromium, and by `--check` of the application.
    (
        "examples/apps/trusted_application/policy.rs",
        "UrlKey::new(|url|application_in(",
    ),
    (
        "examples/apps/trusted_origins/service.rs",
        "MethodRule::trusted_or_bearer(",
    ),
    // Run through `policy_conformance` where they are shown.
    ("src/test_util/mod.rs", "OriginPolicyforIntranet{"),
    ("src/test_util/conformance/mod.rs", "OriginPolicyforTenant{"),
    // Played with two pages where it is shown.
    ("src/test_util/mod.rs", "OriginPolicyforNamed{"),
    // Wrong on purpose, and found out where they are shown.
    ("src/test_util/mod.rs", "OriginPolicyforTrusting{"),
    (
        "src/guide/policies.md",
        "policy_fn(|request|{request.origin().judge_by(|origin|origin",
    ),
    (
        "src/test_util/conformance/mod.rs",
        "policy_fn(|request|{request.origin().judge_by(|origin|origin",
    ),
];

#[test]
#[cfg_attr(
    not(all(feature = "axum", feature = "trusted")),
    ignore = "some of the policies that are shown need the features axum and trusted"
)]
fn every_policy_that_is_shown_is_played() {
    let played = played::all();
    let mut found = 0;
    for file in files() {
        let code = code_of(&file);
        for beginning in BEGINNINGS {
            for (at, _) in code.match_indices(beginning) {
                let shown: String = code[at..].chars().take(60).collect();
                let is_played = played.iter().any(|one| {
                    let Shown { file: own, code } = &one.shown;
                    *own == file && code.contains(shown.get(..40).unwrap_or(&shown))
                });
                let is_elsewhere = ELSEWHERE
                    .iter()
                    .any(|(own, code)| file.starts_with(own) && shown.starts_with(code));
                assert!(
                    is_played || is_elsewhere,
                    "{file} shows a policy that nobody plays: add it to played.rs: {shown}"
                );
                found += 1;
            }
        }
    }
    // A search that finds less than there is would pass otherwise.
    assert_eq!(found, 36, "policies are shown: change the number with them");
}

/// `rustdoc` compiles all examples as one, which takes seconds. One that reads a file beside its
/// source does not compile there, and then each is compiled alone, which takes minutes.
#[test]
fn no_documentation_reads_a_file() {
    for file in files().iter().filter(|file| !file.starts_with("examples/")) {
        let code = code_of(file);
        for reader in ["include_bytes!", "include_str!", "include!"] {
            assert!(!code.contains(reader), "{file} has {reader}: write it out");
        }
    }
}

#[tokio::test]
async fn every_list_that_is_shown_lets_in_what_it_names_and_nothing_else() {
    let mut played = 0;
    for file in files() {
        let code = code_of(&file);
        for setting in [
            "allow_origins([",
            "OriginSet::parse([",
            "\"allow_origins\":[",
        ] {
            for (at, _) in code.match_indices(setting) {
                let list = &code[at + setting.len()..];
                let names = entries(list.split(']').next().unwrap());
                let builder = CorsLayer::builder().allow_origins(names.clone());
                // Lists with mistakes are shown as such.
                if let Ok(layer) = builder.build() {
                    let names: Vec<&'static str> =
                        names.into_iter().map(|name| &*name.leak()).collect();
                    let shown = Shown {
                        file: String::leak(file.clone()),
                        code: list.chars().take(60).collect(),
                    };
                    Documented::of(shown, layer, names.leak()).play().await;
                    played += 1;
                }
            }
        }
    }
    assert_eq!(played, 93, "lists are shown: change the number with them");
}

/// The texts in quotes.
fn entries(list: &str) -> Vec<String> {
    let texts = list.split('"').skip(1).step_by(2);
    texts.map(str::to_owned).collect()
}
