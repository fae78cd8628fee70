//! A table of scenarios, in the `*.toml` of this folder: the result in a page's script, and the
//! requests that reach the server.
//!
//! Each scenario has a service, which is this crate's layer around [`handlers`] on a port of its own
//! ([`services`]), and a script, which a page of another origin runs (`stage/stage.js`). The
//! result of the script is compared, and so are the requests that arrived meanwhile ([`arrivals`]).
//! Where an engine differs, the scenario has the difference, with a sentence that is in the guide.

mod arrivals;
mod consoles;
mod handlers;
mod report;
mod run;
mod scenario;
mod services;
mod stage;

use crate::engine::{Engine, in_each_engine};

in_each_engine! {
    every_scenario_is_as_expected,
    the_console_tells_causes_apart,
}

async fn every_scenario_is_as_expected(engine: Engine) {
    run::run(engine).await;
}

async fn the_console_tells_causes_apart(engine: Engine) {
    consoles::run(engine).await;
}

/// Users read the guide, so a difference that is only in the table would be lost.
#[test]
fn the_guide_has_every_difference() {
    let guide = include_str!("../../../src/guide/browsers.md");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let guide = words(guide);
    for scenario in scenario::all() {
        for difference in scenario.differences() {
            let fact = words(&difference.fact);
            assert!(guide.contains(&fact), "{}: {fact}", scenario.name);
        }
    }
    for message in consoles::all() {
        for text in [&message.chromium, &message.firefox, &message.webkit] {
            let text = words(text.as_deref().unwrap_or_default());
            assert!(guide.contains(&text), "{}: {text}", message.cause);
        }
        assert!(guide.contains(&message.cause), "{}", message.cause);
    }
}

#[test]
fn no_scenario_is_lost_and_each_has_its_own_name() {
    let names: Vec<String> = scenario::all().into_iter().map(|s| s.name).collect();
    let different: std::collections::HashSet<&String> = names.iter().collect();
    // A file that is no longer read would not be missed otherwise.
    assert_eq!(names.len(), 205);
    assert_eq!(consoles::all().len(), 15);
    assert_eq!(different.len(), names.len());
}
