use std::sync::Arc;

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use super::{config_list::ConfigList, header_name};
use crate::{
    error::{ConfigError, ConfigErrors, HeaderSetting},
    fetch::{RequestedHeaders, shared_value},
};

/// The request headers that pages may send: a list, or any.
///
/// Browsers let pages send safelisted headers without asking. Of these, list `Content-Type` if
/// pages send JSON: only three of its values are safelisted. However long the list is, one
/// preflight may ask for no more than the bounds of [`RequestedHeaders`]. Cloning is one reference
/// count.
///
/// # What `*` becomes
///
/// | list | credentials | `Access-Control-Allow-Headers` |
/// |---|---|---|
/// | `*` | no | `*` |
/// | `*`, `x-a` | no | `*,x-a` |
/// | `*` | yes | the names that the preflight asks for: with credentials, `*` is a header of that name |
///
/// By the Fetch standard `*` does not cover `Authorization`, which has to be named beside it
/// ([Fetch, CORS non-wildcard request-header name]). Current browsers let it pass all the same, so
/// do not count on the `*` to keep it out. Names beside the `*` also help Firefox. It
/// lets a preflight pass because of a `*`, but never finds the `*` in its cache of preflights, and
/// so asks before every request; a name it does find.
///
/// ```
/// use http::header::{AUTHORIZATION, CONTENT_TYPE};
/// use tower_cors::lists::AllowHeaders;
///
/// let headers = AllowHeaders::list(["Content-Type", "X-Api-Key"])?;
/// assert!(headers.allows(&CONTENT_TYPE));
/// assert!(!headers.allows(&AUTHORIZATION));
///
/// let any = AllowHeaders::list(["*", "authorization"])?;
/// assert!(any.allows(&AUTHORIZATION));
///
/// assert!(AllowHeaders::list(["Cookie"]).is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
///
/// [Fetch, CORS non-wildcard request-header name]: https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
#[derive(Clone, Debug)]
pub struct AllowHeaders(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    any: bool,
    /// Lower case, sorted, each once.
    listed: Vec<String>,
    value: Option<HeaderValue>,
}

