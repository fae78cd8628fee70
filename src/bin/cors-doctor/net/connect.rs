//! From a URL's host and port to a TCP connection.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpStream;
use url::{Host, Url};

use crate::failure::Failure;

/// `--connect-to HOST:PORT:ADDRESS:PORT`; an empty part stands for any, or for the URL's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectTo {
    host: String,
    port: Option<u16>,
    to_host: String,
    to_port: Option<u16>,
}

impl ConnectTo {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, rest) = part(text)?;
        let (port, rest) = part(rest.strip_prefix(':')?)?;
        let (to_host, rest) = part(rest.strip_prefix(':')?)?;
        let (to_port, rest) = part(rest.strip_prefix(':')?)?;
        rest.is_empty().then_some(())?;
        Some(Self {
            host: host.to_ascii_lowercase(),
            port: optional_port(port)?,
            to_host: to_host.to_owned(),
            to_port: optional_port(to_port)?,
        })
    }

    fn is_for(&self, host: &str, port: u16) -> bool {
        let is_host = self.host.is_empty() || self.host == host;
        is_host && self.port.is_none_or(|own| own == port)
    }
}

/// Up to the next colon, or a whole IPv6 address in brackets, without them.
fn part(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let end = rest.find(']')?;
        return Some((&rest[..end], &rest[end + 1..]));
    }
    Some(text.split_at(text.find(':').unwrap_or(text.len())))
}

fn optional_port(text: &str) -> Option<Option<u16>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().map(Some)
}

/// Addresses to try in turn, and whether `--connect-to` chose them.
pub(super) async fn resolve(
    url: &Url,
    connect_to: &[ConnectTo],
) -> Result<(Vec<SocketAddr>, bool), Failure> {
    let host = bare_host(url);
    let port = url.port_or_known_default().unwrap_or(80);
    let rule = connect_to.iter().find(|rule| rule.is_for(&host, port));
    let (name, port) = match rule {
        Some(rule) => {
            let name = if rule.to_host.is_empty() {
                &host
            } else {
                &rule.to_host
            };
            (name.clone(), rule.to_port.unwrap_or(port))
        }
        None => (host, port),
    };
    Ok((addresses(&name, port).await?, rule.is_some()))
}

async fn addresses(name: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    // Browsers ask nobody for names below localhost.
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
            SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
        ]);
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, port))
        .await
        .map_err(|error| Failure::HostNotFound(format!("{name}: {error}")))?
        .collect();
    if found.is_empty() {
        return Err(Failure::HostNotFound(format!("{name} has no address")));
    }
    Ok(found)
}

pub(super) async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut last = io::Error::other("no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((stream, *address)),
            Err(error) => last = error,
        }
    }
    Err(Failure::Refused(last.to_string()))
}

/// The URL's host, an IPv6 address without its brackets.
fn bare_host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// Whether browsers take the URL for one of this machine, without asking anybody.
pub(crate) fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the address is of this machine or of a private network, as Local Network Access counts.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(v4.into()),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_be_empty_and_addresses_have_brackets() {
        for (text, host, port, to_host, to_port) in [
            (
                "a.example:80:127.0.0.1:8080",
                "a.example",
                Some(80),
                "127.0.0.1",
                Some(8080),
            ),
            (
                "A.example:443::8443",
                "a.example",
                Some(443),
                "",
                Some(8443),
            ),
            ("::[::1]:", "", None, "::1", None),
            ("[::1]:80:b:", "::1", Some(80), "b", None),
        ] {
            let parsed = ConnectTo::parse(text).unwrap();
            assert_eq!(parsed.host, host, "{text}");
            assert_eq!(parsed.port, port, "{text}");
            assert_eq!(parsed.to_host, to_host, "{text}");
            assert_eq!(parsed.to_port, to_port, "{text}");
        }
        for text in [
            "a:80",
            "a:b:c:d",
            "a:80:b:99999",
            "[::1:80:b:1",
            "a:80:b:80:c",
            "",
        ] {
            assert_eq!(ConnectTo::parse(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_known_by_name() {
        for (url, expected) in [
            ("http://localhost", true),
            ("http://x.localhost:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                is_loopback_host(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn private_addresses() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("192.168.1.2", true),
            ("100.64.0.1", true),
            ("fd00::1", true),
            ("::ffff:10.0.0.1", true),
            ("203.0.113.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }
}
