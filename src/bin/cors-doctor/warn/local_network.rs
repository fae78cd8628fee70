//! Browsers ask their user before a page of the internet may talk to this machine or network.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use url::{Host, Url};

use super::warning::Warnings;
use crate::{
    case::Case,
    exchange::{Kind, Step},
    lab::Lab,
    net::{is_loopback_host, is_private},
    page::{is_public_name, is_reserved_name},
};

pub(super) async fn find(lab: &Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let steps: Vec<usize> = (0..lab.steps.len())
        .filter(|i| !matches!(lab.steps[*i].kind, Kind::Probe | Kind::Page))
        .filter(|i| address_of(&lab.steps[*i]).is_some_and(is_private))
        .collect();
    let Some(page) = case.page.origin.url() else {
        return;
    };
    if steps.is_empty() || !is_public(page, addresses_of).await {
        return;
    }
    warnings.add(
        "local-network",
        "the server is on this machine or in a private network, the page is not: browsers ask \
         their user for a permission, and send nothing without it"
            .into(),
        "let the user grant the permission, or serve the page from the same network".into(),
        &steps,
    );
}

/// Where browsers would connect to: what the URL itself says, or where its name led.
fn address_of(step: &Step) -> Option<IpAddr> {
    match step.sent.url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ if is_loopback_host(&step.sent.url) => Some(Ipv4Addr::LOCALHOST.into()),
        _ => step.address,
    }
}

/// Whether the page's host is of the internet: neither this machine nor in a private network.
async fn is_public(
    page: &Url,
    addresses_of: impl AsyncFnOnce(&str) -> Option<Vec<IpAddr>>,
) -> bool {
    if is_loopback_host(page) {
        return false;
    }
    match page.host() {
        Some(Host::Ipv4(address)) => !is_private(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_private(IpAddr::V6(address)),
        // Without asking, so that the warning does not depend on where the doctor runs.
        Some(Host::Domain(name)) if is_reserved_name(name) => false,
        // Only its addresses tell whether a name leads into a private network. Where the doctor
        // runs, the name of the page often does not resolve; then the name itself decides.
        Some(Host::Domain(name)) => match addresses_of(name).await {
            Some(addresses) => !addresses.into_iter().any(is_private),
            None => is_public_name(name),
        },
        None => false,
    }
}

async fn addresses_of(name: &str) -> Option<Vec<IpAddr>> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let found = tokio::net::lookup_host((name, 443));
    let found = tokio::time::timeout(PATIENCE, found).await.ok()?.ok()?;
    let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    (!addresses.is_empty()).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is public where every name has this address, or none has any.
    async fn is_public_with(page: &str, address: Option<[u8; 4]>) -> bool {
        let page = Url::parse(page).unwrap();
        is_public(&page, async |_: &str| address.map(|a| vec![a.into()])).await
    }

    #[tokio::test]
    async fn reserved_names_are_not_asked_for() {
        const INTERNET: Option<[u8; 4]> = Some([203, 0, 113, 7]);
        for page in [
            "https://app.example.com",
            "https://example.org",
            "https://app.test",
            "http://printer.local",
            "http://localhost:3000",
        ] {
            assert!(!is_public_with(page, INTERNET).await, "{page}");
            assert!(!is_public_with(page, None).await, "{page}");
        }
        for (address, expected) in [(INTERNET, true), (Some([10, 0, 0, 7]), false), (None, true)] {
            let page = "https://shop.acme.com";
            assert_eq!(is_public_with(page, address).await, expected, "{address:?}");
        }
    }
}
