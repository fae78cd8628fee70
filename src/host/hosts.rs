//! Which host a request is for, and whether it is listed.

use std::{borrow::Cow, net::Ipv4Addr};

use http::{HeaderValue, header::HOST};

use super::denial::{HostDenial, HostDenialKind as Kind};
use crate::{
    fetch::Line,
    origin::{ListMatch, MAX_ORIGIN_LEN, Origin, OriginSet},
    request::Head,
};

/// The listed hosts, as origins with the scheme `https`, which stands for none.
#[derive(Debug)]
pub(super) struct Hosts {
    listed: OriginSet,
    /// Whether every IP address is a host of the service.
    addresses: bool,
}

impl Hosts {
    pub(super) fn new(listed: OriginSet, addresses: bool) -> Self {
        Self { listed, addresses }
    }

    /// Whether the request is for a listed host.
    pub(super) fn judge(&self, head: &Head<'_>) -> Result<(), HostDenial> {
        let line = match Line::find(head.headers, &HOST) {
            Some(Line::Several) => return Err(HostDenial::new(Kind::SeveralHosts, None)),
            Some(Line::One(value)) => Some(value.as_bytes()),
            None => None,
        };
        let target = head.uri.authority().map(|one| one.as_str().as_bytes());
        let denial = |kind, sent: &[u8]| {
            // Longer than any host, it must not be kept.
            let shown = &sent[..sent.len().min(MAX_ORIGIN_LEN)];
            HostDenial::new(kind, HeaderValue::from_bytes(shown).ok())
        };
        match (target, line) {
            (None, None) => Err(HostDenial::new(Kind::MissingHost, None)),
            (None, Some(sent)) | (Some(sent), None) => {
                self.judge_one(sent).map_err(|kind| denial(kind, sent))
            }
            (Some(target), Some(line)) => {
                self.judge_one(target)
                    .map_err(|kind| denial(kind, target))?;
                if normal(target) == normal(line) {
                    Ok(())
                } else {
                    Err(denial(Kind::Contradiction, line))
                }
            }
        }
    }

    fn judge_one(&self, sent: &[u8]) -> Result<(), Kind> {
        let host = normal(sent).ok_or(Kind::MalformedHost)?;
        let origin = format!("https://{host}");
        if self.listed.look_up(origin.as_bytes()) == ListMatch::Listed {
            return Ok(());
        }
        let origin: Origin = origin.parse().map_err(|_| Kind::MalformedHost)?;
        // A host with a port, or an IPv6 address, has to be parsed to be found.
        if self.listed.contains(&origin) || self.addresses && is_address(&origin) {
            Ok(())
        } else {
            Err(Kind::HostNotAllowed)
        }
    }

    /// Without the dot of a fully qualified name, which is the same name, and without a default
    /// port.
    ///
    /// A service cannot tell whether the client used TLS, so 80 and 443 are both defaults.
    pub(super) fn normal_form(host: &str) -> Cow<'_, str> {
        // The colons of an IPv6 address are in brackets.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let bare = name.strip_suffix('.').unwrap_or(name);
        match port {
            None | Some("80" | "443") => Cow::Borrowed(bare),
            Some(port) => Cow::Owned(format!("{bare}:{port}")),
        }
    }
}

/// The host as the list has it: in lower case and normal form. `None` if it is longer than any host, or
/// no text.
fn normal(sent: &[u8]) -> Option<String> {
    // Before it is copied.
    if sent.len() > MAX_ORIGIN_LEN {
        return None;
    }
    let lower = std::str::from_utf8(sent).ok()?.to_ascii_lowercase();
    Some(Hosts::normal_form(&lower).into_owned())
}

fn is_address(origin: &Origin) -> bool {
    // The grammar has brackets for IPv6 addresses only.
    origin.host().starts_with('[') || origin.host().parse::<Ipv4Addr>().is_ok()
}
