//! One entry of a list of origins that somebody else wrote, in the spelling that browsers send.

use std::net::Ipv6Addr;

use crate::{
    debug_as_display::debug_as_display,
    origin::{
        MAX_IPV6_LEN, MAX_SCHEME_LEN, OriginPattern, crosses_public_suffix, default_port,
        domain_to_ascii, is_loopback_host, serialise_ipv6, split_host,
    },
};

/// Which entries of other people's lists are origins that may be listed at all.
///
/// By default only `https` origins without wildcards are. An entry is never decoded and never cut
/// short. Only its case, Unicode, the default port and white space around it may differ from what
/// browsers send; with any other difference it is not an origin.
///
/// ```
/// use tower_cors::token::claim::{EntryErrorKind, ListRules};
///
/// let rules = ListRules::new();
/// assert_eq!(rules.canonical(" HTTPS://Bücher.example:443 ").unwrap(), "https://xn--bcher-kva.example");
/// assert_eq!(rules.canonical("http://contoso.com"), Err(EntryErrorKind::Insecure));
/// assert_eq!(rules.canonical("null"), Err(EntryErrorKind::Null));
/// assert_eq!(
///     ListRules::new().http_loopback().canonical("http://localhost:3000").unwrap(),
///     "http://localhost:3000",
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct ListRules {
    http: Http,
    schemes: Vec<Box<str>>,
    wildcards: bool,
    trailing_slash: bool,
    hosts_mean_https: bool,
    max_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Http {
    #[default]
    Never,
    Loopback,
    Always,
}

impl Default for ListRules {
    fn default() -> Self {
        Self {
            http: Http::default(),
            schemes: Vec::new(),
            wildcards: false,
            trailing_slash: false,
            hosts_mean_https: false,
            max_bytes: 255,
        }
    }
}

impl ListRules {
    /// Only `https` origins, each spelt out.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in `http` origins of this machine, for development.
    pub fn http_loopback(mut self) -> Self {
        self.http = self.http.max(Http::Loopback);
        self
    }

    /// Lets in any `http` origin: an attacker on the network between a user and such an origin
    /// acts as that page.
    pub fn dangerously_allow_http(mut self) -> Self {
        self.http = Http::Always;
        self
    }

    /// Lets in a scheme of apps, such as `capacitor` or `chrome-extension`, in whatever case.
    pub fn scheme(mut self, scheme: impl Into<Box<str>>) -> Self {
        // RFC 3986, section 3.1: schemes are case-insensitive, and lower case is canonical.
        self.schemes.push(scheme.into().to_ascii_lowercase().into());
        self
    }

    /// Lets in the wildcards of [`OriginPattern`], not below or above a public suffix.
    pub fn wildcards(mut self) -> Self {
        self.wildcards = true;
        self
    }

    /// Lets in entries that end in one slash, which is dropped.
    pub fn trailing_slash(mut self) -> Self {
        self.trailing_slash = true;
        self
    }

    /// Reads an entry without a scheme, such as `example.com` or `example.com:8443`, as an `https`
    /// origin of that host.
    pub fn hosts_mean_https(mut self) -> Self {
        self.hosts_mean_https = true;
        self
    }

    /// How long an entry may be, in bytes, with white space around it. Default: 255.
    pub fn max_entry_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Whether any `http` origin is let in.
    pub(crate) fn lets_http_in(&self) -> bool {
        self.http == Http::Always
    }

    pub(crate) fn most_entry_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The entry in the spelling that browsers send.
    ///
    /// # Errors
    ///
    /// When the entry is not an origin, or is of a kind that the rules keep out.
    pub fn canonical(&self, entry: &str) -> Result<String, EntryErrorKind> {
        self.parse(entry).map(|pattern| pattern.as_str().to_owned())
    }

    pub(crate) fn parse(&self, entry: &str) -> Result<OriginPattern, EntryErrorKind> {
        use EntryErrorKind as Kind;
        // Before anything else is done with it, and so with its white space.
        if entry.len() > self.max_bytes {
            return Err(Kind::Length);
        }
        let entry = entry.trim_matches([' ', '\t']);
        match entry {
            "" => return Err(Kind::Empty),
            "null" => return Err(Kind::Null),
            "*" | "+" => return Err(Kind::Special),
            _ => {}
        }
        let (scheme, rest) = match entry.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None if self.hosts_mean_https => ("https".to_owned(), entry),
            None if is_like_a_host(entry) => return Err(Kind::NoScheme),
            None => return Err(Kind::Syntax),
        };
        let rest = match rest.strip_suffix('/') {
            Some(rest) if self.trailing_slash => rest,
            Some(rest) if !rest.contains(['/', '?', '#']) => return Err(Kind::TrailingSlash),
            _ => rest,
        };
        let (host, port) = split_port(rest)?;
        let (star, host) = match host.strip_prefix("*.") {
            Some(host) => ("*.", host),
            None => ("", host),
        };
        let is_wildcard = !star.is_empty() || port == Some("*");
        if is_wildcard && !self.wildcards {
            return Err(Kind::Wildcard);
        }
        let host = canonical_host(host)?;
        self.check_scheme(&scheme, &host)?;
        let port = canonical_port(port, &scheme)?;
        // The grammar has the last word.
        let pattern: OriginPattern = format!("{scheme}://{star}{host}{port}")
            .parse()
            .map_err(|_| Kind::Host)?;
        if pattern.has_subdomains() && crosses_public_suffix(pattern.host()) {
            return Err(Kind::Wildcard);
        }
        Ok(pattern)
    }

    fn check_scheme(&self, scheme: &str, host: &str) -> Result<(), EntryErrorKind> {
        if scheme.len() > MAX_SCHEME_LEN {
            return Err(EntryErrorKind::Scheme);
        }
        match scheme {
            "https" => Ok(()),
            "http" => match self.http {
                Http::Always => Ok(()),
                Http::Loopback if is_loopback_host(host) => Ok(()),
                Http::Loopback | Http::Never => Err(EntryErrorKind::Insecure),
            },
            other if self.schemes.iter().any(|scheme| **scheme == *other) => Ok(()),
            _ => Err(EntryErrorKind::Scheme),
        }
    }
}

