use super::{
    diagnosis::{Diagnosis, Outcome},
    diagram::exchange,
    style::{Style, Tone},
    wrap::wrap,
};
use crate::{exchange::Kind, secrets::Redactor};

/// The same for people, the verdict first. Probes are drawn where they are evidence.
pub(crate) fn human(diagnosis: &Diagnosis, redactor: &Redactor, style: Style) -> String {
    let clean = |text: &str| redactor.lines(text);
    let mut page = verdict(diagnosis, style);
    page.push_str(&wrap(&clean(&diagnosis.summary), "  "));

    let shown = shown_steps(diagnosis);
    if !shown.is_empty() {
        page.push_str(&heading("The exchange", style));
        for &step in &shown {
            page.push_str(&exchange(&diagnosis.steps[step], redactor, style));
        }
        let left_out = diagnosis.steps.len() - shown.len();
        if left_out > 0 {
            let more = format!("and {left_out} more probes, which --json shows");
            page.push_str(&format!("  {}\n", style.paint(Tone::Dim, &more)));
        }
    }
    if let Some(console) = &diagnosis.console {
        page.push_str(&heading("The console says", style));
        page.push_str(&wrap(&clean(console), "  "));
    }
    if let Some(finding) = &diagnosis.finding {
        page.push_str(&heading(&format!("Cause: {}", finding.cause.code()), style));
        for evidence in &finding.evidence {
            let step = evidence
                .step
                .map(|step| format!("[{}] ", diagnosis.steps[step].n));
            let line = format!("{}{}", step.unwrap_or_default(), clean(&evidence.text));
            page.push_str(&wrap(&line, "  "));
        }
        if !diagnosis.also.is_empty() {
            page.push_str(&wrap(
                &format!("Next would come: {}", diagnosis.also.join(", ")),
                "  ",
            ));
        }
    }
    if let Some(fix) = &diagnosis.fix {
        page.push_str(&heading("Fix", style));
        page.push_str(&wrap(&clean(&fix.text), "  "));
        for code in &fix.code {
            page.push_str(&format!("\n  {}\n", style.paint(Tone::Dim, code.target)));
            for line in clean(&code.code).lines() {
                page.push_str(format!("      {line}").trim_end());
                page.push('\n');
            }
        }
    }
    warnings(diagnosis, redactor, style, &mut page);
    page
}

fn verdict(diagnosis: &Diagnosis, style: Style) -> String {
    let works = matches!(diagnosis.outcome, Outcome::Readable | Outcome::NotTried);
    let (mark, tone) = if works && diagnosis.finding.is_none() {
        ("✔", Tone::Good)
    } else if works {
        ("!", Tone::Caution)
    } else {
        ("✖", Tone::Bad)
    };
    let status = diagnosis
        .status
        .map(|status| format!(" {status}"))
        .unwrap_or_default();
    let cause = diagnosis
        .cause()
        .map(|code| format!(": {code}"))
        .unwrap_or_default();
    let line = format!("{mark} {}{status}{cause}", diagnosis.outcome.as_str());
    format!("{}\n", style.paint(tone, &line))
}

fn heading(text: &str, style: Style) -> String {
    format!("\n{}\n", style.paint(Tone::Strong, text))
}

/// What the browser did, and the probes that prove something.
fn shown_steps(diagnosis: &Diagnosis) -> Vec<usize> {
    let evidence = diagnosis
        .finding
        .iter()
        .flat_map(|finding| &finding.evidence);
    let proofs: Vec<usize> = evidence.filter_map(|e| e.step).collect();
    let warned: Vec<usize> = diagnosis
        .warnings
        .iter()
        .flat_map(|w| w.steps.first().copied())
        .collect();
    (0..diagnosis.steps.len())
        .filter(|i| {
            let is_probe = diagnosis.steps[*i].kind == Kind::Probe;
            !is_probe || proofs.contains(i) || warned.contains(i)
        })
        .collect()
}

fn warnings(diagnosis: &Diagnosis, redactor: &Redactor, style: Style, page: &mut String) {
    if diagnosis.warnings.is_empty() {
        return;
    }
    page.push_str(&heading("Warnings", style));
    for warning in &diagnosis.warnings {
        page.push_str(&format!("  {}", style.paint(Tone::Caution, warning.code)));
        let numbers: Vec<String> = warning
            .steps
            .iter()
            .map(|step| diagnosis.steps[*step].n.to_string())
            .collect();
        if !numbers.is_empty() {
            page.push_str(&format!(" [{}]", numbers.join(", ")));
        }
        page.push('\n');
        page.push_str(&wrap(
            &redactor.lines(&format!("{}.", warning.text)),
            "      ",
        ));
        page.push_str(&wrap(
            &redactor.lines(&format!("Fix: {}.", warning.fix)),
            "      ",
        ));
    }
}
