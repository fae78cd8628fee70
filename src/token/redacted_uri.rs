use std::fmt;

use http::Uri;

/// A URI as it may be logged where URLs carry tokens: without its query, and without a user and
/// password.
///
/// The `Uri` of a request prints the token of a discovery link, and so does what most access logs
/// write down.
///
/// ```
/// use http::Uri;
/// use tower_cors::token::RedactedUri;
///
/// let uri: Uri = "https://api.example:8443/discover?anonymousContext=psat%253deyJhbGciOi".parse()?;
/// assert_eq!(RedactedUri::new(&uri).to_string(), "https://api.example:8443/discover?***");
///
/// // Where the path may hold one, too.
/// let uri: Uri = "/feeds/eyJhbGciOi/events".parse()?;
/// assert_eq!(RedactedUri::new(&uri).to_string(), "/feeds/eyJhbGciOi/events");
/// assert_eq!(RedactedUri::new(&uri).without_path().to_string(), "/***");
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
///
/// In a span of tower-http's `TraceLayer`:
///
/// ```
/// use http::Request;
/// use tower_cors::token::RedactedUri;
///
/// fn line<B>(request: &Request<B>) -> String {
///     format!("{} {}", request.method(), RedactedUri::new(request.uri()))
/// }
///
/// let request = Request::get("/api?access_token=t0k3n").body(())?;
/// assert_eq!(line(&request), "GET /api?***");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
#[must_use = "it does nothing until it is printed"]
pub struct RedactedUri<'a> {
    uri: &'a Uri,
    has_path: bool,
}

impl<'a> RedactedUri<'a> {
    /// The URI without its query.
    pub fn new(uri: &'a Uri) -> Self {
        Self {
            uri,
            has_path: true,
        }
    }

    /// Leaves out the path as well.
    pub fn without_path(mut self) -> Self {
        self.has_path = false;
        self
    }
}

impl fmt::Display for RedactedUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.uri.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        if let Some(authority) = self.uri.authority() {
            // The host with its port, as it is written; a user stands before the last `@`.
            let authority = authority.as_str();
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            f.write_str(host)?;
        }
        match (self.has_path, self.uri.path()) {
            (true, path) => f.write_str(path)?,
            (false, "" | "/" | "*") => f.write_str(self.uri.path())?,
            (false, _) => f.write_str("/***")?,
        }
        // Not even names: a query may be nothing but a token.
        match self.uri.query() {
            Some(query) if !query.is_empty() => f.write_str("?***"),
            _ => Ok(()),
        }
    }
}

/// As [`Display`](fmt::Display), because both end up in logs.
impl fmt::Debug for RedactedUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedUri({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_token_is_left() {
        for (uri, expected, without_path) in [
            ("/", "/", "/"),
            ("*", "*", "*"),
            ("/a?", "/a", "/***"),
            ("/a?secret", "/a?***", "/***?***"),
            ("/a?secret=&x=secret", "/a?***", "/***?***"),
            (
                "https://a.example",
                "https://a.example/",
                "https://a.example/",
            ),
            (
                "https://user:secret@a.example:8443/b?secret",
                "https://a.example:8443/b?***",
                "https://a.example:8443/***?***",
            ),
            (
                "https://[::1]:80/b",
                "https://[::1]:80/b",
                "https://[::1]:80/***",
            ),
            ("a.example:443", "a.example:443", "a.example:443"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let redacted = RedactedUri::new(&uri);
            assert_eq!(redacted.to_string(), expected);
            assert_eq!(redacted.without_path().to_string(), without_path);
            assert_eq!(format!("{redacted:?}"), format!("RedactedUri({expected})"));
        }
    }
}
