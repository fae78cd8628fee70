use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{
    report,
    scenario::{self, Outcome, PageKind, Scenario},
    stage::{self, Stage},
};
use crate::{
    browser::{PATIENCE, Window, in_browser},
    engine::Engine,
};

/// Runs every scenario in the engine, writes the report, and fails if one was not as expected.
pub(super) async fn run(engine: Engine) {
    let stage = Stage::build().await;
    in_browser(engine, async move |window| {
        let scenarios = only(scenario::all());
        let outcomes = outcomes(&stage, &window, &scenarios).await;
        report::write(engine, &version(&window).await, &scenarios, &outcomes);
        let wrong: Vec<String> = scenarios
            .iter()
            .zip(&outcomes)
            .filter(|(scenario, outcome)| scenario.expected(engine) != **outcome)
            .map(|(s, outcome)| {
                let expected = s.expected(engine);
                format!(
                    "{}\n  expected {expected:?}\n  but got  {outcome:?}",
                    s.name
                )
            })
            .collect();
        let all = scenarios.len();
        assert!(
            wrong.is_empty(),
            "{} of {all} in {engine}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    })
    .await;
}

/// Those whose name has `$SCENARIO` in it.
fn only(mut scenarios: Vec<Scenario>) -> Vec<Scenario> {
    if let Ok(part) = std::env::var("SCENARIO") {
        scenarios.retain(|scenario| scenario.name.contains(&part));
        assert!(
            !scenarios.is_empty(),
            "no scenario has {part:?} in its name"
        );
    }
    scenarios
}

/// In the order of the scenarios.
async fn outcomes(stage: &Stage, window: &Window, scenarios: &[Scenario]) -> Vec<Outcome> {
    let mut seen = vec![String::new(); scenarios.len()];
    let folder = TempDir::new().expect("there is room for a page");
    for (kind, indices) in batches(scenarios) {
        window.open(&address(stage, kind, &folder)).await;
        let batch: Vec<Value> = indices
            .iter()
            .map(|index| {
                let Scenario {
                    service, script, ..
                } = &scenarios[*index];
                about(stage, *index, service, script)
            })
            .collect();
        let results = results(window, &batch).await;
        for (index, result) in indices.into_iter().zip(results) {
            seen[index] = result;
            if kind == PageKind::Left {
                let expected = scenarios[index].by_the_standard().arrives.len();
                arrival(stage, index, expected).await;
            }
        }
    }
    let of = |(index, sees): (usize, String)| {
        let shows = &scenarios[index].shows;
        let arrives = stage
            .arrivals
            .describe(&index.to_string(), shows, &stage.page);
        Outcome { sees, arrives }
    };
    seen.into_iter().enumerate().map(of).collect()
}

/// Scenarios that one page runs, one after the other.
fn batches(scenarios: &[Scenario]) -> Vec<(PageKind, Vec<usize>)> {
    let of = |kind| {
        let indices = 0..scenarios.len();
        indices.filter(move |index| scenarios[*index].page == kind)
    };
    let kinds = [PageKind::Site, PageKind::File, PageKind::Public];
    let batches = kinds.into_iter().map(|kind| (kind, of(kind).collect()));
    let alone = of(PageKind::Left).map(|index| (PageKind::Left, vec![index]));
    let batches = batches.chain(alone);
    batches.filter(|(_, batch)| !batch.is_empty()).collect()
}

/// Waits until so many requests have arrived, and not for ever.
async fn arrival(stage: &Stage, index: usize, count: usize) {
    let start = Instant::now();
    while stage.arrivals.count(&index.to_string()) < count && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50)).await;
    }
}

/// The results of scripts in the page that is open.
pub(super) async fn results(window: &Window, batch: &[Value]) -> Vec<String> {
    let body = "
        return new Promise((done) => {
            addEventListener('message', ({ data }) => { if (data.results) done(data.results); });
            postMessage({ batch: args[0] }, '*');
        });";
    let batch = json!(batch).to_string();
    let results = window.run(body, vec![json!(batch)]).await;
    serde_json::from_value(results.clone())
        .unwrap_or_else(|_| panic!("the page does not run the scripts: {results}"))
}

/// A script, with the addresses that `stage.js` needs for it.
pub(super) fn about(stage: &Stage, index: usize, service: &str, script: &str) -> Value {
    assert!(
        stage.services.contains_key(service),
        "there is no service {service:?}"
    );
    json!({
        "about": {
            "id": index.to_string(),
            "page": stage.page,
            "service": service,
            "services": stage.services,
        },
        "script": script,
    })
}

pub(super) fn address(stage: &Stage, kind: PageKind, folder: &TempDir) -> String {
    match kind {
        PageKind::Site | PageKind::Left => stage.page.clone(),
        PageKind::Public => format!("{}/public", stage.page),
        PageKind::File => {
            let file = folder.path().join("stage.html");
            fs::write(&file, stage::html(&stage.page)).expect("there is room for a page");
            format!("file://{}", file.display())
        }
    }
}

async fn version(window: &Window) -> String {
    let capabilities = window.client.capabilities().cloned().unwrap_or_default();
    let version = capabilities.get("browserVersion").and_then(Value::as_str);
    version.unwrap_or("unknown").to_owned()
}
