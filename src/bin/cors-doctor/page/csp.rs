//! Whether a page's `Content-Security-Policy` lets it connect
//! (<https://www.w3.org/TR/CSP3/#match-url-to-source-list>).

use url::Url;

use super::origin::Origin;

/// All policies of a page; every one of them has to allow a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(Vec<Policy>);

#[derive(Clone, Debug)]
struct Policy(Vec<(String, Vec<String>)>);

/// The directive that forbids a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forbidden {
    pub(crate) name: String,
    pub(crate) directive: String,
}

impl Policies {
    /// Adds the policies of one header line, or of one `meta` element.
    pub(crate) fn add(&mut self, text: &str) {
        self.0.extend(text.split(',').map(Policy::parse));
    }

    /// The directive that keeps the page from connecting to `url`, if one does.
    pub(crate) fn forbids(&self, page: &Origin, url: &Url, redirected: bool) -> Option<Forbidden> {
        self.0.iter().find_map(|policy| {
            let (name, sources) = policy
                .get("connect-src")
                .or_else(|| policy.get("default-src"))?;
            let allowed = sources
                .iter()
                .any(|source| matches(source, page, url, redirected));
            (!allowed).then(|| Forbidden {
                name: name.to_owned(),
                directive: format!("{name} {}", sources.join(" ")).trim().to_owned(),
            })
        })
    }

    /// Whether `http:` URLs of the page become `https:` before anything is sent.
    pub(crate) fn upgrades(&self) -> bool {
        self.0
            .iter()
            .any(|policy| policy.get("upgrade-insecure-requests").is_some())
    }

    /// Whether the page is sandboxed, and so has no origin of its own.
    pub(crate) fn takes_origin(&self) -> bool {
        self.0.iter().any(|policy| {
            policy.get("sandbox").is_some_and(|(_, flags)| {
                !flags
                    .iter()
                    .any(|flag| flag.eq_ignore_ascii_case("allow-same-origin"))
            })
        })
    }
}

impl Policy {
    fn parse(text: &str) -> Self {
        let directives = text.split(';').filter_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let name = words.next()?.to_ascii_lowercase();
            Some((name, words.map(str::to_owned).collect()))
        });
        Self(directives.collect())
    }

    /// The first directive of the name; later ones do not count.
    fn get(&self, name: &str) -> Option<(&str, &[String])> {
        let mut named = self.0.iter().filter(|(n, _)| n == name);
        named
            .next()
            .map(|(n, sources)| (n.as_str(), sources.as_slice()))
    }
}

fn matches(source: &str, page: &Origin, url: &Url, redirected: bool) -> bool {
    let lower = source.to_ascii_lowercase();
    if lower == "'self'" {
        return is_self(page, url);
    }
    if source == "*" {
        let own = page.url().map(Url::scheme);
        return matches!(url.scheme(), "http" | "https" | "ws" | "wss")
            || own == Some(url.scheme());
    }
    if let Some(scheme) = lower.strip_suffix(':') {
        return scheme_matches(scheme, url.scheme());
    }
    if lower.starts_with('\'') {
        return false;
    }
    let (scheme, rest) = match lower.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, lower.as_str()),
    };
    let by_scheme = match (scheme, page.url()) {
        (Some(scheme), _) => scheme_matches(scheme, url.scheme()),
        (None, Some(page)) => scheme_matches(page.scheme(), url.scheme()),
        (None, None) => true,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = split_port(authority);
    let path = &source[source.len() - path.len()..];
    by_scheme
        && host_matches(host, url.host_str().unwrap_or_default())
        && port_matches(port, scheme, url)
        && (redirected || path_matches(path, url.path()))
}

/// `'self'` lets a page upgrade itself to TLS, and its WebSockets with it.
fn is_self(page: &Origin, url: &Url) -> bool {
    let Some(own) = page.url() else {
        return false;
    };
    let both_default = own.port().is_none() && url.port().is_none();
    let same_port = own.port_or_known_default() == url.port_or_known_default();
    let upgrades = matches!(url.scheme(), "https" | "wss")
        || own.scheme() == "http" && matches!(url.scheme(), "http" | "ws");
    page.is_of(url) || own.host() == url.host() && (same_port || both_default) && upgrades
}

