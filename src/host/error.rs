use crate::{
    build_errors::BuildErrors, debug_as_display::debug_as_display, error::Place,
    origin::OriginErrorKind,
};

/// One mistake in a list of hosts: the entry, what is wrong with it, and what to write instead.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Nothing is listed, so that every request would be refused.
    #[error(
        "allow_hosts: nothing says which hosts the service answers for: list its names, as in \
         \"api.example.com\" or \"localhost:3000\""
    )]
    MissingHosts,

    /// The environment variable that the list should come from is not set, or is not UTF-8.
    #[error(
        "allow_hosts: the environment variable {variable} is not set: set it to the service's names"
    )]
    MissingVariable {
        /// The variable.
        variable: String,
    },

    /// An entry is not a host, or would match the hosts of strangers.
    #[error(
        "allow_hosts{place}: {value:?}: {reason}{}",
        instead.as_deref().map_or(String::new(), |one| format!(": write {one:?}"))
    )]
    Host {
        /// The entry.
        value: String,
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        reason: HostErrorReason,
        /// What was probably meant.
        instead: Option<String>,
    },
}

debug_as_display!(HostError);

/// Why an entry cannot be listed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostErrorReason {
    /// There is nothing, or only a port.
    #[error("there is no host")]
    Empty,
    /// `https://` in front.
    #[error("a host has no scheme")]
    Scheme,
    /// A path, a query, a fragment or a user name.
    #[error("a host is a name or an address, and perhaps a port: no path, query or user name")]
    NotOnlyAHost,
    /// White space or a control character.
    #[error("a host has no white space or control character")]
    Space,
    /// `*` alone.
    #[error(
        "every host would match, and nothing would be checked: list names, as in \
         \"*.example.com\", or leave the layer out"
    )]
    AnyHost,
    /// A wildcard for addresses, or a range of them.
    #[error(
        "addresses are listed one by one: or call `allow_addresses`, which takes every address"
    )]
    Addresses,
    /// A wildcard that crosses a public suffix, so that strangers can register names that it
    /// matches.
    #[error(
        "anyone can register a name below {suffix:?} and have it point at the service: list the \
         names that are yours"
    )]
    PublicSuffix {
        /// The base of the wildcard: a public suffix, or a parent of public suffixes.
        suffix: String,
    },
    /// A name, an address or a port that is not spelt as one.
    #[error("{0}")]
    Spelling(OriginErrorKind),
}

debug_as_display!(HostErrorReason);

/// All mistakes in a list of hosts, never none.
///
/// ```
/// use tower_cors::host::HostLayer;
///
/// let errors = HostLayer::builder()
///     .allow_hosts(["https://api.example.com", "api.example.org", "*.com"])
///     .build()
///     .unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "allow_hosts: \"https://api.example.com\": a host has no scheme: write \"api.example.com\"\n\
///      allow_hosts: \"*.com\": anyone can register a name below \"com\" and have it point at the \
///      service: list the names that are yours",
/// );
/// ```
pub type HostErrors = BuildErrors<HostError>;
