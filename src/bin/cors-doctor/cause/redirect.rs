//! Redirects that fail.

use url::Url;

use super::{code::Cause, finding::Finding, login::leads_to_login, questions::Questions};
use crate::{
    browse::BadRedirect,
    lab::{Lab, get},
    page::Origin,
};

/// A redirect of a preflight, or one whose answer has no grant; or a refusal of `null` behind one.
pub(super) async fn find(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    let answer = questions.answer();
    let has_grant = answer.grants(&questions.asking.origin);
    let status = answer.status;
    if let Some(location) = answer.location()
        && (questions.is_preflight || !has_grant)
    {
        let step = questions.step;
        let cause = cause_of(questions, &location).await;
        return Some(Finding::new(
            cause,
            step,
            format!("{status} with Location: {location}"),
        ));
    }
    behind_a_redirect(questions)
}

/// A redirect that is not followed although its answer may be shared.
pub(super) fn not_followed(lab: &Lab<'_>, step: usize, bad: &BadRedirect) -> Finding {
    let from = &lab.steps[step].sent.url;
    let target = lab
        .answer(step)
        .and_then(|answer| from.join(&answer.location()?).ok());
    let text = match bad {
        BadRedirect::TooMany => "this is the 21st redirect: browsers stop at 20".to_owned(),
        BadRedirect::Location(location) => {
            format!("browsers do not follow Location: {location}")
        }
        BadRedirect::UserInfo => {
            "the Location has a user and a password, which no cross-origin request may follow"
                .to_owned()
        }
    };
    Finding::new(Cause::RedirectElsewhere(target), step, text)
}

async fn cause_of(questions: &mut Questions<'_, '_>, location: &str) -> Cause {
    let from = questions.url().clone();
    let Ok(to) = from.join(location) else {
        return Cause::RedirectElsewhere(None);
    };
    let same_place = |a: &Url, b: &Url| a.host() == b.host() && a.query() == b.query();
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    if is_upgrade && same_place(&from, &to) && from.path() == to.path() {
        return Cause::RedirectToHttps(to);
    }
    let is_here = Origin::of(&from).is_some_and(|origin| origin.is_of(&to));
    let by_slash = |a: &str, b: &str| a.strip_suffix('/') == Some(b);
    let differs_by_slash = by_slash(from.path(), to.path()) || by_slash(to.path(), from.path());
    if is_here && same_place(&from, &to) && differs_by_slash {
        return Cause::RedirectTrailingSlash(to);
    }
    if leads_to_login(&from, &to) || is_here && leads_to_password(questions, &to).await {
        return Cause::RedirectToLogin(to);
    }
    Cause::RedirectElsewhere(Some(to))
}

async fn leads_to_password(questions: &mut Questions<'_, '_>, url: &Url) -> bool {
    let why = "does the redirect lead to a sign-in page?";
    let probe = questions.lab.probe(why, get(url, None)).await;
    probe
        .and_then(|step| questions.lab.answer(step))
        .is_some_and(|answer| answer.has_password_field())
}

/// After a redirect to another origin the browser says `Origin: null`, which nobody lists.
fn behind_a_redirect(questions: &Questions<'_, '_>) -> Option<Finding> {
    let asking = questions.asking;
    let answer = questions.answer();
    if asking.redirects == 0 || answer.grants(&asking.origin) {
        return None;
    }
    let url = questions.url().clone();
    let step = questions.step;
    let is_login = leads_to_login(&questions.case.url, &url) || answer.has_password_field();
    let is_tainted = asking.origin == "null" && !questions.case.page.origin.is_null();
    if is_login && (is_tainted || answer.allow_origin().is_none()) {
        let text = "the redirect leads to a login, which refuses the page";
        return Some(Finding::new(Cause::RedirectToLogin(url), step, text));
    }
    is_tainted.then(|| {
        let text = "asked by Origin: null after a redirect to another origin, and refused";
        Finding::new(Cause::RedirectNullOrigin(url), step, text)
    })
}
