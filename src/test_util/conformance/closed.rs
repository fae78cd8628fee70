use http::{Extensions, HeaderName, HeaderValue, Uri};

use super::{
    question::Question,
    subject::{Sample, Subject},
    violation::{Found, Obligation},
};

/// Without a fact, or with a wrong one, nothing is allowed.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    for sample in &subject.samples {
        for (what, question) in without_facts(sample) {
            let said = question.ask(&*subject.policy).await;
            if said.is_allowed() && !is_a_sample(subject, &question) {
                let text = format!("{question}: {what}, and {said}");
                found.add(Obligation::FailsClosed, text);
            }
        }
    }
}

/// A request can be allowed by one fact and also by another.
fn is_a_sample(subject: &Subject, question: &Question) -> bool {
    subject.samples.iter().any(|sample| {
        let other = &sample.question;
        other.headers == question.headers
            && other.extensions.is_empty() == question.extensions.is_empty()
            && other.uri == question.uri
            && (sample.from_any_origin || other.origin == question.origin)
    })
}

/// The request with one fact less, or one that is wrong.
fn without_facts(sample: &Sample) -> Vec<(String, Question)> {
    let mut all = Vec::new();
    let question = &sample.question;
    for (name, any_value) in &sample.facts {
        let Some(value) = question.headers.get(name) else {
            continue;
        };
        let mut removed = question.clone();
        removed.headers.remove(name);
        all.push((format!("without {name}"), removed));
        let other = HeaderValue::from_static("something-else");
        for (first, second) in [(value, &other), (&other, value)] {
            let mut twice = with_value(question, name, first.clone());
            twice.headers.append(name, second.clone());
            all.push((format!("with {name} on two lines"), twice));
        }
        if !any_value {
            for value in wrong_values(value) {
                let what = format!("with a wrong {name}");
                all.push((what, with_value(question, name, value)));
            }
        }
    }
    if sample.url_is_fact {
        for path in ["/", "/something-else"] {
            let mut elsewhere = question.clone();
            elsewhere.uri = Uri::from_static(path);
            all.push((format!("with the path {path}"), elsewhere));
        }
    }
    if sample.extensions_are_fact {
        let mut bare = question.clone();
        bare.extensions = Extensions::new();
        all.push(("without extensions".to_owned(), bare));
    }
    all
}

fn with_value(question: &Question, name: &HeaderName, value: HeaderValue) -> Question {
    let mut question = question.clone();
    question.headers.insert(name, value);
    question
}

/// Nothing, a part, other words, and the same with one letter changed.
fn wrong_values(value: &HeaderValue) -> Vec<HeaderValue> {
    let bytes = value.as_bytes();
    let half = bytes.len() / 2;
    let mut changed = bytes.to_vec();
    if let Some(byte) = changed.get_mut(half) {
        *byte = if *byte == b'x' { b'y' } else { b'x' };
    }
    let texts = [
        b"".to_vec(),
        bytes[..half].to_vec(),
        b"something-else".to_vec(),
        changed,
    ];
    let values = texts.into_iter().filter(|text| text != bytes);
    values
        .filter_map(|text| HeaderValue::from_bytes(&text).ok())
        .collect()
}
