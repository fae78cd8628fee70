use super::{
    origins::resembling,
    question::{Question, Said},
    subject::{Sample, Subject, origin},
    violation::{Found, Obligation},
};
use crate::{origin::RequestOrigin, policy::Reach};

/// Origins that resemble an allowed one are not allowed, neither themselves nor their preflights.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    for sample in &subject.samples {
        let own = sample.question.origin.clone().into_header_value();
        let own = String::from_utf8_lossy(own.as_bytes()).into_owned();
        for text in resembling(&own) {
            // What is no origin never reaches a policy.
            let Ok(stranger) = origin(&text) else {
                continue;
            };
            if !subject.is_meant(sample, &stranger) {
                check_stranger(subject, sample, stranger, found).await;
            }
        }
    }
}

async fn check_stranger(
    subject: &Subject,
    sample: &Sample,
    stranger: RequestOrigin,
    found: &mut Found,
) {
    let question = sample.question.from(stranger);
    let is_denied = check_question(subject, &question, found).await;
    // Without the facts, as any page can send it.
    let mut bare = question.clone();
    sample
        .facts
        .iter()
        .for_each(|(name, _)| drop(bare.headers.remove(name)));
    check_question(subject, &bare, found).await;
    let properties = &subject.properties;
    let is_broad = properties.has_broad_preflight() || properties.reach() >= Reach::Echoed;
    let preflight = question.preflight();
    let said = preflight.ask(&*subject.policy).await;
    if said.is_allowed() && is_denied && !is_broad {
        let text =
            format!("{preflight}: {said}, though it denies the request: say broad_preflight()");
        found.add(Obligation::Preflights, text);
    }
}

/// Returns whether the request is denied.
async fn check_question(subject: &Subject, question: &Question, found: &mut Found) -> bool {
    let said = question.ask(&*subject.policy).await;
    let is_readable = matches!(
        said,
        Said::Denies {
            is_readable: true,
            ..
        }
    );
    if said.is_allowed() || is_readable {
        found.add(Obligation::WholeOrigins, format!("{question}: {said}"));
    }
    !said.is_allowed()
}
