use url::Url;

use crate::{
    case::Case,
    fetch::{is_blocked, is_forbidden_method},
    net::is_loopback_host,
};

/// What keeps a browser from sending a request at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    ForbiddenMethod(String),
    UrlCredentials,
    BlockedPort(u16),
    MixedContent(Url),
    /// The directive's name and its text, and the URL.
    Policy {
        name: String,
        directive: String,
        url: Url,
    },
}

impl Obstacle {
    /// The first obstacle on the way to `url`.
    pub(crate) fn find(case: &Case, url: &Url, redirected: bool) -> Option<Self> {
        let is_websocket = case.is_websocket();
        if !is_websocket && is_forbidden_method(&case.request.method) {
            return Some(Self::ForbiddenMethod(case.request.method.clone()));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !is_websocket && !redirected && has_user {
            return Some(Self::UrlCredentials);
        }
        if let Some(port) = url.port().filter(|port| is_blocked(*port)) {
            return Some(Self::BlockedPort(port));
        }
        let is_plain = matches!(url.scheme(), "http" | "ws");
        if case.page.origin.is_https() && is_plain && !is_loopback_host(url) {
            return Some(Self::MixedContent(url.clone()));
        }
        let forbidden = case
            .page
            .policies
            .forbids(&case.page.origin, url, redirected)?;
        Some(Self::Policy {
            name: forbidden.name,
            directive: forbidden.directive,
            url: url.clone(),
        })
    }
}
