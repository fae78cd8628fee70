use psl::Psl;

/// The registrable domain of a host that is a name
/// (<https://url.spec.whatwg.org/#host-registrable-domain>).
pub(crate) fn registrable_domain(host: &str) -> Option<&str> {
    let domain = psl::List.domain(host.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}