fn scheme_matches(source: &str, scheme: &str) -> bool {
    source == scheme
        || matches!(
            (source, scheme),
            ("http", "https") | ("ws", "wss" | "http" | "https") | ("wss", "https")
        )
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn host_matches(source: &str, host: &str) -> bool {
    if source == "*" {
        return true;
    }
    match source.strip_prefix("*.") {
        Some(base) => host
            .strip_suffix(base)
            .is_some_and(|front| front.ends_with('.')),
        None => source == host,
    }
}

fn port_matches(source: Option<&str>, scheme: Option<&str>, url: &Url) -> bool {
    let port = url.port_or_known_default();
    match source {
        Some("*") => true,
        Some(text) => {
            let own = text.parse::<u16>().ok();
            own == port
                || own == Some(80) && port == Some(443) && scheme.is_none_or(|s| s == "http")
        }
        None => url.port().is_none(),
    }
}

/// A path that ends with `/` stands for all below it.
fn path_matches(source: &str, path: &str) -> bool {
    if source.is_empty() {
        return true;
    }
    if source.ends_with('/') {
        path.starts_with(source)
    } else {
        source == path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbids(policy: &str, url: &str) -> bool {
        let page = Origin::parse("https://app.example.com").unwrap();
        let mut policies = Policies::default();
        policies.add(policy);
        policies
            .forbids(&page, &Url::parse(url).unwrap(), false)
            .is_some()
    }

    #[test]
    fn connections_are_matched() {
        let api = "https://api.example.com/items";
        for (policy, url, expected) in [
            ("", api, false),
            ("img-src 'none'", api, false),
            ("default-src 'self'", api, true),
            ("default-src 'self'; connect-src *", api, false),
            ("connect-src 'self'", "https://app.example.com/x", false),
            ("connect-src 'self'", "wss://app.example.com/x", false),
            ("connect-src 'none'", api, true),
            ("connect-src", api, true),
            ("connect-src https:", api, false),
            ("connect-src http:", api, false),
            ("connect-src https:", "http://api.example.com/items", true),
            ("connect-src api.example.com", api, false),
            ("connect-src *.example.com", api, false),
            ("connect-src *.example.com", "https://example.com/", true),
            (
                "connect-src https://api.example.com",
                "https://api.example.com:8443/",
                true,
            ),
            (
                "connect-src https://api.example.com:*",
                "https://api.example.com:8443/",
                false,
            ),
            ("connect-src https://api.example.com/items", api, false),
            ("connect-src https://api.example.com/other", api, true),
            (
                "connect-src https://api.example.com/",
                "wss://api.example.com/s",
                true,
            ),
            ("connect-src *, connect-src 'none'", api, true),
            ("Connect-Src HTTPS://API.example.com", api, false),
        ] {
            assert_eq!(forbids(policy, url), expected, "{policy} {url}");
        }
    }

    #[test]
    fn a_path_does_not_count_after_a_redirect() {
        let page = Origin::parse("https://app.example.com").unwrap();
        let mut policies = Policies::default();
        policies.add("connect-src https://api.example.com/a");
        let url = Url::parse("https://api.example.com/b").unwrap();
        assert!(policies.forbids(&page, &url, false).is_some());
        assert!(policies.forbids(&page, &url, true).is_none());
    }

    #[test]
    fn sandbox_and_upgrade_are_seen() {
        let policies = |text| {
            let mut policies = Policies::default();
            policies.add(text);
            policies
        };
        assert!(policies("sandbox allow-scripts").takes_origin());
        assert!(!policies("sandbox allow-same-origin").takes_origin());
        assert!(policies("upgrade-insecure-requests").upgrades());
    }
}