impl AllowHeaders {
    /// These headers.
    ///
    /// # Errors
    ///
    /// Every entry that is not a token, that pages cannot set, or that belongs to the CORS
    /// protocol.
    pub fn list(headers: impl Into<ConfigList>) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let headers = Self::build(&headers.into(), &mut errors);
        ConfigErrors::none_or(errors, || headers)
    }

    /// Whether a page may send the header.
    pub fn allows(&self, name: &HeaderName) -> bool {
        self.allows_lower_case(name.as_str().as_bytes())
    }

    pub(crate) fn build(entries: &ConfigList, errors: &mut Vec<ConfigError>) -> Self {
        entries.check_variable("allow_headers", errors);
        let any = entries.has_any();
        let mut listed = Vec::new();
        for (index, entry) in entries.listed().enumerate() {
            match header_name::parse_request(entry) {
                Ok(name) => listed.push(name),
                Err(reason) => errors.push(ConfigError::HeaderName {
                    value: entry.to_owned(),
                    place: entries.place(index),
                    list: HeaderSetting::AllowHeaders,
                    reason,
                }),
            }
        }
        // Sorted for the binary search, and so that the same list always gives the same header.
        listed.sort_unstable();
        listed.dedup();
        let star = any.then_some("*");
        let sent: Vec<&str> = star
            .into_iter()
            .chain(listed.iter().map(String::as_str))
            .collect();
        let value = (!sent.is_empty()).then(|| shared_value(sent.join(",")));
        Self(Arc::new(Inner { any, listed, value }))
    }

    /// Whether the name can be listed.
    pub(crate) fn takes(name: &str) -> bool {
        header_name::parse_request(name).is_ok()
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0.any
    }

    /// The list as it can be written in a configuration.
    pub(crate) fn entries(&self) -> Vec<String> {
        let star = self.0.any.then_some("*");
        let listed = self.0.listed.iter().map(String::as_str);
        star.into_iter().chain(listed).map(str::to_owned).collect()
    }

    /// Whether one pass over both lists shows that all requested headers are allowed. The pass
    /// takes lists that are sorted, as browsers send them; if it says `false`,
    /// [`refused`](Self::refused) tells.
    pub(crate) fn allows_in_one_pass(&self, requested: &RequestedHeaders<'_>) -> bool {
        let Some(line) = requested.as_browsers_write_it() else {
            return false;
        };
        let mut listed = self.0.listed.iter();
        line.as_bytes().split(|&byte| byte == b',').all(|name| {
            self.is_covered_by_any(name) || listed.any(|listed| listed.as_bytes() == name)
        })
    }

    /// The requested headers that are not allowed.
    ///
    /// Browsers send names in lower case, so most need no copy to be looked up.
    pub(crate) fn refused<'a>(
        &self,
        requested: &RequestedHeaders<'a>,
    ) -> impl Iterator<Item = &'a str> {
        requested.iter().filter(|name| {
            if name.bytes().any(|b| b.is_ascii_uppercase()) {
                !self.allows_lower_case(name.to_ascii_lowercase().as_bytes())
            } else {
                !self.allows_lower_case(name.as_bytes())
            }
        })
    }

    /// The value of `Access-Control-Allow-Headers`. With credentials, browsers take `*` for the
    /// name of a header, so the requested names, which have been checked, take its place.
    pub(crate) fn value(
        &self,
        credentials: bool,
        requested: &RequestedHeaders<'_>,
    ) -> Option<HeaderValue> {
        // Without credentials, browsers understand `*`, and a constant answer is cheaper.
        if self.0.any && credentials {
            self.echo(requested)
        } else {
            self.0.value.clone()
        }
    }

    /// The value, if it is the same for every preflight; the outer `None` says that it is not.
    pub(crate) fn constant_value(&self, credentials: bool) -> Option<Option<HeaderValue>> {
        (!self.0.any || !credentials).then(|| self.0.value.clone())
    }

    /// The requested names as they were sent, if the whole line can be echoed; the inner `None` says
    /// that no name is requested.
    pub(crate) fn echoed_line<'a>(
        &self,
        requested: &RequestedHeaders<'a>,
    ) -> Option<Option<&'a HeaderValue>> {
        if requested.is_empty() {
            return Some(None);
        }
        // Browsers send a sorted line without duplicates, which can be sent back without a copy.
        let line = requested.as_browsers_write_it()?;
        line.as_bytes()
            .split(|&byte| byte == b',')
            .all(|name| self.is_echoed(name))
            .then_some(Some(line))
    }

    fn echo(&self, requested: &RequestedHeaders<'_>) -> Option<HeaderValue> {
        if let Some(line) = self.echoed_line(requested) {
            return line.cloned();
        }
        let mut names: Vec<String> = requested
            .iter()
            .map(str::to_ascii_lowercase)
            .filter(|name| self.is_echoed(name.as_bytes()))
            .collect();
        names.sort_unstable();
        names.dedup();
        (!names.is_empty()).then(|| shared_value(names.join(",")))
    }

    /// A page can ask for a header named `*`. Echoing it would send a wildcard.
    fn is_echoed(&self, name: &[u8]) -> bool {
        name != b"*" && self.allows_lower_case(name)
    }

    fn is_covered_by_any(&self, name: &[u8]) -> bool {
        self.0.any && AUTHORIZATION.as_str().as_bytes() != name
    }

    fn allows_lower_case(&self, name: &[u8]) -> bool {
        self.is_covered_by_any(name)
            || self
                .0
                .listed
                .binary_search_by(|listed| listed.as_bytes().cmp(name))
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header::ACCESS_CONTROL_REQUEST_HEADERS};

    use super::*;

    fn requesting(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_str(line).unwrap(),
        )])
    }

    #[test]
    fn a_header_is_allowed_if_it_is_listed() {
        let headers = AllowHeaders::list(["X-A"]).unwrap();
        assert!(headers.allows(&HeaderName::from_static("x-a")));
        assert!(!headers.allows(&HeaderName::from_static("x-b")));
    }

    fn value(list: &[&str], credentials: bool, line: &str) -> Option<String> {
        let headers = requesting(line);
        let requested = RequestedHeaders::parse(&headers).unwrap();
        let value = AllowHeaders::list(list)
            .unwrap()
            .value(credentials, &requested)?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_list_is_sent_whole_whatever_is_asked_for() {
        let list = &["X-B", "x-a", "X-A"][..];
        assert_eq!(value(list, true, "x-c").as_deref(), Some("x-a,x-b"));
        assert_eq!(value(list, false, "").as_deref(), Some("x-a,x-b"));
        assert_eq!(value(&[], false, "x-c"), None);
    }

    #[test]
    fn any_header_with_credentials_is_the_names_asked_for() {
        let any = &["*"][..];
        assert_eq!(value(any, false, "x-a").as_deref(), Some("*"));
        assert_eq!(value(any, true, "x-a,x-b").as_deref(), Some("x-a,x-b"));
        assert_eq!(
            value(any, true, " X-B , x-a,x-a").as_deref(),
            Some("x-a,x-b")
        );
        assert_eq!(
            value(any, true, "authorization,x-a").as_deref(),
            Some("x-a")
        );
        assert_eq!(value(any, true, "*,x-a").as_deref(), Some("x-a"));
        assert_eq!(value(any, true, "*"), None);
        assert_eq!(value(any, true, ""), None);
    }

    #[test]
    fn authorization_has_to_be_named() {
        let named = &["*", "Authorization"][..];
        assert_eq!(value(named, false, "x").as_deref(), Some("*,authorization"));
        assert_eq!(
            value(named, true, "authorization,x").as_deref(),
            Some("authorization,x")
        );
    }

    /// Firefox finds a name in its cache of preflights, and never the `*`.
    #[test]
    fn names_beside_any_are_sent() {
        let list = &["x-b", "*", "x-a"][..];
        assert_eq!(value(list, false, "x-c").as_deref(), Some("*,x-a,x-b"));
        assert_eq!(value(list, true, "x-c").as_deref(), Some("x-c"));
    }

    #[test]
    fn the_offending_name_is_found_in_any_case_and_order() {
        let headers = AllowHeaders::list(["x-a", "x-b"]).unwrap();
        for (line, refused) in [
            ("x-a,x-b", None),
            ("X-B, X-a", None),
            ("x-a,x-c", Some("x-c")),
            ("x-ab", Some("x-ab")),
            ("X-C,x-a", Some("X-C")),
        ] {
            let map = requesting(line);
            let requested = RequestedHeaders::parse(&map).unwrap();
            assert_eq!(headers.refused(&requested).next(), refused, "{line}");
        }
    }

    #[test]
    fn what_browsers_send_is_seen_in_one_pass() {
        let listed = AllowHeaders::list(["x-c", "X-A", "x-b"]).unwrap();
        let any = AllowHeaders::list(["*"]).unwrap();
        let any_named = AllowHeaders::list(["*", "authorization"]).unwrap();
        for (headers, line, expected) in [
            (&listed, "x-a", true),
            (&listed, "x-a,x-c", true),
            (&listed, "x-a,x-b,x-c", true),
            (&listed, "x-a,x-bb", false),
            (&listed, "x", false),
            (&listed, "authorization", false),
            (&any, "x-a,x-z", true),
            (&any, "authorization,x-a", false),
            (&any_named, "authorization,x-a", true),
            // Allowed, and no browser writes it so.
            (&listed, "x-b,x-a", false),
            (&listed, "X-A", false),
            (&listed, "x-a, x-b", false),
        ] {
            let map = requesting(line);
            let requested = RequestedHeaders::parse(&map).unwrap();
            assert_eq!(headers.allows_in_one_pass(&requested), expected, "{line}");
            if expected {
                assert_eq!(headers.refused(&requested).next(), None, "{line}");
            }
        }
    }
}
