use psl::Psl;

/// The registrable domain of a host that is a name
/// (<https://url.spec.whatwg.org/#host-registrable-domain>).
pub(crate) fn registrable_domain(host: &str) -> Option<&str> {
    let domain = psl::List.domain(host.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// Whether the internet has names like this one: below a public suffix, and not reserved.
///
/// Names below other endings (`.local`, `.internal`, `.test`) and single labels belong to private
/// networks (RFC 6761, RFC 6762). `example.com` and its siblings are reserved for documentation
/// (RFC 2606), and the samples in `tests/data/setups.json` expect no warning for a page there.
pub(crate) fn is_public_name(host: &str) -> bool {
    const RESERVED: [&str; 3] = ["example.com", "example.net", "example.org"];
    let host = host.strip_suffix('.').unwrap_or(host);
    let suffix = psl::List.suffix(host.as_bytes());
    suffix.is_some_and(|suffix| suffix.is_known())
        && registrable_domain(host).is_some_and(|domain| !RESERVED.contains(&domain))
        && !host.ends_with(".home.arpa")
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
}
