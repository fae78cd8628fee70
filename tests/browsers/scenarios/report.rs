use std::{collections::BTreeMap, fs, path::Path, sync::Mutex};

use serde::{Deserialize, Serialize};

use super::scenario::{Outcome, Scenario};
use crate::engine::Engine;

/// The outcomes in one engine, kept in a file until the others have run.
#[derive(Deserialize, Serialize)]
struct Column {
    version: String,
    /// By the name of the scenario.
    cells: BTreeMap<String, String>,
}

/// Writes `target/browsers.md`, with the columns of the engines that have run so far.
pub(super) fn write(engine: Engine, version: &str, scenarios: &[Scenario], outcomes: &[Outcome]) {
    // Two engines may end at the same time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let kept = folder.join("browsers");
    fs::create_dir_all(&kept).expect("target can be written");
    let file = |engine: Engine| kept.join(format!("{engine}.json"));
    let column = Column {
        version: version.to_owned(),
        cells: scenarios
            .iter()
            .zip(outcomes)
            .map(|(scenario, outcome)| (scenario.name.clone(), cell(engine, scenario, outcome)))
            .collect(),
    };
    let text = serde_json::to_string(&column).expect("a column is JSON");
    fs::write(file(engine), text).expect("target can be written");

    let columns: Vec<(Engine, Column)> = Engine::ALL
        .into_iter()
        .filter_map(|engine| Some((engine, fs::read_to_string(file(engine)).ok()?)))
        .filter_map(|(engine, text)| Some((engine, serde_json::from_str(&text).ok()?)))
        .collect();
    let table = table(scenarios, &columns);
    fs::write(folder.join("browsers.md"), table).expect("target can be written");
}

/// `=` where the engine follows the standard, and otherwise the outcome.
fn cell(engine: Engine, scenario: &Scenario, outcome: &Outcome) -> String {
    let standard = scenario.by_the_standard();
    let text = if *outcome == standard {
        "=".to_owned()
    } else {
        describe(outcome)
    };
    if *outcome == scenario.expected(engine) {
        text
    } else {
        format!("**not as expected**: {text}")
    }
}

fn describe(outcome: &Outcome) -> String {
    let arrives = if outcome.arrives.is_empty() {
        "nothing".to_owned()
    } else {
        outcome.arrives.join("<br>")
    };
    format!("{} ← {arrives}", outcome.sees).replace('|', "\\|")
}

fn table(scenarios: &[Scenario], columns: &[(Engine, Column)]) -> String {
    let mut text =
        "The result in a page's script ← the requests at the server. `=`: as the standard has it.\n\n\
                    | scenario | layer | by the standard |"
            .to_owned();
    for (engine, column) in columns {
        text += &format!(" {engine} {} |", column.version);
    }
    text += &format!("\n|{}\n", "---|".repeat(3 + columns.len()));
    for scenario in scenarios {
        let standard = describe(&scenario.by_the_standard());
        text += &format!("| {} | {} | {standard} |", scenario.name, scenario.service);
        for (_, column) in columns {
            let cell = column
                .cells
                .get(&scenario.name)
                .map_or("not run", String::as_str);
            text += &format!(" {cell} |");
        }
        text.push('\n');
    }
    text
}
