use super::{
    question::{Question, Said, Terms},
    subject::Subject,
    violation::{Found, Obligation},
};
use crate::policy::Reach;

/// The samples are allowed, and on terms that the properties state.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    for sample in &subject.samples {
        let said = sample.question.ask(&*subject.policy).await;
        if !said.is_allowed() {
            let text = format!("{} should be allowed, but {said}", sample.question);
            found.add(Obligation::Expectations, text);
        }
        let preflight = sample.question.preflight();
        let of_preflight = preflight.ask(&*subject.policy).await;
        for (question, said) in [(&sample.question, said), (&preflight, of_preflight)] {
            if let Said::Allows(terms) = said {
                check_terms(subject, question, &terms, found);
            }
        }
        if sample.from_any_origin
            && subject.properties.reach() < Reach::Echoed
            && !subject.properties.has_broad_preflight()
        {
            let text = format!("{} is allowed: say repeats_any_origin()", sample.question);
            found.add(Obligation::GrantsAsStated, text);
        }
    }
}

fn check_terms(subject: &Subject, question: &Question, terms: &Terms, found: &mut Found) {
    let properties = &subject.properties;
    if terms.to_anybody && properties.reach() < Reach::Star {
        let text = format!("{question} is answered `*`: say grants_any_origin()");
        found.add(Obligation::GrantsAsStated, text);
    }
    if terms.credentials == Some(true) && !properties.has_own_credentials() {
        let text = format!("{question} allows credentials: say grants_credentials()");
        found.add(Obligation::GrantsAsStated, text);
    }
}
