//! An event for every request about which the configuration in shadow decides otherwise.

use http::header::ORIGIN;
use tracing::{Level, field};

use crate::{
    escaped::{OneLine, Quoted},
    layer::limiter::Limiter,
    observe::Difference,
    policy::Denial,
    protocol::TARGET,
    request::Head,
};

/// Logs the difference, unless there have been too many that change the same in this second. Text
/// from a client is escaped and truncated, and the query is left out, as in the events of denials.
pub(super) fn emit(difference: &Difference, head: &Head<'_>, hides_path: bool, limiter: &Limiter) {
    if !tracing::enabled!(target: TARGET, Level::INFO) {
        return;
    }
    let Some(untold) = limiter.admit_nth(difference.change() as usize) else {
        return;
    };
    let (now, then) = (difference.decision(), difference.in_shadow());
    let reason = then.denial().and_then(Denial::own_reason);
    let asked_for = then.denial().and_then(Denial::subject);
    tracing::event!(
        target: TARGET,
        Level::INFO,
        change = %difference.change().as_str(),
        outcome = %now.outcome().as_str(),
        kind = now.reason().map(field::debug),
        credentials = now.allows_credentials(),
        shadow_outcome = %then.outcome().as_str(),
        shadow_kind = then.reason().map(field::debug),
        shadow_credentials = then.allows_credentials(),
        origin = head.headers.get(ORIGIN).map(|sent| field::debug(Quoted(sent.as_bytes()))),
        method = ?Quoted(head.method.as_str().as_bytes()),
        path = (!hides_path).then(|| field::debug(Quoted(head.uri.path().as_bytes()))),
        asked_for = asked_for.map(|subject| field::debug(Quoted(subject.as_bytes()))),
        reason = reason.map(|reason| field::display(OneLine(reason))),
        untold = (untold > 0).then_some(untold),
        "{} {}; in shadow {}{}",
        now.kind().noun(),
        now.outcome(),
        then.outcome(),
        then.reason().map(|kind| format!(": {kind}")).unwrap_or_default(),
    );
}
