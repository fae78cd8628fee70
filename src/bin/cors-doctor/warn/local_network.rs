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
    page::is_public_name,
};

pub(super) async fn find(lab: &Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let steps: Vec<usize> = (0..lab.steps.len())
        .filter(|i| !matches!(lab.steps[*i].kind, Kind::Probe | Kind::Page))
        .filter(|i| address_of(&lab.steps[*i]).is_some_and(is_private))
        .collect();
    let Some(page) = case.page.origin.url() else {
        return;
    };
    if steps.is_empty() || !is_public(page).await {
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
async fn is_public(page: &Url) -> bool {
    if is_loopback_host(page) {
        return false;
    }
    match page.host() {
        Some(Host::Ipv4(address)) => !is_private(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_private(IpAddr::V6(address)),
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
