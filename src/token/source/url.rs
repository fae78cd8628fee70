use std::{borrow::Cow, fmt, sync::Arc};

use super::find::Find;
use crate::request::Head;

type Extract = dyn for<'a> Fn(&'a str) -> Option<&'a str> + Send + Sync;

/// A token in the path or in the host name: see
/// [`TokenSource::path`](crate::token::source::TokenSource::path).
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

    pub(crate) fn find<'a>(&self, head: &Head<'a>) -> Find<Cow<'a, str>> {
        let part = match self.part {
            Part::Path => Cow::Borrowed(head.uri.path()),
            Part::Host => match head.host() {
                Some(host) => host,
                None if head.authority().is_none() => return Find::Nothing,
                // RFC 9112, section 3.2: another reader may make something else of it.
                None => return Find::Malformed,
            },
        };
        let token = match &part {
            Cow::Borrowed(part) => (self.extract)(part).map(Cow::Borrowed),
            Cow::Owned(part) => (self.extract)(part).map(|token| Cow::Owned(token.to_owned())),
        };
        match token {
            Some(token) if token.is_empty() => Find::Malformed,
            Some(token) => Find::Token(token),
            None => Find::Nothing,
        }
    }
}

impl fmt::Debug for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlSource")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}
