//! What was sent and what came back: the evidence that everything else is made of.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::body::Bytes;
use url::Url;

use crate::failure::Failure;

/// One request and what became of it.
#[derive(Debug)]
pub(crate) struct Step {
    /// Counted from 1.
    pub(crate) n: usize,
    pub(crate) kind: Kind,
    /// The question that a probe asks.
    pub(crate) why: Option<&'static str>,
    pub(crate) sent: Sent,
    pub(crate) result: Result<Answer, Failure>,
    pub(crate) ms: u128,
    /// Where the URL's own name led, unless `--connect-to` led elsewhere.
    pub(crate) address: Option<IpAddr>,
}

impl Step {
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.result.as_ref().ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Page,
    Preflight,
    Request,
    Redirect,
    WebSocket,
    Probe,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Preflight => "preflight",
            Self::Request => "request",
            Self::Redirect => "redirect",
            Self::WebSocket => "websocket",
            Self::Probe => "probe",
        }
    }
}

/// A request as it goes out, without `Host` and what else HTTP itself needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&HeaderValue> {
        let mut named = self.headers.iter().filter(|(n, _)| n.as_str() == name);
        named.next().map(|(_, value)| value)
    }
}

/// An answer, complete with its headers; of the body what came at once.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended within what was read.
    pub(crate) body_ended: bool,
}

impl Answer {
    /// The value of all lines of the header, as Fetch's "get" joins them.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let lines: Vec<String> = self.lines(name);
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(text).collect()
    }

    pub(crate) fn allow_origin(&self) -> Option<String> {
        self.get("access-control-allow-origin")
    }

    /// Whether the answer allows `origin`, credentials left aside.
    pub(crate) fn grants(&self, origin: &str) -> bool {
        self.allow_origin()
            .is_some_and(|value| value == "*" || value == origin)
    }

    /// Whether it allows this very origin rather than any.
    pub(crate) fn echoes(&self, origin: &str) -> bool {
        self.allow_origin().as_deref() == Some(origin)
    }

    pub(crate) fn allows_credentials(&self) -> bool {
        self.get("access-control-allow-credentials").as_deref() == Some("true")
    }

    /// Signs that the server knows the protocol, though it does not name an origin.
    pub(crate) fn has_signs(&self) -> bool {
        let other = |name: &HeaderName| {
            name.as_str().starts_with("access-control-") && name != "access-control-allow-origin"
        };
        self.headers.keys().any(other)
            || self
                .vary()
                .iter()
                .any(|name| name == "origin" || name.starts_with("access-control-request-"))
    }

    /// The names that `Vary` lists, in lower case.
    pub(crate) fn vary(&self) -> Vec<String> {
        self.list("vary")
    }

    /// The elements of a header that is a list, in lower case.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let joined = self.get(name).unwrap_or_default();
        let elements = joined.split(',').map(|e| e.trim().to_ascii_lowercase());
        elements.filter(|e| !e.is_empty()).collect()
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        let essence = value.split(';').next().unwrap_or_default();
        Some(essence.trim().to_ascii_lowercase())
    }

    /// Whether this is a page. Frameworks label bare texts and empty answers as HTML, too, so the
    /// body has to look like it where it was seen.
    pub(crate) fn is_html(&self) -> bool {
        let labelled = self
            .media_type()
            .is_some_and(|t| t == "text/html" || t == "application/xhtml+xml");
        let looks_like_it = match self.body.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(first) => *first == b'<' || *first == 0xef,
            None => !self.body_ended,
        };
        labelled && looks_like_it
    }

    pub(crate) fn has_password_field(&self) -> bool {
        let body = String::from_utf8_lossy(&self.body).to_ascii_lowercase();
        self.is_html()
            && ["type=\"password\"", "type='password'", "type=password"]
                .iter()
                .any(|field| body.contains(field))
    }

    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_error(&self) -> bool {
        self.status >= 400
    }

    /// Whether the same request may succeed later: a rate limit, or a failure of the server.
    pub(crate) fn is_passing_error(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    /// Where a redirect leads, as it is written.
    pub(crate) fn location(&self) -> Option<String> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
            .then(|| self.get("location"))
            .flatten()
    }
}

/// A header's value as text. Bytes that are no UTF-8 are shown by their code point, as browsers do.
pub(crate) fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|&b| char::from(b)).collect(),
    }
}
