//! The exchanges as arrows between the browser and the server.

use super::{
    style::{Style, Tone},
    wrap::WIDTH,
};
use crate::{
    exchange::{Kind, Step, text},
    secrets::Redactor,
};

/// One step: the request, the headers that matter, and what came back.
pub(super) fn exchange(step: &Step, redactor: &Redactor, style: Style) -> String {
    let mut drawn = String::new();
    let label = match step.why {
        Some(why) => format!("probe: {why}"),
        None => step.kind.as_str().to_owned(),
    };
    drawn.push_str(&format!(
        "  {} {}\n",
        step.n,
        style.paint(Tone::Dim, &label)
    ));
    let line = format!(
        "{} {}",
        redactor.text(&step.sent.method),
        redactor.url(&step.sent.url)
    );
    drawn.push_str(&cut(&format!("    ──▶ {line}")));
    for (name, value) in &step.sent.headers {
        if matters_in_request(name.as_str(), step.kind) {
            let value = redactor.header(name, &text(value));
            drawn.push_str(&cut(&format!("        {name}: {value}")));
        }
    }
    match &step.result {
        Ok(answer) => {
            let status = http::StatusCode::from_u16(answer.status).ok();
            let reason = status
                .and_then(|s| s.canonical_reason())
                .unwrap_or_default();
            let tone = if answer.status < 400 {
                Tone::Good
            } else {
                Tone::Bad
            };
            let line = format!("{} {reason}", answer.status);
            drawn.push_str(&format!(
                "    ◀── {} ({} ms)\n",
                style.paint(tone, line.trim()),
                step.ms
            ));
            for (name, value) in &answer.headers {
                if matters_in_response(name.as_str()) {
                    let value = redactor.header(name, &text(value));
                    drawn.push_str(&cut(&format!("        {name}: {value}")));
                }
            }
        }
        Err(error) => {
            let line = redactor.text(&error.to_string());
            drawn.push_str(&format!(
                "    ──✖ {}\n",
                style.paint(Tone::Bad, cut(&line).trim_end())
            ));
        }
    }
    drawn
}

fn matters_in_request(name: &str, kind: Kind) -> bool {
    let is_ours = !matches!(name, "accept" | "user-agent") && !name.starts_with("sec-");
    name == "origin" || name.starts_with("access-control-") || kind != Kind::Probe && is_ours
}

fn matters_in_response(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "allow",
        "content-type",
        "location",
        "set-cookie",
        "server",
        "upgrade",
        "vary",
        "via",
        "www-authenticate",
        "x-cache",
    ];
    name.starts_with("access-control-") || NAMES.contains(&name)
}

/// At most one line of the terminal.
fn cut(line: &str) -> String {
    let mut shown: String = line.chars().take(WIDTH).collect();
    if line.chars().nth(WIDTH).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown.push('\n');
    shown
}
