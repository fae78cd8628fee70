//! No HTTP answer.

use std::time::Duration;

use super::{code::Cause, finding::Finding};
use crate::{
    exchange::Kind,
    failure::{Failure, Said},
    lab::{Lab, get},
};

pub(super) async fn find(lab: &mut Lab<'_>, step: usize) -> Finding {
    let asked = &lab.steps[step];
    let is_preflight = asked.kind == Kind::Preflight;
    let Some(failure) = asked.result.as_ref().err().cloned() else {
        return Finding::new(Cause::Unknown, step, "the step has an answer after all");
    };
    let text = failure.to_string();
    let cause = match failure {
        Failure::HostNotFound(_) => Cause::HostNotFound,
        Failure::Refused(_) => Cause::ConnectionRefused,
        Failure::NotHttp(_) => Cause::ConnectionClosed(Said::NotHttp),
        Failure::NotTls(_) => Cause::ConnectionClosed(Said::NotTls),
        Failure::Timeout { connecting, .. } => Cause::Timeout {
            is_preflight,
            connecting,
        },
        Failure::Certificate(problem, _) => Cause::Certificate(problem),
        Failure::TlsMismatch { server_speaks_tls } => Cause::TlsMismatch { server_speaks_tls },
        Failure::Closed(_) | Failure::Tls(_) => {
            if let Some(probe) = other_scheme(lab, step).await {
                let server_speaks_tls = lab.steps[probe].sent.url.scheme() == "https";
                return Finding::new(Cause::TlsMismatch { server_speaks_tls }, step, text)
                    .and(probe, "the other scheme is answered on the same port");
            }
            Cause::ConnectionClosed(Said::Nothing)
        }
    };
    Finding::new(cause, step, text)
}

/// Some servers close without a word where they are spoken to in the wrong way: asks in the other.
async fn other_scheme(lab: &mut Lab<'_>, step: usize) -> Option<usize> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut url = lab.steps[step].sent.url.clone();
    let port = url.port_or_known_default();
    let other = match url.scheme() {
        "http" | "ws" => "https",
        _ => "http",
    };
    url.set_scheme(other).ok()?;
    url.set_port(port).ok()?;
    let sent = get(&url, None);
    let why = "does the server speak the other scheme?";
    let answered = lab.probe_within(why, sent, Some(PATIENCE)).await;
    // A certificate that is not trusted shows TLS as well as an answer does.
    let last = lab.steps.len() - 1;
    let shows_tls = matches!(lab.steps[last].result, Err(Failure::Certificate(..)));
    answered.or_else(|| (other == "https" && shows_tls).then_some(last))
}
