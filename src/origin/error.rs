use std::fmt;

/// Why a text is not an origin, or not an origin pattern.
///
/// ```
/// use tower_cors::origin::{OriginErrorKind, OriginPattern};
///
/// let error = "https://Example.com/".parse::<OriginPattern>().unwrap_err();
/// assert_eq!(error.kind(), OriginErrorKind::UpperCase);
/// assert_eq!(error.suggestion(), Some("https://example.com"));
///
/// assert!("https://example.com".parse::<OriginPattern>().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", kind, Instead(suggestion.as_deref()))]
pub struct OriginError {
    kind: OriginErrorKind,
    suggestion: Option<String>,
}

impl OriginError {
    /// What is wrong.
    pub fn kind(&self) -> OriginErrorKind {
        self.kind
    }

    /// The spelling that browsers send for what was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    pub(super) fn with_suggestion(kind: OriginErrorKind, suggestion: Option<String>) -> Self {
        Self { kind, suggestion }
    }
}

impl From<OriginErrorKind> for OriginError {
    fn from(kind: OriginErrorKind) -> Self {
        Self {
            kind,
            suggestion: None,
        }
    }
}

/// What is wrong with an origin or an origin pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OriginErrorKind {
    /// There is nothing.
    #[error("an origin is not empty")]
    Empty,
    /// There is no `scheme://`, or the scheme has a character that no scheme has.
    #[error("an origin begins with a scheme and ://")]
    Scheme,
    /// Upper case, where browsers send lower case.
    #[error("browsers send origins in lower case")]
    UpperCase,
    /// White space or a control character.
    #[error("an origin has no white space or control character")]
    Space,
    /// A host that is not written in ASCII.
    #[error("browsers send the ASCII form of a host, whose labels begin with xn--")]
    NonAscii,
    /// `user:password@`.
    #[error("an origin has no user name or password")]
    UserInfo,
    /// A path, be it only a slash.
    #[error("an origin has no path, not even a trailing slash")]
    Path,
    /// A query.
    #[error("an origin has no query")]
    Query,
    /// A fragment.
    #[error("an origin has no fragment")]
    Fragment,
    /// A character that no host has.
    #[error("a host has only letters, digits, '-', '_' and '.'")]
    Character,
    /// There is no host.
    #[error("an origin has a host")]
    EmptyHost,
    /// A label that is empty, too long, or begins or ends with a hyphen.
    #[error("a label of a host has 1 to 63 characters and neither begins nor ends with '-'")]
    Label,
    /// A label that begins with `xn--` and is not the punycode of a name (RFC 3492).
    #[error("what follows xn-- is the punycode of an internationalised name, and this is none")]
    Punycode,
    /// Two dots at the end of the host.
    #[error("a host ends in at most one dot")]
    TrailingDots,
    /// What must be an IP address, because of brackets or a last label that is a number, and is
    /// none.
    #[error("an IP address is four numbers without leading zeros, or IPv6 in brackets")]
    IpAddress,
    /// An IPv6 address that is not as browsers write it.
    #[error("an IPv6 address is written in its one canonical form")]
    IpAddressForm,
    /// A port that is none.
    #[error("a port is a number from 1 to 65535 without leading zeros")]
    Port,
    /// The scheme's default port.
    #[error("browsers leave out the default port")]
    DefaultPort,
    /// Longer than any origin.
    #[error("an origin is at most 327 bytes long, its host at most 253")]
    Length,
    /// `null`, which is not an origin but what all opaque origins look like.
    #[error("null is what every sandboxed frame sends, on any site")]
    Null,
    /// `file:`, whose pages send `null`.
    #[error("pages from files send null, not an origin")]
    File,
    /// A wildcard where none can stand.
    #[error("a wildcard is a whole *. before the host or a whole :* after it")]
    Wildcard,
    /// `*.` more than once.
    #[error("*. stands for one label or more already: write it once")]
    RepeatedWildcard,
    /// `*.` before an IP address.
    #[error("an IP address has no subdomains")]
    AddressWildcard,
}

impl OriginErrorKind {
    /// Whether the text has the shape of an origin, but of one that no browser sends.
    ///
    /// `https://example.com:443` has; `https://example.com/path` has not.
    pub fn is_well_formed(self) -> bool {
        matches!(
            self,
            Self::AddressWildcard
                | Self::DefaultPort
                | Self::File
                | Self::IpAddressForm
                | Self::Label
                | Self::Null
                | Self::Punycode
                | Self::RepeatedWildcard
        )
    }
}

struct Instead<'a>(Option<&'a str>);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(spelling) => write!(f, ": write {spelling:?}"),
            None => Ok(()),
        }
    }
}
