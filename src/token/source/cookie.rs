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
#[must_use = "it does nothing until it is passed on"]
pub struct CookieSource {
    name: Box<str>,
    may_have_suffix: bool,
}

impl CookieSource {
    pub(crate) fn new(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            may_have_suffix: false,
        }
    }

    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let is_separator = |c: char| c.is_ascii_whitespace() || "=;,\"".contains(c);
        (self.name.is_empty() || self.name.contains(is_separator))
            .then_some("the name of the cookie is empty, or has a separator in it")
    }

    /// Takes the token from a cookie `<name>_<suffix>`, too, and before the one of the plain name, as
    /// Clerk's libraries do. Cookies with different suffixes refuse the request: nothing here says
    /// which of them is meant.
    pub fn or_suffixed(mut self) -> Self {
        self.may_have_suffix = true;
        self
    }

    /// RFC 6265, section 5.4. HTTP/2 may send each cookie in a line of its own (RFC 9113, section
    /// 8.2.3).
    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap) -> Find<Cow<'a, str>> {
        let (mut plain, mut suffixed) = (Find::Nothing, Find::Nothing);
        for line in headers.get_all(COOKIE) {
            // As bytes, because a cookie beside ours may hold any.
            for pair in line.as_bytes().split(|&byte| byte == b';') {
                let Some((value, has_suffix)) = self.value(pair.trim_ascii()) else {
                    continue;
                };
                let found = if has_suffix {
                    &mut suffixed
                } else {
                    &mut plain
                };
                // A page of a sibling domain can set a second one of the same name.
                *found = match (&*found, std::str::from_utf8(value)) {
                    (Find::Nothing, Ok(token)) if !token.is_empty() && token.is_ascii() => {
                        Find::Token(Cow::Borrowed(token))
                    }
                    (Find::Nothing, _) => Find::Malformed,
                    _ => Find::Several,
                };
            }
        }
        match suffixed {
            Find::Nothing => plain,
            suffixed => suffixed,
        }
    }

    /// The value without the quotes that it may have, if the pair is our cookie, and whether the
    /// name has a suffix.
    fn value<'a>(&self, pair: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let rest = pair.strip_prefix(self.name.as_bytes())?;
        let (value, has_suffix) = match rest.split_first()? {
            (b'=', value) => (value, false),
            (b'_', rest) if self.may_have_suffix => {
                let equals = rest.iter().position(|&byte| byte == b'=')?;
                (&rest[equals + 1..], true)
            }
            _ => return None,
        };
        let quoted = value
            .strip_prefix(b"\"")
            .and_then(|v| v.strip_suffix(b"\""));
        Some((quoted.unwrap_or(value), has_suffix))
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

    #[test]
    fn a_suffix_goes_before_the_plain_name() {
        let find = |line: &'static str, source: CookieSource| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(line))]);
            source.find(&headers).map(Cow::into_owned)
        };
        let plain = || CookieSource::new("__session");
        let both = "__session=old; __session_aB-3_x==new; __sessionx=other";
        assert_eq!(find(both, plain()), Find::Token("old".to_owned()));
        let suffixed = || plain().or_suffixed();
        assert_eq!(find(both, suffixed()), Find::Token("=new".to_owned()));
        let one = "__session=t.o.k";
        assert_eq!(find(one, suffixed()), Find::Token("t.o.k".to_owned()));
        let two = "__session_a=x; __session=t.o.k; __session_b=y";
        assert_eq!(find(two, suffixed()), Find::Several);
        assert_eq!(
            find("__session_a=; __session=t", suffixed()),
            Find::Malformed
        );
        assert_eq!(find("__session_a", suffixed()), Find::Nothing);
    }
}