/// Whether nothing but the scheme may be missing: a name with a dot, perhaps with a port.
fn is_like_a_host(entry: &str) -> bool {
    let (host, port) = entry.split_once(':').unwrap_or((entry, ""));
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
    (host.contains('.') || host == "localhost")
        && host.bytes().all(is_of_a_name)
        && port
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'*')
}

/// Host and port, if there is a colon for one.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), EntryErrorKind> {
    match split_host(authority).ok_or(EntryErrorKind::Syntax)? {
        (host, "") => Ok((host, None)),
        (host, rest) => match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None => Err(EntryErrorKind::Syntax),
        },
    }
}

fn canonical_host(host: &str) -> Result<String, EntryErrorKind> {
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| EntryErrorKind::Host)?;
        let mut buffer = [0; MAX_IPV6_LEN];
        let written = String::from_utf8_lossy(serialise_ipv6(&address, &mut buffer)).into_owned();
        return Ok(format!("[{written}]"));
    }
    domain_to_ascii(host).ok_or(EntryErrorKind::Host)
}

/// The port with its colon, or nothing for the default one.
fn canonical_port(port: Option<&str>, scheme: &str) -> Result<String, EntryErrorKind> {
    match port {
        None => Ok(String::new()),
        Some("*") => Ok(":*".to_owned()),
        // `parse` alone would take a sign.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0') => {
            match port.parse::<u16>() {
                Ok(number) if default_port(scheme.as_bytes()) == Some(number) => Ok(String::new()),
                Ok(number) => Ok(format!(":{number}")),
                Err(_) => Err(EntryErrorKind::Port),
            }
        }
        Some(_) => Err(EntryErrorKind::Port),
    }
}

