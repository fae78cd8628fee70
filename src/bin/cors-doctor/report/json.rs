use serde_json::{Value, json};

use super::diagnosis::Diagnosis;
use crate::{
    exchange::{Step, text},
    secrets::Redactor,
};

/// Of a body, in bytes.
const MAX_BODY: usize = 200;

/// One object, for programs.
pub(crate) fn json(diagnosis: &Diagnosis, redactor: &Redactor) -> Value {
    let clean = |text: &str| redactor.lines(text);
    let number = |step: &usize| diagnosis.steps[*step].n;
    let evidence: Vec<Value> = diagnosis
        .finding
        .iter()
        .flat_map(|finding| &finding.evidence)
        .map(|e| json!({ "step": e.step.as_ref().map(number), "text": clean(&e.text) }))
        .collect();
    let fix = diagnosis.fix.as_ref().map(|fix| {
        let code: Vec<Value> = fix
            .code
            .iter()
            .map(|code| json!({ "for": code.target, "code": clean(&code.code) }))
            .collect();
        json!({ "text": clean(&fix.text), "code": code })
    });
    let warnings: Vec<Value> = diagnosis
        .warnings
        .iter()
        .map(|warning| {
            json!({
                "code": warning.code,
                "text": clean(&warning.text),
                "fix": clean(&warning.fix),
                "steps": warning.steps.iter().map(number).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "doctor": 1,
        "url": redactor.url(&diagnosis.url),
        "page": diagnosis.origin,
        "verdict": diagnosis.outcome.as_str(),
        "status": diagnosis.status,
        "cause": diagnosis.cause(),
        "also": diagnosis.also,
        "summary": clean(&diagnosis.summary),
        "console": diagnosis.console.as_deref().map(clean),
        "evidence": evidence,
        "fix": fix,
        "warnings": warnings,
        "steps": diagnosis.steps.iter().map(|s| step(s, redactor)).collect::<Vec<_>>(),
    })
}

fn step(step: &Step, redactor: &Redactor) -> Value {
    let headers = |pairs: Vec<(&http::HeaderName, &http::HeaderValue)>| -> Vec<Value> {
        pairs
            .into_iter()
            .map(|(name, value)| json!([name.as_str(), redactor.header(name, &text(value))]))
            .collect()
    };
    let response = step.answer().map(|answer| {
        json!({
            "status": answer.status,
            "headers": headers(answer.headers.iter().collect()),
            "body": redactor.body(&answer.body, answer.body_ended, MAX_BODY),
        })
    });
    json!({
        "n": step.n,
        "kind": step.kind.as_str(),
        "why": step.why,
        "request": {
            "method": redactor.text(&step.sent.method),
            "url": redactor.url(&step.sent.url),
            "headers": headers(step.sent.headers.iter().map(|(n, v)| (n, v)).collect()),
        },
        "response": response,
        "error": step.result.as_ref().err().map(|error| redactor.text(&error.to_string())),
        "ms": u64::try_from(step.ms).unwrap_or(u64::MAX),
    })
}
