//! What Chromium prints, from the reason on.

use super::Context;
use crate::{
    browse::{BadRedirect, Ending},
    exchange::Kind,
    failure::{CertificateProblem, Failure},
    judge::Problem,
};

pub(crate) fn console(context: &Context<'_>) -> Option<String> {
    match &context.course.ending {
        Ending::NotTried => None,
        Ending::Readable(step) => {
            let answer = context.lab.answer(*step)?;
            (answer.status >= 400).then(|| {
                let reason = http::StatusCode::from_u16(answer.status).ok();
                let reason = reason
                    .and_then(|s| s.canonical_reason())
                    .unwrap_or_default();
                failed(&format!(
                    "the server responded with a status of {} ({reason})",
                    answer.status
                ))
            })
        }
        Ending::Kept(_) => kept(context),
        Ending::NoAnswer(step) => no_answer(context, *step),
        Ending::BadRedirect(step, bad) => Some(match bad {
            BadRedirect::TooMany => failed("net::ERR_TOO_MANY_REDIRECTS"),
            BadRedirect::Location(_) => failed("net::ERR_UNSAFE_REDIRECT"),
            BadRedirect::UserInfo => {
                let location = context
                    .lab
                    .answer(*step)
                    .and_then(|answer| answer.location());
                format!(
                    "Redirect location '{}' contains a username and password, which is \
                     disallowed for cross-origin requests.",
                    location.unwrap_or_default()
                )
            }
        }),
        Ending::Withheld(step, problems) => match problems.first() {
            None => {
                let status = context.lab.answer(*step)?.status;
                Some(format!(
                    "Error during WebSocket handshake: Unexpected response code: {status}"
                ))
            }
            Some(problem) => Some(problem.console()),
        },
        Ending::PreflightRefused(step, problems) => preflight(context, *step, problems),
    }
}

fn preflight(context: &Context<'_>, step: usize, problems: &[Problem]) -> Option<String> {
    const ACCESS_CHECK: &str = "Response to preflight request doesn't pass access control check: ";
    // A redirect is not looked at any further.
    if context.lab.answer(step)?.location().is_some() {
        return Some(format!(
            "{ACCESS_CHECK}Redirect is not allowed for a preflight request."
        ));
    }
    let first = problems.first()?;
    let prefix = if first.is_of_access_check() {
        ACCESS_CHECK
    } else {
        ""
    };
    Some(format!("{prefix}{}", first.console()))
}

fn kept(context: &Context<'_>) -> Option<String> {
    use crate::browse::Obstacle;
    let Ending::Kept(obstacle) = &context.course.ending else {
        return None;
    };
    let page = context.case.origin();
    Some(match obstacle {
        Obstacle::ForbiddenMethod(method) => format!(
            "TypeError: Failed to execute 'fetch' on 'Window': '{method}' HTTP method is \
             unsupported."
        ),
        Obstacle::UrlCredentials => "TypeError: Failed to execute 'fetch' on 'Window': Request \
                                     cannot be constructed from a URL that includes credentials"
            .into(),
        Obstacle::BlockedPort(_) => failed("net::ERR_UNSAFE_PORT"),
        Obstacle::MixedContent(url) if context.case.is_websocket() => format!(
            "Mixed Content: The page at '{page}/' was loaded over HTTPS, but attempted to connect \
             to the insecure WebSocket endpoint '{url}'. This request has been blocked; this \
             endpoint must be available over WSS."
        ),
        Obstacle::MixedContent(url) => format!(
            "Mixed Content: The page at '{page}/' was loaded over HTTPS, but requested an insecure \
             resource '{url}'. This request has been blocked; the content must be served over \
             HTTPS."
        ),
        Obstacle::Policy {
            name,
            directive,
            url,
        } => {
            let fallback = if name == "connect-src" {
                ""
            } else {
                " Note that 'connect-src' was not explicitly set, so 'default-src' is used as a \
                 fallback."
            };
            format!(
                "Connecting to '{url}' violates the following Content Security Policy directive: \
                 \"{directive}\".{fallback} The action has been blocked."
            )
        }
    })
}

fn no_answer(context: &Context<'_>, step: usize) -> Option<String> {
    let step = context.lab.steps.get(step)?;
    let Err(failure) = &step.result else {
        return None;
    };
    let error = match failure {
        Failure::HostNotFound(_) => "net::ERR_NAME_NOT_RESOLVED",
        Failure::Refused(_) => "net::ERR_CONNECTION_REFUSED",
        Failure::Closed(_) => "net::ERR_EMPTY_RESPONSE",
        Failure::NotHttp(_) => "net::ERR_INVALID_HTTP_RESPONSE",
        Failure::Timeout {
            connecting: true, ..
        } => "net::ERR_CONNECTION_TIMED_OUT",
        Failure::Timeout {
            connecting: false, ..
        } => "net::ERR_TIMED_OUT",
        Failure::Certificate(CertificateProblem::Expired, _) => "net::ERR_CERT_DATE_INVALID",
        Failure::Certificate(CertificateProblem::Name, _) => "net::ERR_CERT_COMMON_NAME_INVALID",
        Failure::Certificate(CertificateProblem::Authority, _) => "net::ERR_CERT_AUTHORITY_INVALID",
        Failure::Certificate(CertificateProblem::Other, _) => "net::ERR_CERT_INVALID",
        Failure::TlsMismatch {
            server_speaks_tls: true,
        } => "net::ERR_EMPTY_RESPONSE",
        Failure::TlsMismatch {
            server_speaks_tls: false,
        }
        | Failure::NotTls(_)
        | Failure::Tls(_) => "net::ERR_SSL_PROTOCOL_ERROR",
    };
    Some(if step.kind == Kind::WebSocket {
        format!("Error in connection establishment: {error}")
    } else {
        failed(error)
    })
}

fn failed(why: &str) -> String {
    format!("Failed to load resource: {why}")
}
