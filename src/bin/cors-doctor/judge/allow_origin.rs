//! What a value of Access-Control-Allow-Origin is that does not match.

use url::{Host, Url};

use crate::{
    exchange::Answer,
    page::{Origin, registrable_domain},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Twice,
    List,
    Pattern,
    /// No origin at all.
    Invalid,
    /// The page's origin as no browser spells it.
    Spelled(Spelling),
    /// The same site in another way: the origin as browsers serialise it.
    Related(Relation, String),
    /// Somebody else's.
    Other,
}

/// How an entry differs from what browsers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    Slash,
    Case,
    DefaultPort,
    Path,
    NoScheme,
    Unicode,
}

impl Spelling {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Slash => "a slash at its end",
            Self::Case => "another case: capitals",
            Self::DefaultPort => "the default port (:443 or :80)",
            Self::Path => "a path",
            Self::NoScheme => "no scheme",
            Self::Unicode => "a Unicode host in place of its xn-- form",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Scheme,
    Www,
    Port,
    Subdomain,
    Loopback,
}

impl Value {
    /// What the value is, seen from a page of `origin`, which it does not equal.
    pub(crate) fn of(answer: &Answer, origin: &str) -> Option<(String, Self)> {
        let lines = answer.lines("access-control-allow-origin");
        let joined = answer.allow_origin()?;
        if lines.len() > 1 {
            return Some((joined, Self::Twice));
        }
        let value = Self::of_line(&joined, origin);
        Some((joined, value))
    }

    fn of_line(value: &str, origin: &str) -> Self {
        const SEPARATORS: [char; 4] = [',', ' ', '\t', ';'];
        if value.contains(SEPARATORS) {
            let parts = value.split(SEPARATORS);
            let is_list = parts.filter(|part| looks_like_origin(part)).count() > 1;
            return if is_list { Self::List } else { Self::Invalid };
        }
        if value == "null" {
            return Self::Other;
        }
        if is_unfinished(value) {
            return Self::Invalid;
        }
        if is_pattern(value) {
            return Self::Pattern;
        }
        let Some((_, authority)) = value.split_once("://") else {
            let authority = origin.split_once("://").map(|(_, rest)| rest);
            let is_ours = authority.is_some_and(|own| {
                value
                    .trim_start_matches('/')
                    .trim_end_matches('/')
                    .eq_ignore_ascii_case(own)
            });
            return if is_ours {
                Self::Spelled(Spelling::NoScheme)
            } else {
                Self::Invalid
            };
        };
        let Ok(found) = Origin::parse(value) else {
            return Self::Invalid;
        };
        let Ok(own) = Origin::parse(origin) else {
            return Self::Other;
        };
        if found == own {
            return Self::Spelled(spelling(value, authority));
        }
        match relation(&own, &found) {
            Some(relation) => Self::Related(relation, found.as_str().to_owned()),
            None => Self::Other,
        }
    }
}

/// An origin, a host with or without a port, or what a server may have in place of one.
fn looks_like_origin(part: &str) -> bool {
    let (host, _) = part.split_once(':').unwrap_or((part, ""));
    let is_host = host == "localhost"
        || host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && !rest.is_empty());
    matches!(part, "*" | "null") || part.contains("://") || is_host
}

/// A variable that nobody replaced, or a text with the quotes of a configuration.
fn is_unfinished(value: &str) -> bool {
    value.contains(['"', '\'']) || ["$(", "${", "{{"].iter().any(|mark| value.contains(mark))
}

/// A wildcard in a part, or a regular expression; `(none)` has not even the marks of an origin.
fn is_pattern(value: &str) -> bool {
    value.contains(['.', ':'])
        && (value.contains(['*', '^', '\\', '(', '|']) || value.ends_with('$'))
}

fn spelling(value: &str, authority: &str) -> Spelling {
    let path = authority.find('/').map(|at| &authority[at..]);
    match path {
        Some("/") => Spelling::Slash,
        Some(_) => Spelling::Path,
        None if !value.is_ascii() => Spelling::Unicode,
        None if value.ends_with(":443") || value.ends_with(":80") => Spelling::DefaultPort,
        None => Spelling::Case,
    }
}

