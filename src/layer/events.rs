//! An event for every denial, with the target `tower_cors`.
//!
//! Refusals are `INFO`. If the request goes on to the service, it is `DEBUG`, because that is
//! frequent on a public API. There are no warnings, since any client can cause an event. For the
//! same reason there is a limit for each kind and second.

use http::header::ORIGIN;
use tracing::{Level, field};

use super::limiter::Limiter;
use crate::{
    escaped::{OneLine, Quoted},
    policy::Denial,
    protocol::{Answer, Edit, FullAnswer, Plan, TARGET},
    request::Head,
};

/// Text from a client is escaped and truncated. The query is left out, because URLs carry tokens;
/// so is the path if the policy looks for a token there.
///
/// A macro, because tracing needs the level at compile time.
macro_rules! event {
    ($level:expr, $outcome:ident, $denial:ident, $head:ident, $path:ident, $untold:ident) => {
        tracing::event!(
            target: TARGET,
            $level,
            kind = ?$denial.kind(),
            origin = $head.headers.get(ORIGIN).map(|sent| field::debug(Quoted(sent.as_bytes()))),
            method = ?Quoted($head.method.as_str().as_bytes()),
            path = $path.map(|path| field::debug(Quoted(path.as_bytes()))),
            asked_for = $denial.subject().map(|subject| field::debug(Quoted(subject.as_bytes()))),
            reason = $denial.own_reason().map(|reason| field::display(OneLine(reason))),
            untold = $untold,
            "{}: {}",
            $outcome.as_str(),
            $denial.sentence(),
        )
    };
}

/// Logs the denial in a plan, unless there have been too many of its kind in this second.
pub(crate) fn emit(plan: &Plan, head: &Head<'_>, has_secret_path: bool, limiter: &Limiter) {
    let Some((outcome, denial)) = denial(plan) else {
        return;
    };
    // Do not use up the rate limit for events that no subscriber receives.
    if !outcome.is_heard() {
        return;
    }
    let Some(untold) = limiter.admit(denial.kind()) else {
        return;
    };
    let untold = (untold > 0).then_some(untold);
    let path = (!has_secret_path).then(|| head.uri.path());
    // One arm for each level: see the macro.
    match outcome {
        Outcome::RequestRefused | Outcome::PreflightRefused => {
            event!(Level::INFO, outcome, denial, head, path, untold);
        }
        Outcome::RequestForwarded | Outcome::PreflightAnswered => {
            event!(Level::DEBUG, outcome, denial, head, path, untold);
        }
    }
}

#[derive(Clone, Copy)]
enum Outcome {
    RequestRefused,
    RequestForwarded,
    PreflightRefused,
    PreflightAnswered,
}

impl Outcome {
    fn is_heard(self) -> bool {
        match self {
            Self::RequestRefused | Self::PreflightRefused => {
                tracing::enabled!(target: TARGET, Level::INFO)
            }
            Self::RequestForwarded | Self::PreflightAnswered => {
                tracing::enabled!(target: TARGET, Level::DEBUG)
            }
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::RequestRefused => "request refused",
            Self::RequestForwarded => "request forwarded, its response not for the page",
            Self::PreflightRefused => "preflight refused",
            Self::PreflightAnswered => "preflight answered with less than it asks for",
        }
    }
}

fn denial(plan: &Plan) -> Option<(Outcome, &Denial)> {
    let answer = match plan {
        Plan::Forward(Edit::Full(edit), _) => {
            return Some((Outcome::RequestForwarded, edit.denial()?));
        }
        Plan::Answer(Answer::Full(answer)) => answer,
        Plan::Forward(..) | Plan::Answer(_) => return None,
    };
    match &**answer {
        FullAnswer::Preflight { denial, .. } => {
            Some((Outcome::PreflightAnswered, denial.as_ref()?))
        }
        FullAnswer::RefusedPreflight { denial } => Some((Outcome::PreflightRefused, denial)),
        FullAnswer::Refusal { denial, .. } => Some((Outcome::RequestRefused, denial)),
    }
}
