use super::code::Cause;
use crate::{browse::Obstacle, case::Case, lab::Lab};

/// A cause, and the exchanges that show it.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) cause: Cause,
    pub(crate) evidence: Vec<Evidence>,
}

#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The step's index, where something was sent.
    pub(crate) step: Option<usize>,
    pub(crate) text: String,
}

impl Finding {
    pub(crate) fn new(cause: Cause, step: usize, text: impl Into<String>) -> Self {
        Self {
            cause,
            evidence: Vec::new(),
        }
        .and(step, text)
    }

    pub(crate) fn and(mut self, step: usize, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            step: Some(step),
            text: text.into(),
        });
        self
    }

    /// What keeps the browser from sending is known without asking anybody, unless a redirect led
    /// there.
    pub(crate) fn of_obstacle(obstacle: &Obstacle, case: &Case, redirect: Option<usize>) -> Self {
        let (cause, text) = match obstacle {
            Obstacle::ForbiddenMethod(method) => (
                Cause::ForbiddenMethod(method.clone()),
                format!("fetch() takes no method {method}"),
            ),
            Obstacle::UrlCredentials => (
                Cause::UrlCredentials,
                "the URL has a user and a password in it".into(),
            ),
            Obstacle::BlockedPort(port) => (
                Cause::BlockedPort(*port),
                format!("port {port} belongs to another protocol, and no browser connects to it"),
            ),
            Obstacle::MixedContent(url) => (
                Cause::MixedContent(url.clone()),
                format!(
                    "the page {} is secure, the URL's scheme {} is not",
                    case.origin(),
                    url.scheme()
                ),
            ),
            Obstacle::Policy {
                name,
                directive,
                url,
            } => (
                Cause::PageCsp {
                    name: name.clone(),
                    directive: directive.clone(),
                    url: url.clone(),
                },
                format!("the page's Content-Security-Policy says {directive:?}"),
            ),
        };
        Self {
            cause,
            evidence: vec![Evidence {
                step: redirect,
                text,
            }],
        }
    }
}

/// A WebSocket's handshake that was answered with anything but 101.
pub(super) fn of_handshake(lab: &Lab<'_>, step: usize) -> Finding {
    let status = lab.answer(step).map_or(0, |answer| answer.status);
    let cause = if matches!(status, 401 | 403) {
        Cause::WebsocketRefused(status)
    } else {
        Cause::WebsocketNotUpgraded(status)
    };
    Finding::new(
        cause,
        step,
        format!("the handshake is answered {status}, not 101"),
    )
}
