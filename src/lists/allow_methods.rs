use std::sync::Arc;

use http::{HeaderValue, Method};

use super::{
    config_list::ConfigList,
    token_entry::{is_usual, leftover},
};
use crate::{
    error::{ConfigError, ConfigErrors, MethodErrorReason},
    fetch::{is_forbidden_method, is_safelisted, is_token, shared_value},
    leftover::Leftover,
};

/// The methods that pages may use: a list, or any.
///
/// `GET`, `HEAD` and `POST` need not be listed: browsers let pages use them whatever the list says
/// ([Fetch, CORS-safelisted method](https://fetch.spec.whatwg.org/#cors-safelisted-method)).
/// Cloning is one reference count.
///
/// Any method is sent as `*`; methods beside it are left out, since it covers them. With
/// credentials, browsers take `*` for a method of that name, so the answer names the requested
/// method instead.
///
/// ```
/// use http::Method;
/// use tower_cors::lists::AllowMethods;
///
/// let methods = AllowMethods::list([Method::PUT, Method::DELETE])?;
/// assert!(methods.allows(&Method::PUT));
/// assert!(methods.allows(&Method::GET));
/// assert!(!methods.allows(&Method::PATCH));
///
/// assert!(AllowMethods::list(["patch"]).is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct AllowMethods(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    any: bool,
    listed: Vec<Method>,
    value: HeaderValue,
}

impl AllowMethods {
    /// These methods, and those that browsers always let through.
    ///
    /// # Errors
    ///
    /// Every entry that is not a token, that pages cannot send, or that is a known method in the
    /// wrong case.
    pub fn list(methods: impl Into<ConfigList>) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let methods = Self::build(&methods.into(), &mut errors);
        ConfigErrors::none_or(errors, || methods)
    }

    /// Whether a page may use the method.
    pub fn allows(&self, method: &Method) -> bool {
        self.0.any || is_safelisted(method) || self.0.listed.contains(method)
    }

    /// The listed or safelisted method that differs only in case, so that a denial can say which
    /// spelling the page has to use.
    pub(crate) fn in_another_case(&self, method: &Method) -> Option<&str> {
        let safelisted = [Method::GET, Method::HEAD, Method::POST];
        let same = |listed: &&Method| listed.as_str().eq_ignore_ascii_case(method.as_str());
        if let Some(listed) = self.0.listed.iter().find(same) {
            return Some(listed.as_str());
        }
        let listed = safelisted.iter().find(same)?;
        Some(match *listed {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            _ => "POST",
        })
    }

    pub(crate) fn build(entries: &ConfigList, errors: &mut Vec<ConfigError>) -> Self {
        entries.check_variable("allow_methods", errors);
        let mut listed = Vec::new();
        for (index, entry) in entries.listed().enumerate() {
            match parse(entry) {
                // A repeated entry is harmless.
                Ok(method) if listed.contains(&method) => {}
                Ok(method) => listed.push(method),
                Err(reason) => errors.push(ConfigError::Method {
                    value: entry.to_owned(),
                    place: entries.place(index),
                    reason,
                }),
            }
        }
        let value = if entries.has_any() {
            HeaderValue::from_static("*")
        } else {
            value_of(&listed)
        };
        Self(Arc::new(Inner {
            any: entries.has_any(),
            listed,
            value,
        }))
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0.any
    }

    /// The list as it can be written in a configuration.
    pub(crate) fn entries(&self) -> Vec<String> {
        let star = self.0.any.then_some("*");
        let listed = self.0.listed.iter().map(Method::as_str);
        star.into_iter().chain(listed).map(str::to_owned).collect()
    }

    /// The value of `Access-Control-Allow-Methods`. With credentials, browsers take `*` for the
    /// name of a method, so the requested method, which has been checked, takes its place.
    pub(crate) fn value(&self, credentials: bool, requested: &Method) -> HeaderValue {
        if !(self.0.any && credentials) {
            return self.0.value.clone();
        }
        // A page can ask for a method named `*`. Echoing it would send a wildcard.
        if requested.as_str() == "*" {
            return value_of(&self.0.listed);
        }
        HeaderValue::from_str(requested.as_str()).unwrap_or(self.0.value.clone())
    }

    /// The value, if it is the same for every preflight.
    pub(crate) fn constant_value(&self, credentials: bool) -> Option<HeaderValue> {
        (!self.0.any || !credentials).then(|| self.0.value.clone())
    }
}

/// Never empty: if the header is absent, browsers take the requested method for allowed
/// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>, step 7).
fn value_of(methods: &[Method]) -> HeaderValue {
    if methods.is_empty() {
        return HeaderValue::from_static("GET,HEAD,POST");
    }
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    shared_value(names.join(","))
}