/// How `found`, which a server allows, is related to `own`, the page's.
fn relation(own: &Origin, found: &Origin) -> Option<Relation> {
    let (own, found) = (own.url()?, found.url()?);
    let (host, other) = (own.host_str()?, found.host_str()?);
    let same_scheme = own.scheme() == found.scheme();
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    if host == other {
        return if same_scheme {
            Some(Relation::Port)
        } else {
            (is_web(own) && is_web(found)).then_some(Relation::Scheme)
        };
    }
    if !same_scheme {
        return None;
    }
    if is_loopback(own) && is_loopback(found) {
        return Some(Relation::Loopback);
    }
    if own.port() != found.port() {
        return None;
    }
    let is_www = |a: &str, b: &str| a.strip_prefix("www.") == Some(b);
    if is_www(host, other) || is_www(other, host) {
        return Some(Relation::Www);
    }
    let is_parent = host
        .strip_suffix(other)
        .is_some_and(|front| front.ends_with('.'));
    (is_parent && registrable_domain(other).is_some()).then_some(Relation::Subdomain)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart() {
        let related = |relation, text: &str| Value::Related(relation, text.to_owned());
        for (value, expected) in [
            ("https://app.example.com/", Value::Spelled(Spelling::Slash)),
            (
                "https://app.example.com/app",
                Value::Spelled(Spelling::Path),
            ),
            ("https://App.Example.com", Value::Spelled(Spelling::Case)),
            (
                "https://app.example.com:443",
                Value::Spelled(Spelling::DefaultPort),
            ),
            ("app.example.com", Value::Spelled(Spelling::NoScheme)),
            ("//app.example.com", Value::Spelled(Spelling::NoScheme)),
            (
                "http://app.example.com",
                related(Relation::Scheme, "http://app.example.com"),
            ),
            (
                "https://app.example.com:8443",
                related(Relation::Port, "https://app.example.com:8443"),
            ),
            (
                "https://www.app.example.com",
                related(Relation::Www, "https://www.app.example.com"),
            ),
            (
                "https://example.com",
                related(Relation::Subdomain, "https://example.com"),
            ),
            ("https://com", Value::Other),
            ("https://admin.example.com", Value::Other),
            ("null", Value::Other),
            ("https://*.example.com", Value::Pattern),
            ("^https://.*\\.example\\.com$", Value::Pattern),
            ("http://localhost:*", Value::Pattern),
            ("${ORIGIN}", Value::Invalid),
            ("https://a.example, https://b.example", Value::List),
            ("https://a.example https://b.example", Value::List),
            ("a.example b.example", Value::List),
            ("*, https://a.example", Value::List),
            ("https://a.example, null", Value::List),
            ("https://*.a.example, https://*.b.example", Value::List),
            ("http://localhost:3000,localhost:5173", Value::List),
            ("[object Object]", Value::Invalid),
            ("not set", Value::Invalid),
            ("see app.example.com", Value::Invalid),
            ("https://app.example.com,", Value::Invalid),
            (", ", Value::Invalid),
            ("https://a.example;https://b.example", Value::List),
            ("https://app.example.com;", Value::Invalid),
            ("\"*\"", Value::Invalid),
            ("'*'", Value::Invalid),
            ("\"https://*.example.com\"", Value::Invalid),
            ("\"https://app.example.com\"", Value::Invalid),
            ("(none)", Value::Invalid),
            ("$(ORIGIN)", Value::Invalid),
            ("https://$(HOST)", Value::Invalid),
            ("https://${HOST}", Value::Invalid),
            ("{{ origin | default }}", Value::Invalid),
            ("*.example.com", Value::Pattern),
            ("http://(a|b).example.com", Value::Pattern),
            ("undefined", Value::Invalid),
            ("", Value::Invalid),
            ("other.example", Value::Invalid),
            ("https://", Value::Invalid),
        ] {
            assert_eq!(
                Value::of_line(value, "https://app.example.com"),
                expected,
                "{value}"
            );
        }
        let loopback = Value::of_line("http://localhost:3000", "http://127.0.0.1:3000");
        assert_eq!(
            loopback,
            related(Relation::Loopback, "http://localhost:3000")
        );
        assert_eq!(Value::of_line("https://a.example", "null"), Value::Other);
    }
}
