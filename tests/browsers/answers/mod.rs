//! Scripted answers, in the `*.toml` of this folder: each is served by a real server, and a page makes
//! its requests once in an engine and once in the simulated [`Browser`](tower_cors::test_util::Browser)
//! of the test kit.
//!
//! What the page sees has to be the same, and so have the requests that arrive at the server. Each engine
//! is compared with its own simulation: where engines differ is in the documentation of
//! [`Engine`](tower_cors::test_util::Engine), and in the guide.

mod arrivals;
mod case;
mod compare;
mod real;
mod server;
mod simulated;

use crate::engine::{Engine, in_each_engine};

in_each_engine! {
    the_simulated_browser_agrees,
}

async fn the_simulated_browser_agrees(engine: Engine) {
    compare::run(engine).await;
}

/// What the tables expect is written by hand, so the simulated browser does not agree with real ones
/// by accident.
#[tokio::test]
async fn the_simulated_browser_does_as_the_standard_says() {
    let cases = case::all();
    let server = server::Server::start(&cases).await;
    let engine = tower_cors::test_util::Engine::Standard;
    let mut wrong = Vec::new();
    for (case, seen) in cases
        .iter()
        .zip(simulated::play(&server, &cases, engine).await)
    {
        let ends = seen.ends.join(", ");
        if ends != case.expect {
            wrong.push(format!(
                "{}: expected {}, but {ends}",
                case.name, case.expect
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_over_120_cases_and_each_has_its_own_name() {
    let names: Vec<String> = case::all().into_iter().map(|case| case.name).collect();
    let different: std::collections::HashSet<&String> = names.iter().collect();
    assert!(names.len() > 120, "{}", names.len());
    assert_eq!(different.len(), names.len());
}
