use std::borrow::Cow;

use http::Uri;

use crate::request::CorsRequest;

/// The URL of a request, and the name of the host that it is for.
///
/// Everything here is part of what caches know an answer by. So a policy that reads only this needs
/// no `Vary` beside `Origin`.
#[derive(Debug)]
pub struct RequestUrl<'a> {
    uri: &'a Uri,
    host: Option<Cow<'a, str>>,
}

impl<'a> RequestUrl<'a> {
    pub(super) fn of(request: &CorsRequest<'a>) -> Self {
        Self {
            uri: request.uri(),
            host: request.host(),
        }
    }

    /// The request's target as it was sent.
    pub fn uri(&self) -> &Uri {
        self.uri
    }

    /// The path, percent-encoded as it was sent.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query without its question mark, percent-encoded as it was sent.
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// The host that the request is for, in lower case, without the port; `None` unless there is
    /// exactly one, and a valid one ([RFC 9112, section
    /// 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}
