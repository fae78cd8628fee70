use std::{borrow::Cow, fmt, sync::Arc};

use super::find::Find;
use crate::request::CorsRequest;

type Extract = dyn for<'a> Fn(&'a str) -> Option<&'a str> + Send + Sync;

/// A token in the path or in the host name: see [`TokenSource::path`](crate::token::source::TokenSource::path).
#[derive(Clone)]
pub(crate) struct UrlSource {
    part: Part,
    extract: Arc<Extract>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Path,
    Host,
}

impl UrlSource {
    pub(crate) fn new<F>(part: Part, extract: F) -> Self
    where
        F: for<'a> Fn(&'a str) -> Option<&'a str> + Send + Sync + 'static,
    {
        Self {
            part,
            extract: Arc::new(extract),
        }
    }

    pub(crate) fn reads_path(&self) -> bool {
        matches!(self.part, Part::Path)
    }

    pub(crate) fn find<'a>(&self, request: &CorsRequest<'a>) -> Find<Cow<'a, str>> {
        let part = match self.part {
            Part::Path => Some(request.uri().path()),
            Part::Host => request.authority().map(without_port),
        };
        match part.and_then(|part| (self.extract)(part)) {
            Some("") => Find::Malformed,
            Some(token) => Find::Token(Cow::Borrowed(token)),
            None => Find::Nothing,
        }
    }
}

fn without_port(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    }
}

impl fmt::Debug for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlSource")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}
