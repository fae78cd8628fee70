//! From one planned request to a diagnosis.

use crate::{
    args::{Command, Planned},
    browse::{Ending, fetch_url, load_page, open_websocket, upgrade},
    case::Case,
    cause,
    explain::{self, Context},
    lab::Lab,
    page::{Origin, Page, Policies},
    report::{Diagnosis, Outcome},
    warn,
};

/// Does what the browser does, asks what has to be asked, and says what came out. `loaded` is the
/// page of `--page`, which is fetched once for all URLs.
///
/// # Errors
///
/// The page of `--page` has no origin.
pub(crate) async fn examine(
    command: &Command,
    planned: &Planned,
    loaded: &mut Option<Page>,
) -> Result<(Case, Diagnosis), String> {
    let mut lab = Lab::new(&command.transport, command.probing);
    let mut page = Page {
        origin: planned.origin.clone().unwrap_or_else(Origin::null),
        policies: Policies::default(),
    };
    let mut url = planned.url.clone();
    if let Some(page_url) = &command.page {
        let known = match loaded.take() {
            Some(known) => known,
            None => load_page(&mut lab, page_url).await?,
        };
        if planned.origin.is_none() {
            page.origin = known.origin.clone();
        }
        page.policies = known.policies.clone();
        *loaded = Some(known);
        upgrade(&page.policies, &mut url);
    }
    let case = Case {
        url,
        page,
        request: planned.request.clone(),
        reads: command.reads.clone(),
        send: command.send,
        browser: command.browser,
        upstream: command.upstream.clone(),
        insecure: command.insecure,
    };
    let course = if case.is_websocket() {
        open_websocket(&mut lab, &case).await
    } else {
        fetch_url(&mut lab, &case).await
    };
    let found = cause::find(&mut lab, &case, &course).await;
    let (finding, also) = match found {
        Some((finding, also)) => (Some(finding), also),
        None => (None, Vec::new()),
    };
    let warnings = warn::find(&mut lab, &case, &course, finding.as_ref()).await;
    let context = Context {
        case: &case,
        course: &course,
        lab: &lab,
    };
    let cause = finding.as_ref().map(|finding| &finding.cause);
    let summary = explain::summary(&context, cause);
    let console = explain::console(&context);
    let fix = cause.map(|cause| explain::fix(&context, cause));
    let status = match course.ending {
        Ending::Readable(step) => lab.answer(step).map(|answer| answer.status),
        _ => None,
    };
    let diagnosis = Diagnosis {
        url: case.url.clone(),
        origin: case.origin().to_owned(),
        outcome: Outcome::of(&course.ending, course.last.redirects),
        status,
        also: also.iter().map(cause::Cause::code).collect(),
        finding,
        summary,
        console,
        fix,
        warnings,
        steps: lab.steps,
    };
    Ok((case, diagnosis))
}
