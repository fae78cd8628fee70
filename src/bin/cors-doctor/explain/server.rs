//! What kind of server answered, as far as its answers show.

use super::Context;
use crate::exchange::{Answer, Kind};

impl Context<'_> {
    /// A proxy that names itself, for evidence and advice.
    pub(super) fn proxy(&self) -> Option<String> {
        self.answers().find_map(|answer| {
            let server = answer.get("server").unwrap_or_default();
            let known = [
                "nginx",
                "cloudflare",
                "apache",
                "caddy",
                "envoy",
                "haproxy",
                "traefik",
                "openresty",
            ];
            let lower = server.to_ascii_lowercase();
            if known.iter().any(|name| lower.contains(name)) {
                return Some(server);
            }
            if let Some(via) = answer.get("via") {
                return Some(format!("Via: {via}"));
            }
            let is_error_page = answer.status >= 400 && answer.is_html();
            is_error_page.then(|| "its error is an HTML page".to_owned())
        })
    }

    pub(super) fn is_nginx(&self) -> bool {
        self.answers().any(|answer| {
            let server = answer
                .get("server")
                .unwrap_or_default()
                .to_ascii_lowercase();
            server.contains("nginx") || server.contains("openresty")
        })
    }

    /// axum lists methods in `Allow` without blanks, and tower-http writes names in lower case.
    pub(super) fn is_tower(&self) -> bool {
        self.answers().any(|answer| {
            let allow = answer.get("allow").unwrap_or_default();
            let vary = answer.lines("vary");
            let by_vary = vary.iter().any(|line| line.starts_with("origin"));
            allow.contains(",HEAD") || by_vary && answer.get("server").is_none()
        })
    }

    /// The answers that the browser got.
    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.lab
            .steps
            .iter()
            .filter(|step| step.kind != Kind::Page)
            .filter_map(|step| step.answer())
    }
}
