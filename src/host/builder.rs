use std::sync::Arc;

use super::{
    error::{HostError, HostErrorReason as Reason, HostErrors},
    hosts::Hosts,
    layer::{HostLayer, Shared},
};
use crate::{
    lists::ConfigList,
    origin::{
        HostPattern, OriginError, OriginErrorKind as Kind, OriginPattern, OriginSet,
        crosses_public_suffix, leftover,
    },
};

/// A list of hosts that is not checked yet: see [`HostLayer::builder`].
///
/// Nothing is checked before [`build`](Self::build), which reports every mistake.
///
/// ```
/// use tower_cors::host::HostLayer;
///
/// let hosts = HostLayer::builder().allow_hosts(["api.example.com", "localhost:*"]);
/// assert!(hosts.build().is_ok());
/// let with_mistakes = HostLayer::builder().allow_hosts(["https://api.example.com", "*.com"]);
/// assert_eq!(with_mistakes.build().map_err(|errors| errors.len()).err(), Some(2));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a configuration does nothing until it is built"]
pub struct HostLayerBuilder {
    hosts: ConfigList,
    addresses: bool,
}

impl HostLayerBuilder {
    /// The hosts that the service answers for: one or several entries, or a text with several, as
    /// [`ConfigList`] takes them.
    ///
    /// | written | matches |
    /// |---|---|
    /// | `api.example.com` | that name with the default port: none, 80 or 443, since a service cannot tell which of them is the default one |
    /// | `localhost:3000`, `[::1]:3000`, `10.1.2.3:8080` | that name or address with that port |
    /// | `localhost:*` | any port |
    /// | `*.example.com` | one or more labels below `example.com`, never `example.com` itself |
    ///
    /// The case does not matter, and neither does a dot at the end of the name.
    pub fn allow_hosts(mut self, hosts: impl Into<ConfigList>) -> Self {
        self.hosts = hosts.into();
        self
    }

    /// Whether every IPv4 and IPv6 address is a host of the service, with any port, beside the
    /// listed ones. Default: no.
    ///
    /// Rebinding needs a name, so a request for an address is not a rebound one. Load balancers and
    /// orchestrators ask for a service's health by its address.
    ///
    /// ```
    /// use tower_cors::host::HostLayer;
    ///
    /// let by_address = HostLayer::builder().allow_addresses(true);
    /// assert!(by_address.build().is_ok());
    /// // An address range is not a host.
    /// assert!(HostLayer::builder().allow_hosts("10.0.0.0/8").build().is_err());
    /// ```
    pub fn allow_addresses(mut self, allowed: bool) -> Self {
        self.addresses = allowed;
        self
    }

    /// Checks the list.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first. A list without entries is one, unless addresses are
    /// allowed.
    pub fn build(self) -> Result<HostLayer, HostErrors> {
        let mut errors = Vec::new();
        if let Some(variable) = self.hosts.missing_variable() {
            errors.push(HostError::MissingVariable {
                variable: variable.to_owned(),
            });
        } else if self.hosts.listed().len() == 0 && !self.hosts.has_any() && !self.addresses {
            errors.push(HostError::MissingHosts);
        }
        let mistake = |value: &str, place, (reason, instead)| HostError::Host {
            value: value.to_owned(),
            place,
            reason,
            instead,
        };
        if self.hosts.has_any() {
            errors.push(mistake("*", Default::default(), (Reason::AnyHost, None)));
        }
        let mut patterns = Vec::new();
        for (index, entry) in self.hosts.listed().enumerate() {
            match parse(entry) {
                Ok(pattern) => patterns.push(pattern),
                Err(wrong) => errors.push(mistake(entry, self.hosts.place(index), wrong)),
            }
        }
        HostErrors::none_or(errors, || HostLayer {
            shared: Arc::new(Shared::new(Hosts::new(
                OriginSet::from_iter(patterns),
                self.addresses,
            ))),
        })
    }
}

/// The entry as the pattern of an origin, whose scheme means nothing: the grammar of hosts and
/// ports is the same.
fn parse(entry: &str) -> Result<OriginPattern, (Reason, Option<String>)> {
    if let Some(kind) = leftover(entry) {
        return Err((Reason::Spelling(kind), None));
    }
    if let Some((_, rest)) = entry.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        return Err((Reason::Scheme, Some(host.to_owned())));
    }
    let entry = entry.to_ascii_lowercase();
    let host = Hosts::normal_form(&entry);
    let pattern: OriginPattern = format!("https://{host}").parse().map_err(explain)?;
    // The base of a wildcard of whole labels, or the rest behind the label that has one.
    let base = match pattern.borrow().host_pattern() {
        HostPattern::Subdomains => Some(pattern.host()),
        HostPattern::InLabel(_) => pattern.host().split_once('.').map(|(_, base)| base),
        HostPattern::Exactly | HostPattern::Any | HostPattern::Range(_) => None,
    };
    match base.filter(|base| crosses_public_suffix(base)) {
        Some(suffix) => {
            let suffix = suffix.to_owned();
            Err((Reason::PublicSuffix { suffix }, None))
        }
        None => Ok(pattern),
    }
}

fn explain(error: OriginError) -> (Reason, Option<String>) {
    let instead = error
        .suggestion()
        .and_then(|origin| origin.strip_prefix("https://"))
        .map(str::to_owned);
    let reason = match error.kind() {
        Kind::Path | Kind::Query | Kind::Fragment | Kind::UserInfo => Reason::NotOnlyAHost,
        Kind::Empty | Kind::EmptyHost => Reason::Empty,
        Kind::Space => Reason::Space,
        Kind::Any | Kind::AnyHost => Reason::AnyHost,
        Kind::AddressPart | Kind::AddressRange | Kind::AddressRangeForm => Reason::Addresses,
        kind => Reason::Spelling(kind),
    };
    (reason, instead)
}