fn parse(text: &str) -> Result<Method, MethodErrorReason> {
    if let Some(left) = leftover(text) {
        return Err(match left {
            Leftover::Joined(separators) => MethodErrorReason::Joined(separators),
            Leftover::Quotes => MethodErrorReason::Quotes,
            Leftover::Separator(separator) => MethodErrorReason::Separator(separator),
        });
    }
    if !is_token(text) {
        return Err(MethodErrorReason::NotAToken);
    }
    if has_wildcard(text) {
        return Err(MethodErrorReason::Wildcard);
    }
    if ["any", "all"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
    {
        return Err(MethodErrorReason::Any);
    }
    if is_forbidden_method(text) {
        return Err(MethodErrorReason::Forbidden);
    }
    // Browsers normalise the case of some methods only, so another case is nearly always a mistake.
    if let Some(known) = known_in_another_case(text) {
        return Err(MethodErrorReason::Case(known));
    }
    Method::from_bytes(text.as_bytes()).map_err(|_| MethodErrorReason::NotAToken)
}

/// Whether a `*` stands at an end or beside the letters of a name. It is a token character, so `PU*`
/// and `P*T` would be methods that nobody sends.
fn has_wildcard(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + 1..].chars().next();
        before.is_none_or(is_usual) || behind.is_none_or(is_usual)
    })
}

/// The known method that differs from the text only in case.
pub(crate) fn known_in_another_case(text: &str) -> Option<&'static str> {
    let known = KNOWN.into_iter();
    let mut same = known.filter(|known| known.eq_ignore_ascii_case(text));
    same.next().filter(|known| *known != text)
}

/// The methods of RFC 9110, RFC 5789 and the QUERY method.
const KNOWN: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_never_empty_and_names_each_method_once() {
        let value = |methods: &[&str]| AllowMethods::list(methods).unwrap().0.value.clone();
        assert_eq!(value(&[]), "GET,HEAD,POST");
        assert_eq!(value(&["PUT", "GET", "PUT"]), "PUT,GET");
        assert_eq!(value(&["CHICKEN"]), "CHICKEN");
        assert_eq!(value(&["*", "PUT"]), "*");
    }

    #[test]
    fn a_method_that_differs_in_case_only_is_found() {
        let methods = AllowMethods::list(["PATCH"]).unwrap();
        for (sent, expected) in [
            ("patch", Some("PATCH")),
            ("get", Some("GET")),
            ("Head", Some("HEAD")),
            ("post", Some("POST")),
            ("put", None),
        ] {
            let sent = Method::from_bytes(sent.as_bytes()).unwrap();
            assert_eq!(methods.in_another_case(&sent), expected, "{sent}");
        }
    }

    #[test]
    fn any_method_with_credentials_is_the_method_asked_for() {
        let any = AllowMethods::list(super::super::config_list::Any).unwrap();
        assert_eq!(any.value(false, &Method::PUT), "*");
        assert_eq!(any.value(true, &Method::PUT), "PUT");
        let star = Method::from_bytes(b"*").unwrap();
        assert_eq!(any.value(true, &star), "GET,HEAD,POST");
        assert_eq!(any.constant_value(true), None);
    }

    #[test]
    fn mistakes() {
        use MethodErrorReason as R;
        for (text, reason) in [
            ("", R::NotAToken),
            ("A B", R::Joined("spaces")),
            ("GET, PUT", R::Joined("commas")),
            ("GET/PUT", R::NotAToken),
            ("ANY", R::Any),
            ("all", R::Any),
            ("PU*", R::Wildcard),
            ("P*T", R::Wildcard),
            ("*-PUT", R::Wildcard),
            ("~*PUT", R::Wildcard),
            ("GET|PUT", R::Joined("vertical bars")),
            ("'GET','PUT'", R::Joined("commas")),
            ("'GET", R::Quotes),
            ("PUT\"", R::Quotes),
            ("`PUT`", R::Quotes),
            ("'*'", R::Quotes),
            ("GET,", R::Separator("comma")),
            ("GET|", R::Separator("vertical bar")),
            ("GET ", R::Separator("white space")),
            ("é", R::NotAToken),
            ("CONNECT", R::Forbidden),
            ("Track", R::Forbidden),
            ("patch", R::Case("PATCH")),
            ("Get", R::Case("GET")),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
        for text in ["getaway", "GET|~PUT", "!'*+!", "!#$%&'*+-.^_`|~09azAZ"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
