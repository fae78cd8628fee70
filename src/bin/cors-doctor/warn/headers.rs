//! Headers of the browser's own exchanges that pass today.

use super::warning::Warnings;
use crate::{
    browse::{Course, Ending},
    case::Case,
    cause::{Cause, misspelt_headers},
    exchange::Answer,
    fetch::{Browser, is_same_site},
    judge::parse_list,
    lab::Lab,
};

pub(super) fn find(
    lab: &Lab<'_>,
    case: &Case,
    course: &Course,
    cause: Option<&Cause>,
    warnings: &mut Warnings,
) {
    // What failed is the cause's matter.
    let passed_request = match course.ending {
        Ending::Readable(step) if !case.is_websocket() => Some(step),
        _ => None,
    };
    for &step in &course.last.preflights {
        if let Some(answer) = lab.answer(step) {
            max_age(answer, step, warnings);
            authorization(case, answer, step, warnings);
            wildcard(answer, step, warnings);
            misspelt(answer, step, cause, warnings);
        }
    }
    let Some(step) = passed_request else {
        return;
    };
    if let Some(answer) = lab.answer(step) {
        wildcard(answer, step, warnings);
        misspelt(answer, step, cause, warnings);
        exposed(case, answer, step, warnings);
        cookies(case, answer, step, lab, warnings);
    }
}

fn max_age(answer: &Answer, step: usize, warnings: &mut Warnings) {
    /// The longest that any browser keeps a preflight's answer, in seconds.
    const LONGEST: u64 = 86_400;
    let Some(value) = answer.get("access-control-max-age") else {
        return;
    };
    let digits = value.strip_prefix(['+', '-']).unwrap_or(&value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        warnings.add(
            "max-age-malformed",
            format!("Access-Control-Max-Age {value:?} is not a number, so it counts for nothing"),
            "write a number of seconds, once, for example 7200".into(),
            &[step],
        );
    } else if !value.starts_with('-') && digits.parse::<u64>().is_ok_and(|age| age <= LONGEST) {
        // As long as browsers keep it, or not too much longer.
    } else if !value.starts_with('-') {
        warnings.add(
            "max-age-capped",
            format!("Access-Control-Max-Age {value} is longer than any browser keeps it"),
            "write 7200 (Chromium's longest) or 86400 (Firefox's), in seconds".into(),
            &[step],
        );
    }
}

fn authorization(case: &Case, answer: &Answer, step: usize, warnings: &mut Warnings) {
    let list = answer
        .get("access-control-allow-headers")
        .and_then(|value| parse_list(&value));
    let list = list.unwrap_or_default();
    let has = |name: &str| {
        list.iter()
            .any(|element| element.eq_ignore_ascii_case(name))
    };
    let is_asked = case.announced().iter().any(|name| name == "authorization");
    if case.browser == Browser::Chromium && is_asked && has("*") && !has("authorization") {
        warnings.add(
            "authorization-under-wildcard",
            "Chromium lets * in Access-Control-Allow-Headers cover Authorization; by the standard \
             it does not"
                .into(),
            "list authorization by name: allow_headers([\"*\", \"authorization\"])".into(),
            &[step],
        );
    }
}

fn wildcard(answer: &Answer, step: usize, warnings: &mut Warnings) {
    if answer.allow_origin().as_deref() == Some("*") && answer.allows_credentials() {
        warnings.add(
            "wildcard-with-allow-credentials",
            "Access-Control-Allow-Origin is * beside Access-Control-Allow-Credentials: true, which \
             fails as soon as a page includes credentials"
                .into(),
            "leave out Access-Control-Allow-Credentials, or answer with the page's own origin in \
             place of * where credentials are allowed"
                .into(),
            &[step],
        );
    }
}

fn misspelt(answer: &Answer, step: usize, cause: Option<&Cause>, warnings: &mut Warnings) {
    for (wrong, right) in misspelt_headers(answer) {
        let is_cause = matches!(cause, Some(Cause::HeaderMisspelt { wrong: w, .. }) if *w == wrong);
        if !is_cause {
            warnings.add(
                "header-misspelt",
                format!("{wrong} means nothing to browsers"),
                format!("call it {right}"),
                &[step],
            );
        }
    }
}

fn exposed(case: &Case, answer: &Answer, step: usize, warnings: &mut Warnings) {
    let list = answer
        .get("access-control-expose-headers")
        .and_then(|value| parse_list(&value));
    let has_wildcard = list
        .unwrap_or_default()
        .iter()
        .any(|element| element == "*");
    if case.request.credentials && has_wildcard {
        warnings.add(
            "expose-wildcard-with-credentials",
            "Access-Control-Expose-Headers is *, which exposes nothing to a request with \
             credentials"
                .into(),
            "list the headers by name: expose_headers".into(),
            &[step],
        );
    }
}

fn cookies(case: &Case, answer: &Answer, step: usize, lab: &Lab<'_>, warnings: &mut Warnings) {
    if !case.request.credentials || is_same_site(&case.page.origin, &lab.steps[step].sent.url) {
        return;
    }
    let goes_along = |line: &String| {
        let attributes: Vec<String> = line
            .split(';')
            .skip(1)
            .map(|a| a.replace(' ', "").to_ascii_lowercase())
            .collect();
        let has = |attribute: &str| attributes.iter().any(|a| a == attribute);
        has("samesite=none") && has("secure")
    };
    if !answer.lines("set-cookie").iter().all(goes_along) {
        warnings.add(
            "cookie-same-site",
            "a cookie is set that browsers keep back from pages of other sites, such as this one"
                .into(),
            "set it with SameSite=None; Secure".into(),
            &[step],
        );
    }
}
