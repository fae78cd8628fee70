//! One entry of a list of origins that somebody else wrote, in the spelling that browsers send.

use std::net::Ipv6Addr;

use super::entry_error::EntryErrorKind;
use crate::origin::{
    HostPattern, MAX_IPV6_LEN, MAX_SCHEME_LEN, OriginErrorKind, OriginPattern, PatternRef,
    default_port, domain_to_ascii, is_loopback_host, names_hosts, serialise_ipv6, split_host,
};

/// Which entries of other people's lists are origins that may be listed at all.
///
/// By default only `https` origins without wildcards are. An entry is never decoded and never cut
/// short. Only its case, Unicode, the default port and white space around it may differ from what
/// browsers send; with any other difference it is not an origin. The host of an application's origin
/// may not differ at all: it is sent as the application spells it.
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

    /// Lets in a scheme of apps, such as `capacitor` or `chrome-extension`, in whatever case. Their
    /// hosts are compared byte by byte, as in a list of the layer: `app://MyApp` is not
    /// `app://myapp`. A host with a `;` is not let in, because that stands between entries.
    ///
    /// ```
    /// use tower_cors::token::claim::{EntryErrorKind, ListRules};
    ///
    /// let rules = ListRules::new().scheme("app");
    /// assert_eq!(rules.canonical("app://MyApp").unwrap(), "app://MyApp");
    /// assert_eq!(rules.canonical("app://").unwrap(), "app://");
    /// assert_eq!(rules.canonical("tauri://localhost"), Err(EntryErrorKind::Scheme));
    /// ```
    pub fn scheme(mut self, scheme: impl Into<Box<str>>) -> Self {
        // RFC 3986, section 3.1: schemes are case-insensitive, and lower case is canonical.
        self.schemes.push(scheme.into().to_ascii_lowercase().into());
        self
    }

    /// Lets in the wildcards of [`OriginPattern`], not below or above a public suffix. Together with
    /// a [`scheme`](Self::scheme), that includes every host of it, such as `moz-extension://*`: then
    /// a token may list every extension that a user has installed.
    ///
    /// ```
    /// use tower_cors::token::claim::{EntryErrorKind, ListRules};
    ///
    /// let rules = ListRules::new().wildcards();
    /// assert!(rules.canonical("https://*.example.com").is_ok());
    /// assert!(rules.canonical("https://pr-*.example.com").is_ok());
    /// // Anybody can have a name there.
    /// assert_eq!(rules.canonical("https://*.github.io"), Err(EntryErrorKind::Wildcard));
    /// ```
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
        let host = if names_hosts(scheme.as_bytes()) {
            canonical_host(host)?
        } else {
            application_host(host)?
        };
        self.check_scheme(&scheme, &host)?;
        let port = canonical_port(port, &scheme)?;
        // The grammar has the last word.
        let text = format!("{scheme}://{host}{port}");
        let pattern = PatternRef::parse(&text).map_err(|kind| match kind {
            OriginErrorKind::File | OriginErrorKind::NoPage => Kind::NoPage,
            _ => Kind::Host,
        })?;
        if pattern.is_exact() || self.wildcards && is_own_wildcard(pattern) {
            Ok(pattern.to_owned_pattern())
        } else {
            Err(Kind::Wildcard)
        }
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