/// Why an entry of a list is not an origin that may be listed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EntryErrorKind {
    /// There is nothing between two delimiters.
    #[error("the entry is empty: name an origin, or remove the delimiter beside it")]
    Empty,
    /// It is longer than [allowed](ListRules::max_entry_bytes).
    #[error("the entry is longer than max_entry_bytes")]
    Length,
    /// It is `null`, which any site can send from a sandboxed frame.
    #[error("every sandboxed frame on any site sends null")]
    Null,
    /// It is `*` or `+`, which stand for origins instead of naming them.
    #[error("* and + are not origins: name each origin")]
    Special,
    /// It is not a text, as in `[1, null]`.
    #[error("it is not a text")]
    NotText,
    /// It is a host without a scheme.
    #[error("the scheme is missing: write https://, then the host")]
    NoScheme,
    /// It ends in a slash, which no origin does.
    #[error("it ends in a slash: an origin has none")]
    TrailingSlash,
    /// It is not `scheme://host` or `scheme://host:port`.
    #[error("an origin is scheme://host or scheme://host:port, without user, path or query")]
    Syntax,
    /// Its scheme is not one that is let in.
    #[error("the scheme is not allowed: use https")]
    Scheme,
    /// It is an `http` origin.
    #[error("plain http is not allowed: use https")]
    Insecure,
    /// Its host is malformed.
    #[error("the host is not a domain or an IP address")]
    Host,
    /// Its port is malformed.
    #[error("a port is a number from 1 to 65535 without leading zeros")]
    Port,
    /// It has a wildcard where none is let in.
    #[error("wildcards are not allowed here: name each origin")]
    Wildcard,
}

debug_as_display!(EntryErrorKind);

