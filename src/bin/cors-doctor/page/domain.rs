use psl::Psl;

/// The registrable domain of a host that is a name
/// (<https://url.spec.whatwg.org/#host-registrable-domain>).
pub(crate) fn registrable_domain(host: &str) -> Option<&str> {
    let domain = psl::List.domain(host.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// Whether the internet has names like this one: below a public suffix, and not reserved.
///
/// Single labels and names below other endings belong to private networks.
pub(crate) fn is_public_name(host: &str) -> bool {
    let suffix = psl::List.suffix(without_dot(host).as_bytes());
    suffix.is_some_and(|suffix| suffix.is_known())
        && registrable_domain(without_dot(host)).is_some()
        && !is_reserved_name(host)
}

/// Whether the name is for private networks (RFC 6761, RFC 6762, RFC 8375, `.internal`) or for
/// documentation (RFC 2606), whatever a resolver says about it.
///
/// The samples in `tests/data/setups.json` expect no warning for a page of `app.example.com`.
pub(crate) fn is_reserved_name(host: &str) -> bool {
    const RESERVED: [&str; 10] = [
        "example",
        "example.com",
        "example.net",
        "example.org",
        "home.arpa",
        "internal",
        "invalid",
        "local",
        "localhost",
        "test",
    ];
    RESERVED.iter().any(|reserved| {
        without_dot(host)
            .strip_suffix(reserved)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    })
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_internet() {
        for (host, expected) in [
            ("shop.acme.com", true),
            ("acme.co.uk.", true),
            ("team.vercel.app", true),
            ("app.example.com", false),
            ("example.org", false),
            ("router.home.arpa", false),
            ("com", false),
            ("intranet", false),
            ("printer.local", false),
            ("wiki.corp.internal", false),
            ("app.test", false),
            ("shop.example", false),
            ("", false),
        ] {
            assert_eq!(is_public_name(host), expected, "{host}");
        }
    }
    #[test]
    fn reserved_names() {
        for (host, expected) in [
            ("app.example.com", true),
            ("example.org.", true),
            ("app.test", true),
            ("printer.local", true),
            ("wiki.corp.internal", true),
            ("router.home.arpa", true),
            ("myexample.com", false),
            ("latest", false),
            ("intranet", false),
            ("shop.acme.com", false),
        ] {
            assert_eq!(is_reserved_name(host), expected, "{host}");
        }
    }
}
