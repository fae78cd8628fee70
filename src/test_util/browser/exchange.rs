use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::{
    escaped::{OneLine, Quoted},
    policy::Denial,
    test_util::Failure,
};

/// A request that a browser has sent, and its answer.
///
/// Printed, it has both with their headers. The values of `Authorization`, `Cookie` and `Set-Cookie`
/// are left out, and so are queries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// Whether it is a preflight.
    pub is_preflight: bool,
    /// The method, which is `OPTIONS` for a preflight.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The request's headers.
    pub request_headers: HeaderMap,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's headers, all of them.
    pub response_headers: HeaderMap,
    /// Why the layer denied the request, if it
    /// [records denials](crate::CorsLayerBuilder::record_denials).
    pub denial: Option<Denial>,
    /// What the browser has against the answer.
    pub failure: Option<Failure>,
}

impl Exchange {
    pub(super) fn new<B>(request: Sent, is_preflight: bool, response: &Response<B>) -> Self {
        Self {
            is_preflight,
            method: request.method,
            url: request.url,
            request_headers: request.headers,
            status: response.status(),
            response_headers: response.headers().clone(),
            denial: response.extensions().get().cloned(),
            failure: None,
        }
    }
}

/// What is kept of a request before it is given away.
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_preflight {
            "preflight"
        } else {
            "request"
        };
        let url = self.url.split('?').next().unwrap_or_default();
        let query = if url.len() < self.url.len() {
            "?..."
        } else {
            ""
        };
        writeln!(f, "  {kind}: {} {}{query}", self.method, OneLine(url))?;
        write_headers(f, '>', &self.request_headers)?;
        writeln!(f, "    < {}", self.status)?;
        write_headers(f, '<', &self.response_headers)?;
        if let Some(denial) = &self.denial {
            writeln!(f, "    the layer: {}", OneLine(&denial.to_string()))?;
        }
        if let Some(failure) = &self.failure {
            writeln!(f, "    the browser: {}", OneLine(&failure.to_string()))?;
        }
        Ok(())
    }
}

fn write_headers(f: &mut fmt::Formatter<'_>, sign: char, headers: &HeaderMap) -> fmt::Result {
    headers
        .iter()
        .try_for_each(|(name, value)| writeln!(f, "    {sign} {name}: {}", Shown(name, value)))
}

/// A header's value, unless it is a secret.
struct Shown<'a>(&'a HeaderName, &'a HeaderValue);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_secret = [header::AUTHORIZATION, header::COOKIE, header::SET_COOKIE]
            .contains(self.0)
            || self.1.is_sensitive();
        let Self(name, value) = self;
        match value.to_str() {
            _ if is_secret => write!(f, "({} bytes)", value.len()),
            // Where a redirect leads may hold a token.
            Ok(text) if **name == header::LOCATION => {
                let shown = text.split('?').next().unwrap_or_default();
                let query = if shown.len() < text.len() { "?..." } else { "" };
                write!(f, "{shown}{query}")
            }
            Ok(text) if text.len() <= 200 => f.write_str(text),
            _ => Quoted(value.as_bytes()).fmt(f),
        }
    }
}
