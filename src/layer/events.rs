//! An event for every denial, for whoever runs the service: target `tower_cors`, `INFO` where the
//! layer refuses, `DEBUG` where it goes on. Nothing is a warning, since any client can cause it; and
//! for the same reason no more than so many of a kind are told in a second.

use http::header::ORIGIN;
use tracing::{Level, field};

use super::limiter::Limiter;
use crate::{
    escaped::{OneLine, Quoted},
    policy::Denial,
    protocol::{Answer, Plan, Refused, TARGET},
    request::Head,
};

/// Whatever a client wrote is escaped, and cut where it is long. The query is left out, because
/// URLs carry tokens, and so is the path where the policy looks for them there.
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
            $denial.kind(),
        )
    };
}

/// Tells of the denial in a plan, if there is one, and not too many of its kind already.
pub(crate) fn emit(plan: &Plan, head: &Head<'_>, has_secret_path: bool, limiter: &Limiter) {
    let Some((outcome, denial)) = denial(plan) else {
        return;
    };
    // What nobody hears does not count.
    if !outcome.is_heard() {
        return;
    }
    let Some(untold) = limiter.admit(denial.kind()) else {
        return;
    };
    let untold = (untold > 0).then_some(untold);
    let path = (!has_secret_path).then(|| head.uri.path());
    // A level is part of what is known of an event before it happens.
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
    match plan {
        Plan::Forward(forward) => Some((Outcome::RequestForwarded, forward.denial()?)),
        Plan::Answer(Answer::Prepared { denial, .. } | Answer::Preflight { denial, .. }) => {
            Some((Outcome::PreflightAnswered, denial.as_ref()?))
        }
        Plan::Answer(Answer::Refusal { to, denial, .. }) => match to {
            Refused::Preflight => Some((Outcome::PreflightRefused, denial)),
            Refused::Request | Refused::GrpcRequest(_) => Some((Outcome::RequestRefused, denial)),
        },
    }
}
