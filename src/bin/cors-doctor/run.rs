//! Runs a command: every URL, once or again and again.

use std::io::{self, Write};

use crate::{
    args::Command,
    examine::examine,
    report::{Diagnosis, Style, human, json},
};

/// Examines all URLs and prints what came out; the worst exit code.
pub(crate) async fn run(command: &Command) -> u8 {
    let Some(pause) = command.watch else {
        return round(command, &mut Vec::new()).await;
    };
    let mut seen = Vec::new();
    loop {
        let code = round(command, &mut seen).await;
        if code == 0 {
            return code;
        }
        tokio::time::sleep(pause).await;
    }
}

/// What was said about a URL the last time.
type Said = (String, Option<&'static str>, Vec<&'static str>);

/// Once through all URLs. What was said before is not said again.
async fn round(command: &Command, seen: &mut Vec<Said>) -> u8 {
    let mut worst = 0;
    let mut page = None;
    for (i, planned) in command.planned.iter().enumerate() {
        let (case, diagnosis) = match examine(command, planned, &mut page).await {
            Ok(examined) => examined,
            Err(mistake) => {
                complain(&mistake);
                worst = worse(worst, 3);
                continue;
            }
        };
        worst = worse(worst, diagnosis.exit_code(command.strict));
        let said = said(&diagnosis);
        let before = seen.get(i).cloned();
        if before.as_ref() == Some(&said) {
            continue;
        }
        let redactor = diagnosis.redactor(&case, command.show_secrets);
        let text = if command.json {
            format!("{}\n", json(&diagnosis, &redactor))
        } else {
            let change = before.map(|before| format!("\n{}\n\n", change(&before, &said)));
            let url = redactor.url(&diagnosis.url);
            let subject = if command.planned.len() > 1 {
                format!("{url}\n")
            } else {
                String::new()
            };
            let text = human(&diagnosis, &redactor, Style::of_stdout());
            let between = if i + 1 < command.planned.len() {
                "\n"
            } else {
                ""
            };
            format!("{}{subject}{text}{between}", change.unwrap_or_default())
        };
        // Nobody reads any more, as behind `head`: no reason to stop watching the exit code.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        let _ = io::stdout().flush();
        if i < seen.len() {
            seen[i] = said
        } else {
            seen.push(said)
        }
    }
    worst
}

fn said(diagnosis: &Diagnosis) -> Said {
    let status = diagnosis
        .status
        .map(|status| format!(" {status}"))
        .unwrap_or_default();
    let verdict = format!("{}{status}", diagnosis.outcome.as_str());
    let warnings = diagnosis
        .warnings
        .iter()
        .map(|warning| warning.code)
        .collect();
    (verdict, diagnosis.cause(), warnings)
}

fn change(before: &Said, now: &Said) -> String {
    let words = |said: &Said| match said.1 {
        Some(cause) => format!("{}: {cause}", said.0),
        None => said.0.clone(),
    };
    format!("Changed: {} → {}", words(before), words(now))
}

/// 1 is the worst, then 3, then 4.
fn worse(a: u8, b: u8) -> u8 {
    let rank = |code: u8| match code {
        1 => 3,
        3 => 2,
        4 => 1,
        _ => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

pub(crate) fn complain(mistake: &str) {
    let _ = writeln!(io::stderr(), "cors-doctor: {mistake}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_code_counts() {
        for (codes, expected) in [
            (&[0, 4, 3, 1][..], 1),
            (&[3, 4, 0], 3),
            (&[0, 4], 4),
            (&[0, 0], 0),
        ] {
            assert_eq!(codes.iter().copied().fold(0, worse), expected, "{codes:?}");
        }
    }
}
