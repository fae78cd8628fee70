//! One entry of a list of origins: an origin, or one with wildcards.

use std::net::Ipv4Addr;

use super::origin::{self, Origin};

/// The parts of an entry, as they are written.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    /// `""` for none, `"*"` for any.
    port: &'a str,
}

fn parts(entry: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = entry.split_once("://")?;
    let (host, port) = origin::split_port(rest)?;
    let port = port.unwrap_or("");
    Some(Parts { scheme, host, port })
}

/// Whether the well-formed entry matches the origin: part by part, never as texts.
pub fn matches(entry: &str, origin: &Origin) -> bool {
    let Some(entry) = parts(entry) else {
        return false;
    };
    let is_same_port = entry.port == "*" || entry.port == origin.port;
    entry.scheme == origin.scheme && is_same_port && matches_host(&entry, &origin.host)
}

fn matches_host(entry: &Parts<'_>, host: &str) -> bool {
    if entry.host == host {
        // The host of an application may have a `*` in it, but the entry `*` is a wildcard.
        return true;
    }
    if let Some(base) = entry.host.strip_prefix("*.") {
        // One or more whole labels, and the dot before the base.
        let labels = host
            .strip_suffix(base)
            .and_then(|host| host.strip_suffix('.'));
        return labels.is_some_and(|labels| labels.split('.').all(origin::is_label));
    }
    if entry.host == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.host.split_once('/') {
        let number = |text: &str| {
            text.parse::<Ipv4Addr>()
                .ok()
                .map(|a| u64::from(u32::from(a)))
        };
        let size = 1_u64 << (32 - bits.parse::<u32>().unwrap_or(32));
        return match (number(network), number(host)) {
            (Some(first), Some(address)) => address >= first && address < first + size,
            _ => false,
        };
    }
    if let Some((prefix, suffix)) = entry.host.split_once('*') {
        // Something within one label.
        let part = host
            .strip_prefix(prefix)
            .and_then(|host| host.strip_suffix(suffix));
        return part.is_some_and(|part| !part.is_empty() && !part.contains('.'));
    }
    false
}

/// Whether the entry can stand in a list. `None` where that depends on what the model does not
/// know: Punycode, and who hands out the names below a domain.
pub fn is_well_formed(entry: &str) -> Option<bool> {
    let Some(Parts { scheme, host, port }) = parts(entry) else {
        return Some(false);
    };
    // No page has these origins; and every local file is `file://`.
    let no_page = [
        "ws",
        "wss",
        "ftp",
        "data",
        "blob",
        "about",
        "javascript",
        "file",
    ];
    // A colon with nothing behind it is not the same as no colon.
    let port = if entry.ends_with(':') {
        Some("")
    } else {
        Some(port).filter(|p| !p.is_empty())
    };
    let is_port = port == Some("*") || origin::is_port(port, scheme);
    if !origin::is_scheme(scheme) || no_page.contains(&scheme) || !is_port {
        return Some(false);
    }
    if let Some(base) = host.strip_prefix("*.") {
        let is_address = base.starts_with('[') || base.parse::<Ipv4Addr>().is_ok();
        // The shortest name below the base is a page's host, too.
        let shortest = format!("x.{base}");
        let fits = if origin::is_web(scheme) {
            origin::is_web_host(&shortest)
        } else {
            origin::is_application_host(&shortest)
        };
        return is_registrable(base).map(|is_name| is_name && !is_address && fits);
    }
    if !origin::is_web(scheme) {
        let is_plain = !host.contains('*') || host == "*";
        return Some(origin::is_application_host(host) && is_plain);
    }
    match host.split_once('*') {
        None => is_registrable(host),
        // `pr-*.example.com`: one star in the first label, beside something else, and not directly
        // below a registry of domains.
        Some((before, after)) => {
            let (label, base) = after.split_once('.').unwrap_or((after, ""));
            let is_part = !before.contains('.') && (before, label) != ("", "");
            let is_name = is_registrable(&format!("{before}x{after}"));
            if !is_part || after.contains('*') || base.is_empty() || is_name == Some(false) {
                Some(false)
            } else {
                is_name.filter(|_| is_own_domain(base))
            }
        }
    }
}

/// Whether the entry is a range of IPv4 addresses, of all ports or of one: the first address and the
/// number of fixed bits.
pub fn is_range(entry: &str) -> bool {
    let Some(Parts { scheme, host, port }) = parts(entry) else {
        return false;
    };
    let is_port = match port {
        "*" => true,
        "" => !entry.ends_with(':'),
        port => origin::is_port(Some(port), scheme),
    };
    let Some((first, bits)) = host.split_once('/') else {
        return false;
    };
    let (Ok(first), Ok(number)) = (first.parse::<Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    ["http", "https"].contains(&scheme)
        && is_port
        && bits == number.to_string()
        && (8..=32).contains(&number)
        && u64::from(u32::from(first)) % (1 << (32 - number)) == 0
}

/// Whether the host could be registered: people who write lists mistype, and browsers do not.
fn is_registrable(host: &str) -> Option<bool> {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let is_plain = |label: &str| {
        let is_of_a_name =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        !label.starts_with('-') && !label.ends_with('-') && label.chars().all(is_of_a_name)
    };
    let is_name = host.starts_with('[') || labels.clone().all(is_plain);
    if labels.clone().any(|label| label.starts_with("xn--")) {
        return None;
    }
    Some(is_name && origin::is_web_host(host))
}

/// Names that their owners have for certain: `example.com` and those below it, as RFC 2606 has them.
/// Of all others the model does not know.
fn is_own_domain(base: &str) -> bool {
    [
        "a.example",
        "b.example",
        "example.com",
        "preview.app.example",
        "app.example",
    ]
    .contains(&base)
}

/// Whether an entry may be listed beside credentials, whatever it matches otherwise. `None` where
/// the model does not know.
pub fn is_safe_with_credentials(entry: &str, insecure: bool, suffixes: bool) -> Option<bool> {
    let Parts { scheme, host, .. } = parts(entry)?;
    let base = host.strip_prefix("*.");
    let is_loopback = origin::is_loopback(base.unwrap_or(host));
    if !insecure && scheme == "http" && !is_loopback {
        return Some(false);
    }
    let is_wild = host.contains('*');
    if suffixes || !is_wild || (base.is_some() && is_loopback) {
        return Some(true);
    }
    if host == "*" {
        return Some(false);
    }
    let base = base.unwrap_or_else(|| host.split_once('.').map_or("", |(_, base)| base));
    if ["github.io", "co.uk", "com", "vercel.app"].contains(&base) {
        Some(false)
    } else {
        is_own_domain(base).then_some(true)
    }
}
