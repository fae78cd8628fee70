use url::Url;

use crate::{net::is_loopback_host, page::Policies};

/// `upgrade-insecure-requests`, before anything else is looked at.
///
/// Chromium and Firefox leave URLs of this machine alone, since they are potentially trustworthy
/// (<https://w3c.github.io/webappsec-secure-contexts/#is-url-trustworthy>). Safari upgrades them.
pub(crate) fn upgrade(policies: &Policies, url: &mut Url) {
    if policies.upgrades() && !is_loopback_host(url) {
        // Both are special schemes, so that one may take the other's place.
        let _ = match url.scheme() {
            "http" => url.set_scheme("https"),
            "ws" => url.set_scheme("wss"),
            _ => Ok(()),
        };
    }
}
