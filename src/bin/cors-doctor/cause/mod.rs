//! From what failed to why: the order in which causes are looked for.

mod absent;
mod by_status;
mod code;
mod finding;
mod judged;
mod login;
mod misspelt;
mod network;
mod origins;
mod questions;
mod readable;
mod redirect;
mod successful;

use self::questions::Questions;
pub(crate) use self::{code::Cause, finding::Finding, misspelt::misspelt_headers};
use crate::{
    browse::{Course, Ending},
    case::Case,
    exchange::Kind,
    judge::Problem,
    lab::Lab,
};

/// The cause of what the browser's course ended with, and what would come up next.
pub(crate) async fn find(
    lab: &mut Lab<'_>,
    case: &Case,
    course: &Course,
) -> Option<(Finding, Vec<Cause>)> {
    let alone = |finding| Some((finding, Vec::new()));
    match &course.ending {
        Ending::NotTried => None,
        Ending::Kept(obstacle) => {
            let redirect = (course.last.redirects > 0).then(|| lab.steps.len() - 1);
            alone(Finding::of_obstacle(obstacle, case, redirect))
        }
        Ending::NoAnswer(step) => alone(network::find(lab, *step).await),
        Ending::BadRedirect(step, bad) => alone(redirect::not_followed(lab, *step, bad)),
        Ending::Readable(step) if case.is_websocket() => {
            debug_assert_eq!(lab.steps[*step].kind, Kind::WebSocket);
            None
        }
        Ending::Readable(step) => readable::find(lab, case, &course.last, *step).and_then(alone),
        Ending::Withheld(step, _) if case.is_websocket() => {
            alone(finding::of_handshake(lab, *step))
        }
        Ending::PreflightRefused(step, problems) => {
            Some(of_answer(lab, case, course, *step, problems, true).await)
        }
        Ending::Withheld(step, problems) => {
            Some(of_answer(lab, case, course, *step, problems, false).await)
        }
    }
}

async fn of_answer(
    lab: &mut Lab<'_>,
    case: &Case,
    course: &Course,
    step: usize,
    problems: &[Problem],
    is_preflight: bool,
) -> (Finding, Vec<Cause>) {
    let mut questions = Questions {
        lab,
        case,
        asking: &course.last,
        step,
        is_preflight,
    };
    let finding = match redirect::find(&mut questions).await {
        Some(finding) => finding,
        None if questions.answer().allow_origin().is_some() => {
            judged::find(&mut questions, problems).await
        }
        None => absent::find(&mut questions).await,
    };
    let also = judged::next(&questions, problems, &finding);
    (finding, also)
}