impl EntryErrorKind {
    /// The setting that lets in what is refused, where there is one.
    pub(crate) fn setting(self) -> Option<&'static str> {
        match self {
            Self::Special => Some("TokenOriginsBuilder::star_lists_any_origin, for a `*`,"),
            Self::NoScheme => Some("ListRules::hosts_mean_https"),
            Self::TrailingSlash => Some("ListRules::trailing_slash"),
            Self::Scheme => Some("ListRules::scheme"),
            Self::Insecure => Some("ListRules::http_loopback, for this machine,"),
            Self::Wildcard => Some("ListRules::wildcards, not across a public suffix,"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_become_the_one_that_browsers_send() {
        let rules = ListRules::new();
        for (entry, expected) in [
            ("https://contoso.com", "https://contoso.com"),
            (" \thttps://contoso.com\t ", "https://contoso.com"),
            ("HTTPS://CONTOSO.com:443", "https://contoso.com"),
            ("https://contoso.com:8443", "https://contoso.com:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://contoso。com", "https://contoso.com"),
            ("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]"),
            ("https://192.0.2.1", "https://192.0.2.1"),
            ("https://contoso.com.", "https://contoso.com."),
        ] {
            assert_eq!(rules.canonical(entry).as_deref(), Ok(expected), "{entry}");
        }
    }

    #[test]
    fn what_is_no_origin_is_none() {
        use EntryErrorKind as K;
        let rules = ListRules::new();
        let long = format!("https://{}.example", "a".repeat(240));
        for (entry, expected) in [
            ("", K::Empty),
            (" ", K::Empty),
            (&*long, K::Length),
            ("null", K::Null),
            ("*", K::Special),
            ("+", K::Special),
            ("contoso.com", K::NoScheme),
            ("*.contoso.com:8443", K::NoScheme),
            ("localhost:3000", K::NoScheme),
            ("contoso.com:*", K::NoScheme),
            ("contoso", K::Syntax),
            ("contoso.com/path", K::Syntax),
            ("javascript:1", K::Syntax),
            ("javascript://contoso.com", K::Scheme),
            ("ftp://contoso.com", K::Scheme),
            ("capacitor://localhost", K::Scheme),
            ("http://contoso.com", K::Insecure),
            ("http://localhost", K::Insecure),
            ("https://", K::Host),
            ("https://user@contoso.com", K::Host),
            ("https://contoso.com/", K::TrailingSlash),
            ("https://contoso.com/a/", K::Host),
            ("https://contoso.com?q/", K::Host),
            ("https://contoso.com/;p=1", K::Host),
            ("https://contoso.com?q", K::Host),
            ("https://contoso.com#f", K::Host),
            ("https://contoso.com\\@evil.example", K::Host),
            ("https://a.com%3bhttps://evil.com", K::Host),
            ("https://a.com,https://evil.com", K::Host),
            ("https://a.com；evil.com", K::Host),
            ("https://a\u{202e}.com", K::Host),
            ("https://con\0toso.com", K::Host),
            ("https://contoso.com\r\nx: y", K::Host),
            ("\u{a0}https://contoso.com", K::Scheme),
            ("https://contoso .com", K::Host),
            ("https://contoso.com:", K::Port),
            ("https://contoso.com:0", K::Port),
            ("https://contoso.com:0443", K::Port),
            ("https://contoso.com:+443", K::Port),
            ("https://contoso.com:65536", K::Port),
            ("https://contoso.com:443:443", K::Port),
            ("https://a..b", K::Host),
            ("https://1.2.3", K::Host),
            ("https://[::1", K::Syntax),
            ("https://[::1]x", K::Syntax),
            ("https://*.contoso.com", K::Wildcard),
            ("https://contoso.com:*", K::Wildcard),
        ] {
            assert_eq!(rules.canonical(entry), Err(expected), "{entry:?}");
        }
    }

    #[test]
    fn each_door_opens_alone() {
        use EntryErrorKind as K;
        let loopback = ListRules::new().http_loopback();
        assert!(loopback.canonical("http://localhost:3000").is_ok());
        assert!(loopback.canonical("http://[::1]").is_ok());
        assert_eq!(loopback.canonical("http://contoso.com"), Err(K::Insecure));
        let http = ListRules::new().dangerously_allow_http().http_loopback();
        assert_eq!(
            http.canonical("http://contoso.com:80").as_deref(),
            Ok("http://contoso.com")
        );
        let app = ListRules::new().scheme("capacitor");
        assert!(app.canonical("capacitor://localhost").is_ok());
        let app_in_capitals = ListRules::new().scheme("Capacitor");
        assert!(app_in_capitals.canonical("capacitor://localhost").is_ok());
        assert_eq!(app.canonical("ionic://localhost"), Err(K::Scheme));
        let (longest, longer) = ("a".repeat(MAX_SCHEME_LEN), "a".repeat(MAX_SCHEME_LEN + 1));
        let long = ListRules::new().scheme(&*longest).scheme(&*longer);
        assert!(long.canonical(&format!("{longest}://localhost")).is_ok());
        let longer = long.canonical(&format!("{longer}://localhost"));
        assert_eq!(longer, Err(K::Scheme));
        let slash = ListRules::new().trailing_slash();
        assert_eq!(
            slash.canonical("https://contoso.com/").as_deref(),
            Ok("https://contoso.com")
        );
        assert_eq!(slash.canonical("https://contoso.com//"), Err(K::Host));
        let short = ListRules::new().max_entry_bytes(19);
        assert!(short.canonical("https://contoso.com").is_ok());
        assert_eq!(short.canonical("https://contoso.com "), Err(K::Length));
        let hosts = ListRules::new().hosts_mean_https();
        let canonical = |entry| hosts.canonical(entry);
        assert_eq!(
            canonical("Contoso.com").as_deref(),
            Ok("https://contoso.com")
        );
        assert_eq!(
            canonical("contoso.com:8443").as_deref(),
            Ok("https://contoso.com:8443")
        );
        assert_eq!(canonical("http://contoso.com"), Err(K::Insecure));
        assert_eq!(canonical("*.contoso.com"), Err(K::Wildcard));
        assert_eq!(canonical("contoso.com/x"), Err(K::Host));
        assert_eq!(canonical("user@contoso.com"), Err(K::Host));
        assert_eq!(canonical("//contoso.com"), Err(K::Host));
        assert_eq!(canonical("null"), Err(K::Null));
        let wild = ListRules::new().hosts_mean_https().wildcards();
        assert_eq!(
            wild.canonical("*.contoso.com").as_deref(),
            Ok("https://*.contoso.com")
        );
        let wild = ListRules::new().wildcards();
        assert!(wild.canonical("https://*.contoso.com").is_ok());
        assert!(wild.canonical("https://contoso.com:*").is_ok());
        assert_eq!(wild.canonical("https://*.github.io"), Err(K::Wildcard));
        assert_eq!(wild.canonical("https://*"), Err(K::Host));
    }

    #[test]
    fn a_setting_is_named_where_one_lets_the_entry_in() {
        use EntryErrorKind as K;
        for (kind, setting) in [
            (K::Special, "star_lists_any_origin"),
            (K::NoScheme, "hosts_mean_https"),
            (K::TrailingSlash, "trailing_slash"),
            (K::Scheme, "scheme"),
            (K::Insecure, "http_loopback"),
            (K::Wildcard, "wildcards"),
        ] {
            let named = kind.setting().unwrap_or_default();
            assert!(named.contains(&format!("::{setting}")), "{kind:?}: {named}");
        }
        for kind in [K::Null, K::NotText, K::Syntax, K::Host, K::Port] {
            assert_eq!(kind.setting(), None, "{kind:?}");
        }
    }
}
