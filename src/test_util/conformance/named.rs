use http::{
    HeaderName, HeaderValue,
    header::{HOST, ORIGIN},
};

use super::{
    question::Question,
    subject::{Sample, Subject},
    violation::{Found, Obligation},
};

/// A header that is not named in the properties changes no verdict. `Host` is part of the URL, so a
/// cache knows it without `Vary`.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    let names = subject.properties.varies_on();
    let is_named = |name: &HeaderName| names.contains(name) || *name == HOST;
    for sample in &subject.samples {
        let stranger = sample.question.from(subject.stranger());
        let asked = [
            sample.question.clone(),
            stranger.clone(),
            sample.question.preflight(),
            stranger.preflight(),
        ];
        for question in asked {
            let said = question.ask(&*subject.policy).await;
            for (name, value) in others(subject, sample) {
                if is_named(&name) {
                    continue;
                }
                let other = with(&question, &name, value);
                let then = other.ask(&*subject.policy).await;
                if said != then {
                    let text = format!("{question}: {said}; {other}: {then}: name {name} in reads");
                    found.add(Obligation::NamesWhatItReads, text);
                }
            }
        }
        if !names.contains(&ORIGIN) {
            check_origin(subject, sample, found).await;
        }
    }
}

/// A policy that says the same to every origin has no `Vary: Origin`.
async fn check_origin(subject: &Subject, sample: &Sample, found: &mut Found) {
    let question = &sample.question;
    let stranger = question.from(subject.stranger());
    let said = question.ask(&*subject.policy).await;
    let then = stranger.ask(&*subject.policy).await;
    if said != then {
        let text = format!("{question}: {said}; {stranger}: {then}: origin is not among its reads");
        found.add(Obligation::NamesWhatItReads, text);
    }
}

/// Headers that policies are tempted to read, with values that could make a difference: `None` leaves
/// the header out.
fn others(subject: &Subject, sample: &Sample) -> Vec<(HeaderName, Option<HeaderValue>)> {
    let own = sample.question.origin.clone().into_header_value();
    let mut values = vec![
        HeaderValue::from_static("something-else"),
        HeaderValue::from_static("same-origin"),
        HeaderValue::from_static("cross-site"),
        HeaderValue::from_static("127.0.0.1"),
        HeaderValue::from_static("Bearer something-else"),
        own.clone(),
    ];
    if let Some(tuple) = sample.question.origin.tuple()
        && let Ok(host) = HeaderValue::from_str(tuple.host())
    {
        values.push(host);
    }
    let names = [
        "accept-language",
        "authorization",
        "cookie",
        "forwarded",
        "referer",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "user-agent",
        "x-api-key",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-requested-with",
        "x-tenant",
    ];
    let mut others = Vec::new();
    for name in names.map(HeaderName::from_static) {
        let with_values = values.iter().cloned().map(Some);
        others.extend(with_values.map(|value| (name.clone(), value)));
    }
    // What the other requests have, and what this one has.
    for other in &subject.samples {
        let headers = other.question.headers.iter();
        others.extend(headers.map(|(name, value)| (name.clone(), Some(value.clone()))));
    }
    let facts = sample.facts.iter();
    others.extend(facts.map(|(name, _)| (name.clone(), None)));
    others
}

fn with(question: &Question, name: &HeaderName, value: Option<HeaderValue>) -> Question {
    let mut question = question.clone();
    match value {
        Some(value) => drop(question.headers.insert(name, value)),
        None => drop(question.headers.remove(name)),
    }
    question
}