/// Whether a wildcard does not reach across a public suffix. `app://*` reaches across none: nobody
/// registers the hosts of an application's scheme.
fn is_own_wildcard(pattern: PatternRef<'_>) -> bool {
    pattern.host_pattern() == HostPattern::Any || !pattern.matches_strangers()
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

/// The host of an application, which is sent with the bytes that the application chose
/// (RFC 6454, section 7.1). The grammar of origins checks it.
fn application_host(host: &str) -> Result<String, EntryErrorKind> {
    // It may have a `;`, which would end the entry if the list were written again.
    if host.contains(';') {
        Err(EntryErrorKind::Host)
    } else {
        Ok(host.to_owned())
    }
}

/// The host of a web page. A `*` may stand in its first label, which has to be ASCII then: with a
/// part missing, it has no Punycode.
fn canonical_host(host: &str) -> Result<String, EntryErrorKind> {
    match host.split_once('.') {
        Some((label, base)) if label.contains('*') => {
            let base = canonical_name(base)?;
            Ok(format!("{}.{base}", label.to_ascii_lowercase()))
        }
        _ => canonical_name(host),
    }
}

/// A domain or an address.
fn canonical_name(host: &str) -> Result<String, EntryErrorKind> {
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

    /// Browsers send an application's origin with the bytes that the application chose, and they
    /// are compared byte by byte.
    #[test]
    fn origins_of_applications_keep_their_bytes() {
        use EntryErrorKind as K;
        let rules = ListRules::new().scheme("app").scheme("file").scheme("ws");
        for (entry, expected) in [
            ("app://", Ok("app://")),
            ("app://-", Ok("app://-")),
            (" App://MyApp ", Ok("app://MyApp")),
            ("app://a..b", Ok("app://a..b")),
            ("app://a%2Fb:1", Ok("app://a%2Fb:1")),
            ("app://a=(b)", Ok("app://a=(b)")),
            ("app://[2001:db8::1]", Ok("app://[2001:db8::1]")),
            ("app://[2001:DB8::1]", Err(K::Host)),
            // A list with this delimiter would name another origin.
            ("app://a;b", Err(K::Host)),
            ("app://a,b", Err(K::Host)),
            ("app://bücher", Err(K::Host)),
            ("app://a；b", Err(K::Host)),
            ("app://user@a", Err(K::Host)),
            ("app://a/b", Err(K::Host)),
            ("app://a/", Err(K::TrailingSlash)),
            ("app://a*b", Err(K::Host)),
            ("app://a:0", Err(K::Port)),
            ("other://MyApp", Err(K::Scheme)),
            // No setting lets these in.
            ("file://", Err(K::NoPage)),
            ("ws://contoso.com", Err(K::NoPage)),
        ] {
            let canonical = rules.canonical(entry);
            assert_eq!(canonical.as_deref(), expected.as_deref(), "{entry}");
            if let Ok(text) = canonical {
                let sent: crate::origin::Origin = text.parse().unwrap();
                assert!(rules.parse(entry).unwrap().matches(&sent), "{entry}");
            }
        }
    }

    #[test]
    fn wildcards_are_those_of_patterns() {
        use EntryErrorKind as K;
        let listed = ListRules::new().scheme("moz-extension").http_loopback();
        let wild = listed.clone().wildcards();
        for (entry, expected) in [
            ("https://*.contoso.com", Ok("https://*.contoso.com")),
            (
                "HTTPS://*.Bücher.example:443",
                Ok("https://*.xn--bcher-kva.example"),
            ),
            ("https://pr-*.example.com", Ok("https://pr-*.example.com")),
            (
                "https://PR-*-X.Bücher.example",
                Ok("https://pr-*-x.xn--bcher-kva.example"),
            ),
            (
                "https://*shop.example.com:*",
                Ok("https://*shop.example.com:*"),
            ),
            ("http://pr-*.localhost:*", Ok("http://pr-*.localhost:*")),
            ("moz-extension://*", Ok("moz-extension://*")),
            ("moz-extension://*.a", Err(K::Wildcard)),
            ("http://pr-*.example.com", Err(K::Insecure)),
            ("app://*", Err(K::Scheme)),
            // Across a public suffix.
            ("https://*.github.io", Err(K::Wildcard)),
            ("https://pr-*.github.io", Err(K::Wildcard)),
            ("https://pr-*.com", Err(K::Host)),
            ("https://*", Err(K::Host)),
            ("https://pr-*", Err(K::Host)),
            ("https://a.*.example.com", Err(K::Host)),
            ("https://*-*.example.com", Err(K::Host)),
            ("https://bü*.example.com", Err(K::Host)),
            ("https://a;*.example.com", Err(K::Host)),
            ("https://＊.example.com", Err(K::Host)),
            ("https://pr-*.a;b.example", Err(K::Host)),
            ("https://*.127.0.0.1", Err(K::Host)),
            ("http://127.0.0.0/8", Err(K::Host)),
            ("moz-extension://*a", Err(K::Host)),
        ] {
            assert_eq!(
                wild.canonical(entry).as_deref(),
                expected.as_deref(),
                "{entry}"
            );
            // The setting that would let them in is named where it is missing.
            let by_default = expected.err().unwrap_or(K::Wildcard);
            assert_eq!(listed.canonical(entry), Err(by_default), "{entry}");
        }
        let is_listed = |entry: &str, origin: &str| {
            let origin = origin.parse().unwrap();
            wild.parse(entry).unwrap().matches(&origin)
        };
        let previews = "https://PR-*.example.com";
        assert!(is_listed(previews, "https://pr-42.example.com"));
        assert!(!is_listed(previews, "https://pr-.example.com"));
        assert!(!is_listed(previews, "https://pr-4.2.example.com"));
        assert!(!is_listed(previews, "https://qr-42.example.com"));
        assert!(is_listed("moz-extension://*", "moz-extension://0F5C8A7E"));
    }
}
