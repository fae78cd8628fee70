//! An answer without Access-Control-Allow-Origin.

use super::{by_status, code::Cause, finding::Finding, misspelt::instead_of, questions::Questions};
use crate::exchange::Answer;

pub(super) async fn find(questions: &mut Questions<'_, '_>) -> Finding {
    let step = questions.step;
    let answer = questions.answer();
    let right = "Access-Control-Allow-Origin";
    if let Some(wrong) = instead_of(answer, right) {
        let text = format!("the answer has {wrong}, which no browser knows, and no {right}");
        return Finding::new(Cause::HeaderMisspelt { wrong, right }, step, text);
    }
    if answer.status == 304 {
        let text = "the answer is 304 and has no Access-Control-Allow-Origin";
        return Finding::new(Cause::NotModifiedWithoutHeaders, step, text);
    }
    if let Some(finding) = proxy(questions).await {
        return finding;
    }
    if questions.is_get()
        && let Some(finding) = mixed_answers(questions).await
    {
        return finding;
    }
    let answer = questions.answer();
    let expects_none = questions.is_preflight || questions.case.request.speaks_json();
    if answer.is_ok() && answer.is_html() && expects_none {
        let is_login = answer.has_password_field();
        let text = "the answer is an HTML page without CORS headers";
        return Finding::new(Cause::HtmlInsteadOfApi { is_login }, step, text);
    }
    if questions.case.page.origin.is_null() && answer.has_signs() {
        let text = "there is a CORS layer, and it does not allow the origin null";
        return Finding::new(Cause::OriginNull, step, text);
    }
    by_status::find(questions).await
}

/// Whether the server behind the proxy grants what the proxy's answer does not.
pub(super) async fn proxy(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    let upstream = questions.upstream().await?;
    let origin = &questions.asking.origin;
    let behind = questions.answer_of(upstream);
    if !behind.grants(origin) {
        return None;
    }
    let names = lost_headers(behind, questions.answer());
    let text = "asked directly, the server behind the proxy grants";
    Some(
        Finding::new(
            Cause::ProxyChangesHeaders(names),
            questions.step,
            "no grant by the proxy",
        )
        .and(upstream, text),
    )
}

/// The headers of the protocol that one answer has and the other has not.
pub(super) fn lost_headers(behind: &Answer, before: &Answer) -> Vec<String> {
    behind
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .filter(|name| !before.headers.contains_key(*name))
        .map(|name| name.as_str().to_owned())
        .collect()
}

/// Whether the same request is answered differently now and then, or by a cache.
pub(super) async fn mixed_answers(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    const TIMES: usize = 3;
    // A server that fails now and then, or limits rates, is not a matter of configurations.
    if questions.answer().is_passing_error() {
        return None;
    }
    // What the page sent as its user cannot be repeated, so that only probes can be compared.
    let comparable = questions.is_preflight || !questions.case.has_secrets();
    let mut refused = comparable.then_some(questions.step);
    let mut granted = None;
    for _ in 0..TIMES {
        let sent = questions.harmless();
        let why = "is the same request answered in the same way?";
        let Some(step) = questions.lab.probe_again(why, sent).await else {
            break;
        };
        if questions.answer_of(step).is_passing_error() {
            continue;
        }
        let side = if questions.granted(&[step]).is_some() {
            &mut granted
        } else {
            &mut refused
        };
        side.get_or_insert(step);
        if granted.is_some() && refused.is_some() {
            break;
        }
    }
    let refused = refused?;
    if let Some(granted) = granted {
        let text = "the same request is granted this time";
        return Some(
            Finding::new(Cause::ReplicasDisagree, refused, "this answer has no grant")
                .and(granted, text),
        );
    }
    let fresh = questions.past_cache().await?;
    questions.granted(&[fresh])?;
    let text = "the same request with one more query parameter, which no cache knows, is granted";
    Some(
        Finding::new(
            Cause::CacheMixesOrigins,
            refused,
            "this answer has no grant for the page",
        )
        .and(fresh, text),
    )
}
