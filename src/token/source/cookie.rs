use std::borrow::Cow;

use http::{HeaderMap, header::COOKIE};

use super::find::Find;

/// A token in a cookie: see [`TokenSource::cookie`](crate::token::source::TokenSource::cookie).
///
/// ```
/// use tower_cors::token::{TokenConfigError, TokenOrigins, source::TokenSource};
///
/// let mistakes = |name: &str| {
///     let errors = TokenOrigins::builder().source(TokenSource::cookie(name)).build().unwrap_err();
///     errors.iter().filter(|error| matches!(error, TokenConfigError::Source(_))).count()
/// };
/// assert_eq!(mistakes("__Host-session"), 0);
/// assert_eq!(mistakes("session="), 1);
/// ```
#[derive(Clone, Debug)]
pub struct CookieSource {
    name: Box<str>,
}

impl CookieSource {
    pub(crate) fn new(name: impl Into<Box<str>>) -> Self {
        Self { name: name.into() }
    }

    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let is_separator = |c: char| c.is_ascii_whitespace() || "=;,\"".contains(c);
        (self.name.is_empty() || self.name.contains(is_separator))
            .then_some("the name of the cookie is empty, or has a separator in it")
    }

    /// RFC 6265, section 5.4. HTTP/2 may send each cookie in a line of its own (RFC 9113, section
    /// 8.2.3).
    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap) -> Find<Cow<'a, str>> {
        let mut found = Find::Nothing;
        for line in headers.get_all(COOKIE) {
            // A cookie beside ours may hold any bytes.
            for pair in line.as_bytes().split(|&byte| byte == b';') {
                let Some(value) = self.value(pair.trim_ascii()) else {
                    continue;
                };
                // A page of a sibling domain can set a second one of the same name.
                if found != Find::Nothing {
                    return Find::Several;
                }
                found = match std::str::from_utf8(value) {
                    Ok(token) if !token.is_empty() && token.is_ascii() => {
                        Find::Token(Cow::Borrowed(token))
                    }
                    _ => Find::Malformed,
                };
            }
        }
        found
    }

    /// The value, without the quotes that it may have, if the pair is our cookie.
    fn value<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        let value = pair
            .strip_prefix(self.name.as_bytes())?
            .strip_prefix(b"=")?;
        let quoted = value
            .strip_prefix(b"\"")
            .and_then(|v| v.strip_suffix(b"\""));
        Some(quoted.unwrap_or(value))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn one_cookie_of_the_name() {
        let find = |lines: &[&'static [u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
            }
            let source = CookieSource::new("__session");
            source.find(&headers).map(Cow::into_owned)
        };
        let token = || Find::Token("t.o.k".to_owned());
        assert_eq!(find(&[]), Find::Nothing);
        assert_eq!(find(&[b"a=b; __session=t.o.k;c=d"]), token());
        assert_eq!(find(&[b"a=\xff", b"__session=\"t.o.k\""]), token());
        assert_eq!(
            find(&[b"__Session=t.o.k; x__session=t; __session2=t"]),
            Find::Nothing
        );
        assert_eq!(find(&[b"__session="]), Find::Malformed);
        assert_eq!(find(&[b"__session=\xff"]), Find::Malformed);
        assert_eq!(find(&[b"__session=t.o.k; __session=t.o.k"]), Find::Several);
        assert_eq!(find(&[b"__session=t.o.k", b"__session=u"]), Find::Several);
    }
}
