use crate::debug_as_display::debug_as_display;

/// Why an entry of a list is not an origin that may be listed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EntryErrorKind {
    /// There is nothing between two delimiters.
    #[error("the entry is empty: name an origin, or remove the delimiter beside it")]
    Empty,
    /// It is longer than [allowed](crate::token::claim::ListRules::max_entry_bytes).
    #[error("the entry is longer than max_entry_bytes")]
    Length,
    /// It is `null`, which any site can send from a sandboxed frame.
    #[error("every sandboxed frame on any site sends null")]
    Null,
    /// It is `*` or `+`, which stand for origins instead of naming them.
    #[error("* and + are not origins: name each origin")]
    Special,
    /// It is not a text, as in `[1, null]`.
    #[error("it is not a text")]
    NotText,
    /// It is a host without a scheme.
    #[error("the scheme is missing: write https://, then the host")]
    NoScheme,
    /// It ends in a slash, which no origin does.
    #[error("it ends in a slash: an origin has none")]
    TrailingSlash,
    /// It is not `scheme://host` or `scheme://host:port`.
    #[error("an origin is scheme://host or scheme://host:port, without user, path or query")]
    Syntax,
    /// Its scheme is not one that is let in.
    #[error("the scheme is not allowed: use https")]
    Scheme,
    /// It is an `http` origin.
    #[error("plain http is not allowed: use https")]
    Insecure,
    /// Its host is malformed.
    #[error("the host is not a domain or an IP address")]
    Host,
    /// Its port is malformed.
    #[error("a port is a number from 1 to 65535 without leading zeros")]
    Port,
    /// Its scheme is one that no page's origin has, such as `ws`, or that of all local files.
    #[error("no page has an origin of its own with this scheme: use https")]
    NoPage,
    /// It has a wildcard where none is let in.
    #[error("wildcards are not allowed here: name each origin")]
    Wildcard,
}

debug_as_display!(EntryErrorKind);

impl EntryErrorKind {
    /// The setting that lets in what is refused, where there is one.
    pub(crate) fn setting(self) -> Option<&'static str> {
        match self {
            Self::Special => Some("TokenOriginsBuilder::star_lists_any_origin, for a `*`,"),
            Self::NoScheme => Some("ListRules::hosts_mean_https"),
            Self::TrailingSlash => Some("ListRules::trailing_slash"),
            Self::Scheme => Some("ListRules::scheme"),
            Self::Insecure => Some("ListRules::http_loopback, for this machine,"),
            Self::Wildcard => Some("ListRules::wildcards, not across a public suffix,"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_named_where_one_lets_the_entry_in() {
        use EntryErrorKind as K;
        for (kind, setting) in [
            (K::Special, "star_lists_any_origin"),
            (K::NoScheme, "hosts_mean_https"),
            (K::TrailingSlash, "trailing_slash"),
            (K::Scheme, "scheme"),
            (K::Insecure, "http_loopback"),
            (K::Wildcard, "wildcards"),
        ] {
            let named = kind.setting().unwrap_or_default();
            assert!(named.contains(&format!("::{setting}")), "{kind:?}: {named}");
        }
        for kind in [K::Null, K::NotText, K::Syntax, K::Host, K::Port, K::NoPage] {
            assert_eq!(kind.setting(), None, "{kind:?}");
        }
    }
}
