use super::{
    subject::Subject,
    violation::{Found, Obligation},
};

/// The preflight of an allowed request passes.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    if !subject.judges_preflights() {
        return;
    }
    for sample in &subject.samples {
        let preflight = sample.question.preflight();
        let said = preflight.ask(&*subject.policy).await;
        if !said.is_allowed() {
            let text = format!(
                "{preflight}: {said}, so no page can send the request; a preflight has neither \
                 credentials nor the page's headers: name a policy for preflights with \
                 with_preflight()"
            );
            found.add(Obligation::Preflights, text);
        }
    }
}
