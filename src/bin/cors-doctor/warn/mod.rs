//! Warnings: what works for this request, and will fail for another page, browser or request.

mod admission;
mod headers;
mod local_network;
mod warning;

pub(crate) use self::warning::{Warning, Warnings};
use crate::{
    browse::{Course, Ending},
    case::Case,
    cause::Finding,
    exchange::Kind,
    lab::Lab,
};

/// All that is to be warned of.
pub(crate) async fn find(
    lab: &mut Lab<'_>,
    case: &Case,
    course: &Course,
    finding: Option<&Finding>,
) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    dropped(case, &mut warnings);
    unchecked(lab, case, &mut warnings);
    if course.last.is_cross_origin {
        let cause = finding.map(|finding| &finding.cause);
        headers::find(lab, case, course, cause, &mut warnings);
        let works = matches!(course.ending, Ending::Readable(_) | Ending::NotTried);
        if works && case.is_websocket() {
            admission::of_websocket(lab, case, &mut warnings).await;
        } else if works {
            admission::find(lab, case, course, &mut warnings).await;
        }
        local_network::find(lab, case, &mut warnings).await;
    }
    ended(lab, case, course, &mut warnings);
    warnings.into_list()
}

fn dropped(case: &Case, warnings: &mut Warnings) {
    let mut names = case.request.dropped.clone();
    if case.is_websocket() {
        names.extend(
            case.request
                .headers
                .iter()
                .map(|(name, _)| name.as_str().to_owned()),
        );
    } else if case.request.protocols.is_some() {
        // The argument of `new WebSocket()`, which `fetch()` does not have.
        names.push("Sec-WebSocket-Protocol".to_owned());
    }
    if !names.is_empty() {
        let names = names.join(", ");
        warnings.add(
            "header-dropped",
            format!("no page can set {names}, so the request is sent without"),
            format!("leave {names} out; browsers set it themselves or not at all"),
            &[],
        );
    }
}

fn unchecked(lab: &Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let by_tls: Vec<usize> = (0..lab.steps.len())
        .filter(|i| matches!(lab.steps[*i].sent.url.scheme(), "https" | "wss"))
        .filter(|i| lab.steps[*i].kind != Kind::Probe)
        .collect();
    if case.insecure && !by_tls.is_empty() {
        warnings.add(
            "certificate-not-checked",
            "no certificate was checked, because of --insecure; browsers check them".into(),
            "run without --insecure, with --cacert for an authority of your own: the certificate \
             counts for browsers"
                .into(),
            &by_tls,
        );
    }
}

/// What is to be said about an answer that the page reads.
fn ended(lab: &Lab<'_>, case: &Case, course: &Course, warnings: &mut Warnings) {
    let Ending::Readable(step) = course.ending else {
        return;
    };
    let Some(answer) = lab.answer(step) else {
        return;
    };
    if course.last.redirects > 0 && course.last.is_cross_origin {
        let url = &lab.steps[step].sent.url;
        warnings.add(
            "redirect",
            "the answer comes after a redirect, which a preflight would not survive".into(),
            format!("call {url} directly"),
            &[step],
        );
    }
    if answer.status >= 400 && !case.is_websocket() {
        let status = answer.status;
        warnings.add(
            "error-status",
            format!(
                "the page reads the status {status}, an error that has nothing to do with CORS"
            ),
            format!("see why the server answers {status}"),
            &[step],
        );
    }
}
