//! Whether the server allows the page under another name: asks as the neighbours of its origin.

use url::{Host, Url};

use super::{code::Cause, finding::Finding, questions::Questions};
use crate::{judge::Spelling, page::registrable_domain};

/// Asks as one origin after the other, until one is allowed while a made-up one is not.
pub(super) async fn find(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    if !questions.lab.is_probing() {
        return None;
    }
    let url = questions.case.page.origin.url()?.clone();
    if questions.asking.origin == "null" || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let made_up = questions.ask_as(MADE_UP).await?;
    if questions.answer_of(made_up).echoes(MADE_UP) {
        return None;
    }
    for (origin, cause) in neighbours(&url) {
        let Some(step) = questions.ask_as(&origin).await else {
            continue;
        };
        if !questions.answer_of(step).echoes(&origin) {
            continue;
        }
        let cause = match (cause, subdomain(&url)) {
            // A pattern for all subdomains allows `www.` among them.
            (Cause::OriginWww(found), Some(below)) if found.contains("://www.") => {
                let is_pattern = match questions.ask_as(&below).await {
                    Some(step) => questions.answer_of(step).echoes(&below),
                    None => false,
                };
                if is_pattern {
                    Cause::OriginSubdomain {
                        found: below,
                        every: true,
                    }
                } else {
                    Cause::OriginWww(found)
                }
            }
            (cause, _) => cause,
        };
        let own = &questions.asking.origin;
        let text = format!("it grants {origin}, but neither {own} nor {MADE_UP}");
        return Some(Finding::new(cause, step, text));
    }
    None
}

/// An origin that nobody lists.
pub(crate) const MADE_UP: &str = "https://cors-doctor-made-up.test";

/// Other spellings of a page's origin, and what it means if one of them is allowed.
fn neighbours(url: &Url) -> Vec<(String, Cause)> {
    let scheme = url.scheme();
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let own = format!("{scheme}://{host}{port}");
    let mut found: Vec<(String, Cause)> = Vec::new();
    let mut add = |origin: String, cause: fn(String) -> Cause| {
        found.push((origin.clone(), cause(origin)));
    };

    let other = if scheme == "https" { "http" } else { "https" };
    add(format!("{other}://{host}{port}"), Cause::OriginScheme);
    if registrable_domain(host).is_some() && matches!(url.host(), Some(Host::Domain(_))) {
        let www = match host.strip_prefix("www.") {
            Some(bare) => bare.to_owned(),
            None => format!("www.{host}"),
        };
        add(format!("{scheme}://{www}{port}"), Cause::OriginWww);
    }
    for other in ports(url) {
        let other = other.map_or(String::new(), |port| format!(":{port}"));
        if other != port {
            add(format!("{scheme}://{host}{other}"), Cause::OriginPort);
        }
    }
    for parent in parents(url) {
        add(format!("{scheme}://{parent}{port}"), |found| {
            Cause::OriginSubdomain {
                found,
                every: false,
            }
        });
    }
    if let Some(below) = subdomain(url) {
        add(below, |found| Cause::OriginSubdomain { found, every: true });
    }
    for other in loopbacks(host) {
        add(format!("{scheme}://{other}{port}"), Cause::OriginLoopback);
    }

    let mut add = |origin: String, spelling| {
        found.push((origin.clone(), Cause::OriginSpelling(spelling, origin)));
    };
    add(format!("{own}/"), Spelling::Slash);
    if port.is_empty() {
        let default = if scheme == "https" { 443 } else { 80 };
        add(format!("{own}:{default}"), Spelling::DefaultPort);
    }
    add(format!("{host}{port}"), Spelling::NoScheme);
    let capitals = capitalized(host);
    if capitals != host {
        add(format!("{scheme}://{capitals}{port}"), Spelling::Case);
    }
    if host.contains("xn--") {
        let (unicode, valid) = url_unicode(host);
        if valid && unicode != host {
            add(format!("{scheme}://{unicode}{port}"), Spelling::Unicode);
        }
    }
    found
}

/// Ports that pages are often served from.
fn ports(url: &Url) -> Vec<Option<u16>> {
    let is_local = !loopbacks(url.host_str().unwrap_or_default()).is_empty();
    let usual: &[u16] = if is_local {
        &[3000, 5173, 8080, 4200, 8000, 5000, 3001]
    } else {
        &[8443, 8080, 3000]
    };
    std::iter::once(None)
        .chain(usual.iter().map(|port| Some(*port)))
        .collect()
}

/// The domains above the host, down to the registrable one. `www.` is told apart.
fn parents(url: &Url) -> Vec<&str> {
    let Some(Host::Domain(host)) = url.host() else {
        return Vec::new();
    };
    let Some(registrable) = registrable_domain(host) else {
        return Vec::new();
    };
    let mut parents = Vec::new();
    let mut rest = host;
    while rest != registrable
        && let Some((_, parent)) = rest.split_once('.')
    {
        if !rest.starts_with("www.") || rest != host {
            parents.push(parent);
        }
        rest = parent;
    }
    parents
}

/// A made-up origin below the page's.
fn subdomain(url: &Url) -> Option<String> {
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    registrable_domain(host)?;
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    Some(format!("{}://made-up.{host}{port}", url.scheme()))
}

/// The other names of this machine.
fn loopbacks(host: &str) -> &'static [&'static str] {
    match host {
        "localhost" => &["127.0.0.1"],
        "127.0.0.1" => &["localhost"],
        "[::1]" => &["localhost", "127.0.0.1"],
        _ => &[],
    }
}

/// With a capital at the beginning of each label.
fn capitalized(host: &str) -> String {
    let labels = host.split('.').map(|label| {
        let mut chars = label.chars();
        chars.next().map_or(String::new(), |first| {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        })
    });
    labels.collect::<Vec<_>>().join(".")
}

fn url_unicode(host: &str) -> (String, bool) {
    let (unicode, errors) = idna::domain_to_unicode(host);
    (unicode, errors.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> Vec<(String, &'static str)> {
        let neighbours = neighbours(&Url::parse(url).unwrap());
        neighbours
            .into_iter()
            .map(|(origin, cause)| (origin, cause.code()))
            .collect()
    }

    #[test]
    fn neighbours_of_a_name() {
        let asked = asked("https://app.example.com/");
        let origins: Vec<&str> = asked.iter().map(|(origin, _)| origin.as_str()).collect();
        assert_eq!(
            origins,
            [
                "http://app.example.com",
                "https://www.app.example.com",
                "https://app.example.com:8443",
                "https://app.example.com:8080",
                "https://app.example.com:3000",
                "https://example.com",
                "https://made-up.app.example.com",
                "https://app.example.com/",
                "https://app.example.com:443",
                "app.example.com",
                "https://App.Example.Com",
            ]
        );
    }

    #[test]
    fn neighbours_of_this_machine() {
        let asked = asked("http://localhost:3000/");
        assert!(asked.contains(&("http://localhost".to_owned(), "origin-port")));
        assert!(asked.contains(&("http://localhost:5173".to_owned(), "origin-port")));
        assert!(asked.contains(&("http://127.0.0.1:3000".to_owned(), "origin-loopback")));
        assert!(!asked.iter().any(|(origin, _)| origin.contains("www.")));
    }

    #[test]
    fn a_bare_domain_is_no_parent_of_its_www() {
        let asked = asked("https://www.example.com/");
        assert!(asked.contains(&("https://example.com".to_owned(), "origin-www")));
        assert!(!asked.contains(&("https://example.com".to_owned(), "origin-subdomain")));
    }
}
